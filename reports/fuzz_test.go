package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
)

// A stored report is read without a crash, whatever is in it, and what is read can be written.
func FuzzRead(f *testing.F) {
	var whole bytes.Buffer
	if err := WriteJSON(&whole, sample()); err != nil {
		f.Fatal(err)
	}
	text := whole.String()
	mutate.Add(f, []byte(text))
	for _, change := range [][2]string{{`"part": "control"`,
		`"part": "control","same":{"check":"RAS-AUD-EXACT/missing","exchange":-1}`},
		{`"seconds": 4.317`, `"seconds": 1e999`},
		{`"exchanges": [`, `"exchanges": [{"part":"attack","same":{"check":"x","exchange":0}},`}} {
		f.Add([]byte(strings.Replace(text, change[0], change[1], 1)))
	}
	mutate.Add(f, []byte(`{"schema_version":"2","checks":[{"exchanges":[null]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Read(bytes.NewReader(raw))
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for _, format := range formats {
			if err := format.write(new(bytes.Buffer), r); err != nil {
				t.Errorf("%s: %v", format.name, err)
			}
		}
	})
}

// A baseline is read without a crash, whatever is in it.
func FuzzLoadBaseline(f *testing.F) {
	for _, text := range []string{"- !x", "!x", "- check: RAS-EXP\n  reason: !x", "- check: RAS-EXP\n  reason: later",
		"- &a [*a]", "- {check: {}}"} {
		mutate.Add(f, []byte(text))
	}
	path := filepath.Join(f.TempDir(), "baseline.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := LoadBaseline(path); (b == nil) == (err == nil) {
			t.Errorf("baseline %v, error %v", b, err)
		}
	})
}
