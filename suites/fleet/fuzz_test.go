package fleet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/fleet"
)

// A fleet file is read without a crash, whatever is in it.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{"defaults: !x", "connectors: !x", "connectors:\n  - !x",
		"connectors:\n  - name: a\n    url: http://a.example\n    users: !x",
		"defaults: &d {<<: *d}\nconnectors: [*d]", "connectors: [{name: a, url: 'http://a.example'}]"} {
		mutate.Add(f, []byte(text))
	}
	path := filepath.Join(f.TempDir(), "fleet.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if fleet, err := fleet.Load(path); err == nil && len(fleet.Connectors) == 0 {
			t.Error("a fleet without connectors, and no error")
		}
	})
}
