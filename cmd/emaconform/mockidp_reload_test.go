package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// A file that changes is read again, and what the flags say stays in force.
func TestMockIdPReloadsBelowItsFlags(t *testing.T) {
	raw, err := directory.Default().YAML()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "idp.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(raw))
	out := startMockIdP(t, func(string) bool { return true }, "--json", "--control-secret", "known", "--config", path,
		"--silent", "alice@acme.example", "--audience", "http://localhost:8080", "--scope", "read")
	var said struct{ Control struct{ URL string } }
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatal(err)
	}
	known := func() (d directory.Directory) {
		req, err := http.NewRequest(http.MethodGet, said.Control.URL+"/directory", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer known")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	write(strings.Replace(string(raw), "Alice Adams", "Alice Archer", 1))
	deadline := time.Now().Add(time.Minute)
	d := known()
	for d.Users[0].Name != "Alice Archer" {
		if time.Now().After(deadline) {
			t.Fatal("the file was not read again within a minute")
		}
		time.Sleep(10 * time.Millisecond)
		d = known()
	}
	last := d.Connectors[len(d.Connectors)-1]
	if d.Settings.SilentLogin != "alice@acme.example" || last.Audience != "http://localhost:8080" ||
		len(d.Connectors) != 4 {
		t.Errorf("what the flags say is gone: silent login %q, last of %d connectors for %s",
			d.Settings.SilentLogin, len(d.Connectors), last.Audience)
	}
}
