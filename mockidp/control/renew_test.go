package control_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// A client with a cache of TLS sessions, as Node's agents have one, must not get by a bad certificate through a session
// that began under the good one.
func TestNoSessionOutlivesAChangeOfTheCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		authority, err := mockidp.NewCA()
		harness.Must(t, err)
		server := harness.Serve(t, mockidp.ServerOptions{CA: authority})
		client := harness.Trusting(t, authority)
		transport := client.Transport.(*http.Transport)
		transport.DisableKeepAlives = true
		transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		transport.TLSClientConfig.MaxVersion = version
		harness.Get(t, client, server.JWKSURI())
		harness.Get(t, client, server.JWKSURI())
		harness.Must(t, server.SetCertificate(mockidp.SelfSigned))
		if res, err := client.Get(server.JWKSURI()); err == nil {
			res.Body.Close()
			t.Errorf("TLS %x: a resumed session hides the bad certificate", version)
		}
		if n := server.Certificate().Shown; n != 1 {
			t.Errorf("TLS %x: %d handshakes have shown the bad certificate, expected 1", version, n)
		}
	}
}

// A connection that is answering while the certificate changes ends with that answer.
func TestConnectionsEndWithTheCertificate(t *testing.T) {
	authority, err := mockidp.NewCA()
	harness.Must(t, err)
	arrived, release := make(chan bool), make(chan bool)
	server := harness.Serve(t, mockidp.ServerOptions{CA: authority, Console: func(*mockidp.IdP) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- true; <-release })
	}})
	client := harness.Trusting(t, authority)
	answered := make(chan error)
	go func() {
		res, err := client.Get(server.Below("/console"))
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	<-arrived
	harness.Must(t, server.SetCertificate(mockidp.Expired))
	close(release)
	harness.Must(t, <-answered)
	if res, err := client.Get(server.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("the connection was kept")
	}
}

// A change of faults takes no request away: a connection has one more answer.
func TestConnectionsEndWithTheAnswerAfterAChangeOfFaults(t *testing.T) {
	server := harness.Serve(t, mockidp.ServerOptions{})
	harness.Get(t, nil, server.JWKSURI())
	harness.Must(t, server.Fault(mockidp.Fault{Endpoint: mockidp.EndpointKeys, Reply: mockidp.Reply{Status: 503}}))
	var closed []bool
	for range 2 {
		res, err := http.Get(server.JWKSURI())
		harness.Must(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		harness.Must(t, res.Body.Close())
		closed = append(closed, res.Close)
	}
	if !closed[0] || closed[1] {
		t.Errorf("connections end with the answers %v, expected the first alone", closed)
	}
}

func TestControlTellsWhoHasSeenTheCertificate(t *testing.T) {
	authority, err := mockidp.NewCA()
	harness.Must(t, err)
	server := harness.Serve(t, mockidp.ServerOptions{CA: authority})
	api := httptest.NewServer(mockidp.NewControlHandler("secret", map[string]*mockidp.Server{"idp": server}, nil))
	defer api.Close()
	control := mockidp.NewControl(api.URL, "secret")
	harness.Must(t, control.SetCertificate(t.Context(), "idp", mockidp.Expired))
	conn, err := tls.Dial("tcp", server.JWKSURI()[len("https://"):len(server.JWKSURI())-len("/oauth2/v1/keys")],
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	harness.Must(t, err)
	defer func() { _ = conn.Close() }()
	state, err := control.Certificate(t.Context(), "idp")
	harness.Must(t, err)
	if state.Kind != mockidp.Expired || state.Shown != 1 || state.Changes != 1 {
		t.Errorf("%+v", state)
	}
}
