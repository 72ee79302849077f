// Package clients holds the checks of who may redeem an ID-JAG: client authentication, metadata documents, proofs of a
// key, rates.
package clients

import (
	"encoding/base64"
	"maps"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// named is server.Named; where a certificate is the credential, one that nobody issued comes with it: the name in it
// proves nothing.
func named(r *server.Redemption) {
	c := *r.Client
	server.Named(r)
	if c.Certificate == nil {
		return
	}
	authority, err := mockidp.NewCA()
	if err != nil {
		panic(err) // our own error
	}
	stranger, err := authority.ClientCertificate(c.ID)
	if err != nil {
		panic(err) // our own error
	}
	r.Show(stranger)
}

// wrongSecrets are credentials that prove nothing. The ID-JAG that comes with them is for the client that they name.
var wrongSecrets = []struct {
	slug, what string
	as         func(c *target.Client) *target.Client
}{
	{"wrong-secret", "a wrong secret", func(c *target.Client) *target.Client {
		return server.Impostor(c, c.ID, server.Like(c.Secret))
	}},
	{"empty-secret", "an empty secret", func(c *target.Client) *target.Client { return server.Impostor(c, c.ID, "") }},
	{"secret-prefix", "the secret without its last character", func(c *target.Client) *target.Client {
		return server.Impostor(c, c.ID, c.Secret[:len(c.Secret)-1])
	}},
	{"unknown-client", "a client that is not registered", func(c *target.Client) *target.Client {
		return server.Impostor(c, server.Like(c.ID), server.Like(c.Secret))
	}},
}

var _ = check.For("RAS-CLIENT-AUTH", func() {
	server.Refuses(
		server.Attack{Slug: "none", What: "a request without any client", Redeem: []server.RedeemOption{server.As(nil)},
			Codes:   []string{server.InvalidClient, server.InvalidRequest},
			Options: []check.Option{check.With(server.NeedsConfidential)}},
		server.Attack{Slug: "no-credentials", What: "a request that only names its client",
			Redeem: []server.RedeemOption{named},
			Codes:  []string{server.InvalidClient}, Options: []check.Option{check.With(server.NeedsConfidential)}},
	)

	for _, w := range wrongSecrets {
		server.It(w.slug, "refuses "+w.what, func(t *server.T) {
			c := server.WithSecret(t.World)[0]
			t.Control(server.GrantFor(t, c), server.As(c))
			wrong := w.as(c)
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, wrong), server.As(wrong)), server.InvalidClient)
		}, check.With(server.NeedsSecret), server.Refusal(server.InvalidClient),
			check.Sends("An honest ID-JAG with "+w.what+", after one with the right credentials as control"))
	}

	server.It("revoked", "refuses a client whose credentials were withdrawn", func(t *server.T) {
		revoked := t.Config.RevokedClient
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, revoked), server.As(revoked)), server.InvalidClient,
			server.UnauthorizedClient)
	}, check.With(server.NeedsRevokedClient), server.Refusal(server.InvalidClient, server.UnauthorizedClient),
		check.Sends("An honest ID-JAG by a client whose credentials were withdrawn, after one by another client as control"))

	server.It("other-secret", "refuses the secret of another client", func(t *server.T) {
		clients := server.WithSecret(t.World)
		if len(clients) < 2 {
			t.Skipf("needs a second client with a shared secret (clients[].secret)")
		}
		t.Control(server.GrantFor(t, clients[0]), server.As(clients[0]))
		wrong := server.Impostor(clients[0], clients[0].ID, clients[1].Secret)
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, wrong), server.As(wrong)), server.InvalidClient)
		if server.Granted(t.Redeem(server.GrantFor(t, clients[0]), byBoth(clients[0]))) {
			t.Notef("right credentials by two methods in one request are taken: RFC 6749 2.3 binds the client to send one")
		}
	}, check.With(server.NeedsSecret), server.Refusal(server.InvalidClient),
		check.Sends("A client's id with the secret of another client, after its own as control"))

	for _, a := range assertionAttacks {
		options := append([]check.Option{
			check.With(server.NeedsClientAuth(target.PrivateKeyJWT)), server.Refusal(server.InvalidClient),
			check.Sends("An honest ID-JAG with " + a.what + ", after a good client assertion as control")}, a.options...)
		server.It(a.slug, "refuses "+a.what, func(t *server.T) {
			c := t.ClientBy(target.PrivateKeyJWT)
			good := t.ClientAssertion(c, nil)
			t.Control(server.GrantFor(t, c), server.Asserting(c, good))
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, c), server.Asserting(c, a.make(t, c, good))),
				server.InvalidClient)
		}, options...)
	}
})

// byBoth authenticates a client over Basic and in the form at once.
func byBoth(c *target.Client) server.RedeemOption {
	return func(r *server.Redemption) {
		r.Client = nil
		r.Header.Set("Authorization", server.Basic(c.ID, c.Secret))
		r.SetField("client_id", c.ID)
		r.SetField("client_secret", c.Secret)
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
		forged.Key = server.StrangersKey(t, c)
		return t.ClientAssertion(&forged, nil)
	}, nil},
	{"jwt-wrong-aud", "a client assertion for another server", edited(func(claims map[string]any) {
		claims["aud"] = server.OtherIssuer + "/token"
	}), nil},
	{"jwt-expired", "an expired client assertion", edited(func(claims map[string]any) {
		issued, _ := claims["iat"].(int64)
		claims["iat"], claims["exp"] = issued-15*60, issued-10*60
	}), nil},
	{"jwt-no-exp", "a client assertion without exp", edited(func(claims map[string]any) { delete(claims, "exp") }), nil},
	{"jwt-sub", "a client assertion whose sub is not the client", edited(func(claims map[string]any) {
		claims["sub"] = server.Like(claims["sub"].(string))
	}), nil},
	{"jwt-iss", "a client assertion whose iss is not the client", edited(func(claims map[string]any) {
		claims["iss"] = server.Like(claims["iss"].(string))
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
		return hostile.Sign(server.GrantFor(t, c))
	}, nil},
}

// edited makes a client assertion with other claims, signed with the client's own key.
func edited(edit func(claims map[string]any)) func(*server.T, *target.Client, string) string {
	return func(t *server.T, c *target.Client, _ string) string { return t.ClientAssertion(c, edit) }
}

var _ = check.For("RAS-CLIENT-AUTH", func() {
	for _, claim := range []string{"nbf", "iat"} {
		server.It("jwt-"+claim+"-ahead", "refuses a client assertion whose "+claim+" lies an hour ahead", func(t *server.T) {
			c := t.ClientBy(target.PrivateKeyJWT)
			t.Control(server.GrantFor(t, c), server.Asserting(c, t.ClientAssertion(c, nil)))
			ahead := t.ClientAssertion(c, func(claims map[string]any) {
				now := t.Now()
				claims[claim], claims["exp"] = now.Add(50*time.Minute).Unix(), now.Add(55*time.Minute).Unix()
			})
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, c), server.Asserting(c, ahead)), server.InvalidClient)
		}, check.Should(), check.With(server.NeedsClientAuth(target.PrivateKeyJWT)), server.Refusal(server.InvalidClient),
			check.Sends("A good client assertion as control, then one whose "+claim+" lies ahead (RFC 7523 3)"))
	}

	server.It("basic-encoded", "decodes Basic credentials as a form (RFC 6749 2.3.1)", func(t *server.T) {
		c := t.ClientBy(target.ClientSecretBasic)
		t.Control(server.GrantFor(t, c), server.As(c))
		a := t.Redeem(server.GrantFor(t, c), server.As(nil),
			server.HeaderField("Authorization", basicOf(encoded(c.ID), encoded(c.Secret))))
		if !server.Granted(a) {
			t.Failf("expected credentials with each character percent-encoded to be taken (RFC 6749 2.3.1), but saw "+
				"%s: a secret with a plus, a percent sign or a space does not work", a.Summary())
		}
	}, check.Should(), check.With(server.NeedsClientAuth(target.ClientSecretBasic)),
		check.Sends("A client over Basic as control, then the same with each character of id and secret percent-encoded"))
})

// encoded is s with each character percent-encoded.
func encoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		const digits = "0123456789ABCDEF"
		b.Write([]byte{'%', digits[s[i]>>4], digits[s[i]&15]})
	}
	return b.String()
}

// basicOf is a Basic header of these parts, as they are.
func basicOf(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}
