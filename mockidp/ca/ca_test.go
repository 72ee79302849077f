package ca

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/internal/web"
)

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// trusting is a client that trusts this CA alone.
func trusting(t *testing.T, ca *CA) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("PEM holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// handshake asks a server with this configuration for a page and returns the client's error.
func handshake(t *testing.T, client *http.Client, config *tls.Config) error {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS, server.Config.ErrorLog = config, web.Quiet()
	server.StartTLS()
	defer server.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", host, 1))
		if err != nil {
			return err
		}
		resp.Body.Close()
	}
	return nil
}

func TestCAIssuesTrustedCertificates(t *testing.T) {
	ca := newCA(t)
	config, err := ca.TLSConfig("idp.example", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "idp.example", "192.0.2.1"} {
		if err := config.Certificates[0].Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if err := handshake(t, trusting(t, ca), config); err != nil {
		t.Errorf("a client that trusts the CA: %v", err)
	}
	if err := handshake(t, trusting(t, newCA(t)), config); err == nil {
		t.Error("a client that trusts another CA was satisfied")
	}
}

func TestBadCertificatesAreRefusedForTheirReason(t *testing.T) {
	ca := newCA(t)
	for kind, reason := range map[BadCertificate]string{
		Expired: "has expired", WrongName: "IP SANs", SelfSigned: "unknown authority",
	} {
		config, err := ca.BadTLSConfig(kind)
		if err != nil {
			t.Fatal(err)
		}
		err = handshake(t, trusting(t, ca), config)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: error %v, expected %q", kind, err, reason)
		}
	}
	if _, err := ca.BadTLSConfig("fine"); err == nil {
		t.Error("an unknown kind was accepted")
	}
}

func TestCAFileIsPrivateAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	made, err := LoadOrCreateCA(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	loaded, err := LoadOrCreateCA(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(loaded.PEM()) != string(made.PEM()) {
		t.Error("a second call made another CA")
	}
	config, err := loaded.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	if err := handshake(t, trusting(t, made), config); err != nil {
		t.Error(err)
	}
	if strings.Contains(string(made.PEM()), "PRIVATE") {
		t.Error("PEM gives the private key away")
	}
}

func TestBrokenCAFilesAreNamed(t *testing.T) {
	ca := newCA(t)
	config, err := ca.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	leaf := config.Certificates[0]
	for name, write := range map[string]func(path string) error{
		"empty":       func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"no key":      func(path string) error { return os.WriteFile(path, ca.PEM(), 0o600) },
		"wrong key":   (&CA{ca.cert, newCA(t).key}).save,
		"not of a CA": (&CA{leaf.Leaf, leaf.PrivateKey.(crypto.Signer)}).save,
	} {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreateCA(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: the file was overwritten", name)
		}
	}
}
