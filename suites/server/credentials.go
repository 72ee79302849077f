package server

import (
	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/target"
)

// NeedsSecret is for checks of shared secrets.
var NeedsSecret = Need("clients[].secret", "needs a client with a shared secret",
	func(w *World) bool { return len(WithSecret(w)) > 0 })

// NeedsConfidential is for what a client without authentication may do.
var NeedsConfidential = Need("clients[].auth", "the first client is registered without authentication",
	func(w *World) bool { return w.Client(0).Confidential() })

// WithSecret lists the clients that authenticate with a shared secret.
func WithSecret(w *World) []*target.Client {
	var list []*target.Client
	for n := range w.Config.Clients {
		if c := w.Client(n); c.Secret != "" {
			list = append(list, c)
		}
	}
	return list
}

// Impostor is the client with other credentials; the secret is sent by the method that the client is registered for.
func Impostor(c *target.Client, id, secret string) *target.Client {
	other := *c
	other.ID, other.Secret = id, secret
	return &other
}

// Named puts the client's id into the form in place of its credentials.
func Named(r *Redemption) {
	r.SetField("client_id", r.Client.ID)
	r.Client = nil
}

// Asserting authenticates a client with this client assertion (RFC 7523 2.2).
func Asserting(c *target.Client, assertion string) RedeemOption {
	return func(r *Redemption) {
		r.Client = nil
		r.SetField("client_id", c.ID)
		r.SetField("client_assertion_type", ClientAssertionType)
		r.SetField("client_assertion", assertion)
	}
}

// StrangersKey is a new key of the same algorithm under the client's key id.
func StrangersKey(t *T, c *target.Client) *jose.JSONWebKey {
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(c.Key.Algorithm))
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	key.KeyID = c.Key.KeyID
	return &key.JSONWebKey
}
