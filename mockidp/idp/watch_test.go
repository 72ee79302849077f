package idp_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

const configuration = `users:
  - {login: alice@acme.example, groups: [Staff]}
clients:
  - {id: app, secret: s3cret, redirect_uris: ["http://127.0.0.1/callback"], assigned: {everyone: true}}
connectors:
  - {id: notes, audience: "https://auth.notes.example", resources: ["https://mcp.notes.example/mcp"],
     scopes: [notes.read], assigned: {groups: [Staff]}}
connections:
  - {client: app, connector: notes, client_id: app-at-notes}
`

func TestReloadKeepsSessionsAndRefusesMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idp.yaml")
	write := func(text string) { // as editors do: a new file in the place of the old one
		harness.Must(t, os.WriteFile(path+".new", []byte(text), 0o600))
		harness.Must(t, os.Rename(path+".new", path))
	}
	write(configuration)
	idp := mockidp.New(t)
	harness.Must(t, idp.Reload(path, directory.Load))
	tokens := idp.Login(harness.Alice, "app", "offline_access")
	reloads := make(chan error, 10)
	harness.Must(t, idp.Watch(t.Context(), path, directory.Load, func(err error) { reloads <- err }))

	write(strings.Replace(configuration, "app-at-notes", "renamed-at-notes", 1))
	harness.Must(t, <-reloads)
	form := harness.Exchange(tokens.RefreshToken, "subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")
	status, answer := idp.TokenRequest("app", form)
	if status != http.StatusOK || harness.ClaimsOf(t, answer["access_token"])["client_id"] != "renamed-at-notes" {
		t.Fatalf("%d %v", status, answer["error"])
	}

	write("users: [")
	if err := <-reloads; err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken file: %v", err)
	}
	write(configuration + "settings: {flavour: generic}\n")
	if err := <-reloads; err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("another flavour: %v", err)
	}
	if status, _ := idp.TokenRequest("app", form); status != http.StatusOK {
		t.Error("a file that was not taken changed something")
	}

	write(strings.Replace(configuration, "groups: [Staff]}\nclients", "groups: [Staff], status: suspended}\nclients", 1))
	harness.Must(t, <-reloads)
	if status, _ := idp.TokenRequest("app", form); status != http.StatusBadRequest {
		t.Error("a suspended user's refresh token is taken")
	}
}

func TestExportHoldsNoPrivateKey(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithAlgorithm(jose.ES256))
	dir := t.TempDir()
	paths, err := idp.Export(dir)
	harness.Must(t, err)
	if len(paths) != 4 {
		t.Errorf("%v", paths)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		harness.Must(t, err)
		if !json.Valid(raw) || strings.Contains(string(raw), `"d":`) {
			t.Errorf("%s is not JSON, or holds a private key", path)
		}
	}
	var set jose.JSONWebKeySet
	raw, err := os.ReadFile(filepath.Join(dir, "jwks.json"))
	harness.Must(t, err)
	harness.Must(t, json.Unmarshal(raw, &set))
	if len(set.Key(idp.Issuer().Keys.Signing().KeyID)) != 1 {
		t.Error("the key in use is not among them")
	}
}
