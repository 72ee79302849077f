package mockidp_test

import (
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

func TestNewIsStoppedWithItsTest(t *testing.T) {
	var uri string
	t.Run("inner", func(t *testing.T) {
		uri = mockidp.New(t).JWKSURI()
		if got := harness.Get(t, nil, uri); got.Status != http.StatusOK {
			t.Fatal(got.Status)
		}
	})
	if res, err := http.Get(uri); err == nil {
		res.Body.Close()
		t.Error("still answers after the test")
	}
}

func TestOptions(t *testing.T) {
	keys, err := mockidp.NewKeySet(jose.EdDSA)
	harness.Must(t, err)
	idp := mockidp.New(t, mockidp.WithKeys(keys), mockidp.WithListen("127.0.0.1:0"),
		mockidp.WithIssuer("https://idp.example/tenant"),
		mockidp.WithConnector(directory.Connector{ID: "mine", Audience: "https://mine.example",
			Resources: []string{"https://mine.example/mcp"},
			Scopes:    []string{"read"}, Assigned: directory.Assignment{Everyone: true}},
			map[string]string{harness.Agent: "agent-there"}))
	if idp.URL() != "https://idp.example/tenant" || idp.Issuer().Keys.Signing() != keys.Signing() {
		t.Errorf("issuer %s", idp.URL())
	}
	for client, there := range map[string]string{harness.Agent: "agent-there", harness.Codepilot: harness.Codepilot} {
		claims := idp.IDJAG(harness.Alice, client, "mine").Claims
		if claims["aud"] != "https://mine.example" || claims["client_id"] != there || claims["scope"] != "read" ||
			claims["resource"] != "https://mine.example/mcp" || claims["iss"] != "https://idp.example/tenant" {
			t.Errorf("%v", claims)
		}
	}
}

func TestNewOverHTTPS(t *testing.T) {
	ca, err := mockidp.NewCA()
	harness.Must(t, err)
	idp := mockidp.New(t, mockidp.WithTLS(ca))
	if !strings.HasPrefix(idp.URL(), "https://") {
		t.Fatal(idp.URL())
	}
	res, err := idp.Client().Get(idp.JWKSURI())
	harness.Must(t, err)
	res.Body.Close()
	if tokens := idp.Login(harness.Alice, harness.Agent); tokens.IDToken == "" {
		t.Error("a sign-in over https gives no ID token")
	}
	if res, err := http.Get(idp.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("a client that does not know the CA trusts the server")
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	made, err := mockidp.LoadOrCreateKeySet(path, jose.ES256)
	harness.Must(t, err)
	again, err := mockidp.LoadOrCreateKeySet(path, jose.RS256)
	harness.Must(t, err)
	if again.Signing().KeyID != made.Signing().KeyID || again.Signing().Algorithm != "ES256" {
		t.Error("not the key that was saved")
	}
	info, err := os.Stat(path)
	harness.Must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the private keys: %s", info.Mode())
	}
	public, err := made.Signing().Public().MarshalJSON()
	harness.Must(t, err)
	for name, c := range map[string]struct{ content, want string }{
		"not JSON": {"x", "expected a JWK set"}, "empty": {`{"keys":[]}`, "expected a JWK set"},
		"public": {`{"keys":[` + string(public) + `]}`, "key 1: is a public key"},
	} {
		harness.Must(t, os.WriteFile(path, []byte(c.content), 0o600))
		if _, err := mockidp.LoadKeySet(path); err == nil || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
