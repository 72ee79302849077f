package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/fleet"
)

// The files that commands keep for the next time are read whatever became of them.
func FuzzKeptFiles(f *testing.F) {
	for _, text := range []string{`{"connector":"s3cret-0123456789"}`, `{"secret":"0123456789abcdef0123"}`, `null`,
		`{"a":{}}`,
		`{"made":"2026-01-02T03:04:05Z","connectors":[{"name":"a","failed":["x"]},{}],"changes":[null]}`} {
		mutate.Add(f, []byte(text))
	}
	path := filepath.Join(f.TempDir(), "kept.json")
	f.Fuzz(func(t *testing.T, raw []byte) {
		keep := func() {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		keep()
		d := directory.Default()
		if err := ownSecrets(d, path); err == nil && len(d.Clients[0].Secret) == 0 {
			t.Error("a client has no secret any more")
		}
		keep()
		if _, err := readState(path); err != nil && len(err.Error()) > len(path)+1000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		keep()
		if result, err := fleet.ReadResult(path); err == nil {
			(&fleet.Result{}).Compare(result)
		}
	})
}
