package mockidp_test

import (
	"os"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestReadmeIsTrue(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	harness.Must(t, err)
	readme := string(raw)
	_, sample, _ := strings.Cut(readme, "```yaml\n")
	sample, _, found := strings.Cut(sample, "```")
	if !found {
		t.Fatal("there is no sample configuration")
	}
	if _, err := directory.Parse([]byte(sample)); err != nil {
		t.Errorf("the sample configuration: %v", err)
	}
	for _, name := range flavour.Names() {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("the flavour %s is not mentioned", name)
		}
	}
}
