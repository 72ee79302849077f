package ras

import (
	"crypto/rand"
	"maps"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// needsSecret is for checks of shared secrets.
var needsSecret = server.Need("clients[].secret", "needs a client with a shared secret",
	func(w *server.World) bool { return len(withSecret(w)) > 0 })

// withSecret lists the clients that authenticate with a shared secret.
func withSecret(w *server.World) []*target.Client {
	var list []*target.Client
	for n := range w.Config.Clients {
		if c := w.Client(n); c.Secret != "" {
			list = append(list, c)
		}
	}
	return list
}

// impostor is the client with other credentials; the secret is sent by the method that the client is registered for.
func impostor(c *target.Client, id, secret string) *target.Client {
	other := *c
	other.ID, other.Secret = id, secret
	return &other
}

// wrongSecrets are credentials that prove nothing. The ID-JAG that comes with them is for the client that they name.
var wrongSecrets = []struct {
	slug, what string
	as         func(c *target.Client) *target.Client
}{
	{"wrong-secret", "a wrong secret", func(c *target.Client) *target.Client { return impostor(c, c.ID, rand.Text()) }},
	{"empty-secret", "an empty secret", func(c *target.Client) *target.Client { return impostor(c, c.ID, "") }},
	{"secret-prefix", "the secret without its last character", func(c *target.Client) *target.Client {
		return impostor(c, c.ID, c.Secret[:len(c.Secret)-1])
	}},
	{"unknown-client", "a client that is not registered", func(c *target.Client) *target.Client {
		return impostor(c, "emaconform-"+rand.Text(), rand.Text())
	}},
}

var _ = check.For("RAS-CLIENT-AUTH", func() {
	refuses(
		attack{slug: "none", what: "a request without any client", redeem: []server.RedeemOption{server.As(nil)},
			codes: []string{server.InvalidClient, server.InvalidRequest}},
		attack{slug: "no-credentials", what: "a request that only names its client", redeem: []server.RedeemOption{named},
			codes: []string{server.InvalidClient}},
	)

	for _, w := range wrongSecrets {
		server.It(w.slug, "refuses "+w.what, func(t *server.T) {
			c := withSecret(t.World)[0]
			t.Control(grantFor(t, c), server.As(c))
			wrong := w.as(c)
			expectRefused(t, t.Attack(grantFor(t, wrong), server.As(wrong)), server.InvalidClient)
		}, check.With(needsSecret), refusal(server.InvalidClient),
			check.Sends("An honest ID-JAG with "+w.what+", after one with the right credentials as control"))
	}

	server.It("other-secret", "refuses the secret of another client", func(t *server.T) {
		clients := withSecret(t.World)
		if len(clients) < 2 {
			t.Skipf("needs a second client with a shared secret (clients[].secret)")
		}
		t.Control(grantFor(t, clients[0]), server.As(clients[0]))
		wrong := impostor(clients[0], clients[0].ID, clients[1].Secret)
		expectRefused(t, t.Attack(grantFor(t, wrong), server.As(wrong)), server.InvalidClient)
		if server.Granted(t.Redeem(grantFor(t, clients[0]), byBoth(clients[0]))) {
			t.Notef("right credentials by two methods in one request are taken: RFC 6749 2.3 binds the client to send one")
		}
	}, check.With(needsSecret), refusal(server.InvalidClient),
		check.Sends("A client's id with the secret of another client, after its own as control"))

	for _, a := range assertionAttacks {
		options := append([]check.Option{
			check.With(server.NeedsClientAuth("private_key_jwt")), refusal(server.InvalidClient),
			check.Sends("An honest ID-JAG with " + a.what + ", after a good client assertion as control")}, a.options...)
		server.It(a.slug, "refuses "+a.what, func(t *server.T) {
			c := t.ClientBy("private_key_jwt")
			good := t.ClientAssertion(c, nil)
			t.Control(grantFor(t, c), asserting(c, good))
			expectRefused(t, t.Attack(grantFor(t, c), asserting(c, a.make(t, c, good))), server.InvalidClient)
		}, options...)
	}
})

// named puts the client's id into the form in place of its credentials.
func named(r *server.Redemption) {
	r.SetField("client_id", r.Client.ID)
	r.Client = nil
}

// byBoth authenticates a client over Basic and in the form at once.
func byBoth(c *target.Client) server.RedeemOption {
	return func(r *server.Redemption) {
		r.Client = nil
		r.Header.Set("Authorization", server.Basic(c.ID, c.Secret))
		r.SetField("client_id", c.ID)
		r.SetField("client_secret", c.Secret)
	}
}

// asserting authenticates a client with this client assertion (RFC 7523 2.2).
func asserting(c *target.Client, assertion string) server.RedeemOption {
	return func(r *server.Redemption) {
		r.Client = nil
		r.SetField("client_id", c.ID)
		r.SetField("client_assertion_type", server.ClientAssertionType)
		r.SetField("client_assertion", assertion)
	}
}

// assertionAttacks are client assertions that prove nothing; good is the one that the control has used.
var assertionAttacks = []struct {
	slug, what string
	make       func(t *server.T, c *target.Client, good string) string
	options    []check.Option
}{
	{"jwt-wrong-key", "a client assertion signed with another key", func(t *server.T, c *target.Client, _ string) string {
		forged := *c
		forged.Key = strangersKey(t, c)
		return t.ClientAssertion(&forged, nil)
	}, nil},
	{"jwt-wrong-aud", "a client assertion for another server", edited(func(claims map[string]any) {
		claims["aud"] = otherIssuer + "/token"
	}), nil},
	{"jwt-expired", "an expired client assertion", edited(func(claims map[string]any) {
		issued, _ := claims["iat"].(int64)
		claims["iat"], claims["exp"] = issued-15*60, issued-10*60
	}), nil},
	{"jwt-no-exp", "a client assertion without exp", edited(func(claims map[string]any) { delete(claims, "exp") }), nil},
	{"jwt-sub", "a client assertion whose sub is not the client", edited(func(claims map[string]any) {
		claims["sub"] = "emaconform-" + rand.Text()
	}), nil},
	{"jwt-iss", "a client assertion whose iss is not the client", edited(func(claims map[string]any) {
		claims["iss"] = "emaconform-" + rand.Text()
	}), nil},
	{"jwt-none", "an unsigned client assertion (alg none)", func(t *server.T, c *target.Client, _ string) string {
		token := &server.Token{Header: map[string]any{"typ": "JWT"}, Claims: map[string]any{}}
		t.ClientAssertion(c, func(claims map[string]any) { maps.Copy(token.Claims, claims) })
		return hostile.None(token, "none")
	}, nil},
	{"jwt-replayed", "a client assertion that was used before", func(_ *server.T, _ *target.Client, good string) string {
		return good
	}, []check.Option{check.Should()}},
	{"jwt-id-jag", "an ID-JAG in place of a client assertion", func(t *server.T, c *target.Client, _ string) string {
		return hostile.Sign(grantFor(t, c))
	}, nil},
}

// edited makes a client assertion with other claims, signed with the client's own key.
func edited(edit func(claims map[string]any)) func(*server.T, *target.Client, string) string {
	return func(t *server.T, c *target.Client, _ string) string { return t.ClientAssertion(c, edit) }
}

// strangersKey is a new key of the same algorithm under the client's key id.
func strangersKey(t *server.T, c *target.Client) *jose.JSONWebKey {
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(c.Key.Algorithm))
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	key.KeyID = c.Key.KeyID
	return &key.JSONWebKey
}
