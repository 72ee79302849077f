// Package harness has what the tests of several packages here begin with.
package harness

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"testing"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/host"
)

// Must ends the test when err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Serve starts an identity provider that ends with the test.
func Serve(t testing.TB, o host.Options) *host.Server {
	t.Helper()
	s, err := host.Serve(t.Context(), o)
	Must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Answer is an answer whose body has been read and closed.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get gets a page, with the default client when client is nil.
func Get(t testing.TB, client *http.Client, url string) Answer {
	t.Helper()
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Get(url)
	Must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	Must(t, err)
	return Answer{res.StatusCode, res.Header, body}
}

// Trusting is a client that trusts this CA alone.
func Trusting(t testing.TB, authority *ca.CA) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority.PEM()) {
		t.Fatal("PEM holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
