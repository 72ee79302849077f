package ras

import (
	"crypto/rand"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
)

// needsSecret is for checks of shared secrets.
var needsSecret = check.Need{Key: "clients[].secret", Missing: func(w *check.World) string {
	if len(withSecret(w)) == 0 {
		return "needs a client with a shared secret"
	}
	return ""
}}

// withSecret lists the clients that authenticate with a shared secret.
func withSecret(w *check.World) []*target.Client {
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
		attack{slug: "none", what: "a request without any client", redeem: []check.RedeemOption{check.As(nil)},
			codes: []string{check.InvalidClient, check.InvalidRequest}},
		attack{slug: "no-credentials", what: "a request that only names its client", redeem: []check.RedeemOption{named},
			codes: []string{check.InvalidClient}},
	)

	for _, w := range wrongSecrets {
		check.It(w.slug, "refuses "+w.what, func(t *check.T) {
			c := withSecret(t.World)[0]
			t.Control(grantFor(t, c), check.As(c))
			wrong := w.as(c)
			expectRefused(t, t.Attack(grantFor(t, wrong), check.As(wrong)), check.InvalidClient)
		}, check.With(needsSecret), refusal(check.InvalidClient),
			check.Sends("An honest ID-JAG with "+w.what+", after one with the right credentials as control"))
	}

	check.It("other-secret", "refuses the secret of another client", func(t *check.T) {
		clients := withSecret(t.World)
		if len(clients) < 2 {
			t.Skipf("needs a second client with a shared secret (clients[].secret)")
		}
		t.Control(grantFor(t, clients[0]), check.As(clients[0]))
		wrong := impostor(clients[0], clients[0].ID, clients[1].Secret)
		expectRefused(t, t.Attack(grantFor(t, wrong), check.As(wrong)), check.InvalidClient)
	}, check.With(needsSecret), refusal(check.InvalidClient),
		check.Sends("A client's id with the secret of another client, after its own as control"))

	check.It("two-methods", "refuses credentials by two methods in one request", func(t *check.T) {
		c := withSecret(t.World)[0]
		t.Control(grantFor(t, c), check.As(c))
		expectRefused(t, t.Attack(grantFor(t, c), byBoth(c)), check.InvalidRequest, check.InvalidClient)
	}, check.With(needsSecret), refusal(check.InvalidRequest, check.InvalidClient),
		check.Sends("The right credentials both over Basic and in the form, after one of the two as control"))

	for _, a := range assertionAttacks {
		options := append([]check.Option{
			check.With(check.NeedsClientAuth("private_key_jwt")), refusal(check.InvalidClient),
			check.Sends("An honest ID-JAG with " + a.what + ", after a good client assertion as control")}, a.options...)
		check.It(a.slug, "refuses "+a.what, func(t *check.T) {
			c := t.ClientBy("private_key_jwt")
			good := t.ClientAssertion(c, nil)
			t.Control(grantFor(t, c), asserting(c, good))
			expectRefused(t, t.Attack(grantFor(t, c), asserting(c, a.make(t, c, good))), check.InvalidClient)
		}, options...)
	}
})

// named puts the client's id into the form in place of its credentials.
func named(r *check.Redemption) {
	r.SetField("client_id", r.Client.ID)
	r.Client = nil
}

// byBoth authenticates a client over Basic and in the form at once.
func byBoth(c *target.Client) check.RedeemOption {
	return func(r *check.Redemption) {
		r.Client = nil
		r.Header.Set("Authorization", check.Basic(c.ID, c.Secret))
		r.SetField("client_id", c.ID)
		r.SetField("client_secret", c.Secret)
	}
}

// asserting authenticates a client with this client assertion (RFC 7523 2.2).
func asserting(c *target.Client, assertion string) check.RedeemOption {
	return func(r *check.Redemption) {
		r.Client = nil
		r.SetField("client_id", c.ID)
		r.SetField("client_assertion_type", check.ClientAssertionType)
		r.SetField("client_assertion", assertion)
	}
}

// assertionAttacks are client assertions that prove nothing; good is the one that the control has used.
var assertionAttacks = []struct {
	slug, what string
	make       func(t *check.T, c *target.Client, good string) string
	options    []check.Option
}{
	{"jwt-wrong-key", "a client assertion signed with another key", func(t *check.T, c *target.Client, _ string) string {
		forged := *c
		forged.Key = strangersKey(t, c)
		return t.ClientAssertion(&forged, nil)
	}, nil},
	{"jwt-wrong-aud", "a client assertion for another server", edited(func(claims map[string]any) {
		claims["aud"] = otherIssuer + "/token"
	}), nil},
	{"jwt-expired", "an expired client assertion", edited(func(claims map[string]any) {
		claims["iat"], claims["exp"] = time.Now().Add(-15*time.Minute).Unix(), time.Now().Add(-10*time.Minute).Unix()
	}), nil},
	{"jwt-no-exp", "a client assertion without exp", edited(func(claims map[string]any) { delete(claims, "exp") }), nil},
	{"jwt-sub", "a client assertion whose sub is not the client", edited(func(claims map[string]any) {
		claims["sub"] = "emaconform-" + rand.Text()
	}), nil},
	{"jwt-iss", "a client assertion whose iss is not the client", edited(func(claims map[string]any) {
		claims["iss"] = "emaconform-" + rand.Text()
	}), nil},
	{"jwt-none", "an unsigned client assertion (alg none)", func(t *check.T, c *target.Client, _ string) string {
		token := &check.Token{Header: map[string]any{"typ": "JWT"}, Claims: map[string]any{}}
		t.ClientAssertion(c, func(claims map[string]any) { maps.Copy(token.Claims, claims) })
		return hostile.None(token, "none")
	}, nil},
	{"jwt-replayed", "a client assertion that was used before", func(_ *check.T, _ *target.Client, good string) string {
		return good
	}, []check.Option{check.Should()}},
	{"jwt-id-jag", "an ID-JAG in place of a client assertion", func(t *check.T, c *target.Client, _ string) string {
		return hostile.Sign(grantFor(t, c))
	}, nil},
}

// edited makes a client assertion with other claims, signed with the client's own key.
func edited(edit func(claims map[string]any)) func(*check.T, *target.Client, string) string {
	return func(t *check.T, c *target.Client, _ string) string { return t.ClientAssertion(c, edit) }
}

// strangersKey is a new key of the same algorithm under the client's key id.
func strangersKey(t *check.T, c *target.Client) *jose.JSONWebKey {
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(c.Key.Algorithm))
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	key.KeyID = c.Key.KeyID
	return &key.JSONWebKey
}
