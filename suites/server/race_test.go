package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// against makes a running check whose target is this token endpoint.
func against(t *testing.T, endpoint http.HandlerFunc) *T {
	t.Helper()
	server := httptest.NewServer(endpoint)
	client := wire.NewClient(wire.Bounds{}, nil)
	t.Cleanup(func() { client.Close(); server.Close() })
	keys, err := mockidp.NewKeySet(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	world := &World{
		Config: &target.Config{
			Clients: []target.Client{{ID: "connector", Auth: "client_secret_basic", Secret: "not secret"}},
			Users:   []target.User{{Sub: "alice"}},
		},
		Target: &target.Discovered{Issuer: server.URL, Resource: server.URL + "/mcp", TokenEndpoint: server.URL + "/token"},
		IdP:    &mockidp.Issuer{URL: "https://idp.example", Keys: keys},
		Wire:   client,
	}
	return Outside(context.Background(), world.Ready())
}

func grants(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"access_token":"a token","token_type":"Bearer"}`))
}

func TestRaceSendsAllAtOnce(t *testing.T) {
	const n = 16
	var arrived sync.WaitGroup
	arrived.Add(n)
	var first atomic.Bool
	run := against(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait() // nobody is answered before all have come
		if first.CompareAndSwap(false, true) {
			grants(w)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	granted := 0
	for _, a := range run.Race(n, run.Grant()) {
		if Granted(a) {
			granted++
		}
	}
	if granted != 1 {
		t.Errorf("%d requests were granted, expected 1", granted)
	}
	if sent := run.Recorder().Len(); sent != n {
		t.Errorf("%d exchanges are recorded, expected %d", sent, n)
	}
}

func TestControlAnswersARequestForANonce(t *testing.T) {
	run := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("DPoP") == "proof with nonce-1" {
			grants(w)
			return
		}
		w.Header().Set("DPoP-Nonce", "nonce-1")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"use_dpop_nonce"}`))
	})
	a := run.Control(run.Grant(), func(r *Redemption) { r.Header.Set("DPoP", "proof with "+run.DPoPNonce) })
	if !Granted(a) {
		t.Errorf("got %s", a.Summary())
	}
}
