package saml_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/saml"
)

func TestCertificateFileIsPrivateAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "saml.pem")
	made, err := saml.LoadOrCreateCertificate(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	loaded, err := saml.LoadOrCreateCertificate(path)
	if err != nil {
		t.Fatal(err)
	}
	if !loaded.Leaf.Equal(made.Leaf) {
		t.Error("a second call made another certificate")
	}
	before, after := newIdPWith(t, "https://idp.example", made), newIdPWith(t, "https://idp.example", loaded)
	if _, _, err := after.verify(before.signed(t)); err != nil {
		t.Errorf("an assertion from before the restart: %v", err)
	}
	if made.Leaf.PublicKeyAlgorithm != x509.RSA {
		t.Errorf("the key is %s", made.Leaf.PublicKeyAlgorithm)
	}
}

func TestBrokenCertificateFilesAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "saml.pem")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := saml.LoadOrCreateCertificate(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadFile(path); string(left) != "hello" {
		t.Error("the file was overwritten")
	}
	if _, err := saml.LoadOrCreateCertificate(filepath.Join(path, "below")); err == nil {
		t.Error("a file below a file was made")
	}
}

func TestNewProviderSaysWhatIsMissing(t *testing.T) {
	cert := newIdP(t, "https://idp.example").cert
	good := saml.Options{
		URL: "https://idp.example", Certificate: cert, FirstUse: newIdP(t, "https://idp.example").firstUse,
		App: func(string) (saml.App, bool) { return saml.App{}, false },
	}
	if _, err := saml.NewProvider(good); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(*saml.Options){
		"without a slash": func(o *saml.Options) { o.URL += "/" },
		"absolute URL":    func(o *saml.Options) { o.URL = "idp" },
		"FirstUse":        func(o *saml.Options) { o.FirstUse = nil },
		"Certificate":     func(o *saml.Options) { o.Certificate = tls.Certificate{} },
		"RSA":             func(o *saml.Options) { o.Certificate.PrivateKey = ed25519.PrivateKey{} },
	} {
		o := good
		spoil(&o)
		if _, err := saml.NewProvider(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("expected an error with %q, got %v", says, err)
		}
	}
}
