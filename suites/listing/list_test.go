package listing

import (
	"testing"

	_ "github.com/emaconform/emaconform/suites/rs" // the checks that are listed
)

func TestAListFitsTheTerminal(t *testing.T) {
	requirements, checks := Find("", []string{"RS-ORIGIN"})
	for columns, want := range map[int][2]int{200: {72, 40}, 100: {36, 17}, 20: {24, 12}} {
		what, labels := shares(columns, requirements, checks)
		if got := [2]int{what, labels}; got != want {
			t.Errorf("%d columns: %v, expected %v", columns, got, want)
		}
	}
}
