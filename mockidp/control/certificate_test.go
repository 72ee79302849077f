package control_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestABadCertificateIsShownUntilRestore(t *testing.T) {
	ca, err := mockidp.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	server := harness.Serve(t, mockidp.ServerOptions{CA: ca})
	api := httptest.NewServer(mockidp.NewControlHandler("secret", map[string]*mockidp.Server{"idp": server}, nil))
	defer api.Close()
	control := mockidp.NewControl(api.URL, "secret")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()

	fetch := func() error {
		res, err := client.Get(server.JWKSURI())
		if err == nil {
			err = res.Body.Close()
		}
		return err
	}
	if err := fetch(); err != nil {
		t.Fatalf("the good certificate is refused: %v", err)
	}
	for _, kind := range []mockidp.BadCertificate{mockidp.Expired, mockidp.WrongName, mockidp.SelfSigned} {
		if err := control.SetCertificate(t.Context(), "idp", kind); err != nil {
			t.Fatal(err)
		}
		if n := handshakes(t, control); n != 0 {
			t.Errorf("%s: %d handshakes have shown it before anybody came", kind, n)
		}
		if fetch() == nil {
			t.Errorf("%s: a client that has an idle connection still gets an answer", kind)
		}
		if n := handshakes(t, control); n != 1 {
			t.Errorf("%s: %d handshakes have shown it, expected one", kind, n)
		}
		if err := control.Restore(t.Context(), "idp"); err != nil {
			t.Fatal(err)
		}
		if err := fetch(); err != nil {
			t.Errorf("%s: refused after Restore: %v", kind, err)
		}
	}
	if err := control.SetCertificate(t.Context(), "idp", "nonsense"); err == nil {
		t.Error("an unknown kind of certificate is taken")
	}
}

func handshakes(t *testing.T, c *mockidp.Control) int {
	t.Helper()
	n, err := c.Handshakes(context.Background(), "idp")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCertificateOverHTTPIsAnError(t *testing.T) {
	server := harness.Serve(t, mockidp.ServerOptions{})
	if err := server.SetCertificate(mockidp.Expired); err == nil {
		t.Error("an identity provider over http takes a certificate")
	}
	if server.Certificate().Handshakes != 0 {
		t.Error("there were handshakes over http")
	}
}
