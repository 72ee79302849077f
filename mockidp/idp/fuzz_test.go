package idp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// Files with keys are read whatever is in them: what is taken can be used, and no error quotes a key.
func FuzzKeyFiles(f *testing.F) {
	keys, err := mint.NewKeySet("ES256")
	if err != nil {
		f.Fatal(err)
	}
	set, err := json.Marshal(keys)
	if err != nil {
		f.Fatal(err)
	}
	made := filepath.Join(f.TempDir(), "ca.pem")
	if _, err := ca.LoadOrCreateCA(made); err != nil {
		f.Fatal(err)
	}
	pair, err := os.ReadFile(made)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{set, pair, []byte(`{"keys":[{"kty":"oct","k":"AA"}]}`), []byte(`{"keys":[null]}`)} {
		mutate.Add(f, seed)
	}
	path := filepath.Join(f.TempDir(), "keys")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		most := len(path) + 400
		keys, err := mint.LoadKeySet(path)
		if err == nil && keys.Keys[0].Usable() != nil || err != nil && len(err.Error()) > most {
			t.Errorf("key set: %v", err)
		}
		authority, err := ca.LoadOrCreateCA(path)
		if err == nil && len(authority.PEM()) == 0 || err != nil && len(err.Error()) > most {
			t.Errorf("CA: %v", err)
		}
		pair, err := saml.LoadOrCreateCertificate(path)
		if err == nil && pair.Leaf == nil || err != nil && len(err.Error()) > most {
			t.Errorf("SAML certificate: %v", err)
		}
		if _, err := ca.LoadOrCreateClientCertificate(path, "c"); err != nil && len(err.Error()) > most {
			t.Errorf("client certificate: %v", err)
		}
	})
}
