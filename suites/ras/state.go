package ras

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// Checks of what a target remembers: used ids, verified signatures, keys.

var _ = check.For("RAS-JTI-REPLAY", func() {
	for slug, other := range map[string]struct {
		what    string
		edit    func(t *server.T) server.Edit
		options []check.Option
	}{
		"re-issued": {"that was issued at another time", func(t *server.T) server.Edit {
			return server.Set("iat", t.Now().Add(-10*time.Second).Unix())
		}, nil},
		"other-resource": {"for another MCP server", func(t *server.T) server.Edit {
			return server.Set("resource", t.Config.SecondServer)
		}, []check.Option{check.With(server.NeedsSecondServer)}},
		"other-scope": {"with another scope", func(t *server.T) server.Edit {
			return server.Set("scope", t.Config.Scopes[0])
		}, []check.Option{check.With(server.NeedsTwoScopes)}},
	} {
		server.It(slug, "refuses a used jti in an ID-JAG "+other.what, func(t *server.T) {
			used := t.Grant()
			t.Control(used)
			again := t.Grant(server.Set("jti", used.Claims["jti"]), other.edit(t))
			expectRefused(t, t.Attack(again), server.InvalidGrant)
		}, append([]check.Option{refusal(server.InvalidGrant),
			check.Sends("An ID-JAG as control, then another one of the same issuer, user and jti " + other.what)}, other.options...)...)
	}

	server.It("later", "refuses a used ID-JAG that lives on also when some time has passed", func(t *server.T) {
		grant := t.Grant()
		t.Control(grant)
		resume := wire.Pause(t) // waiting is not the target's time
		select {
		case <-time.After(t.Config.Timing.Replay):
		case <-t.Done():
		}
		resume()
		expectRefused(t, t.Attack(grant), server.InvalidGrant)
		t.Control(t.Grant())
	}, refusal(server.InvalidGrant), check.Slow(),
		check.Sends("An ID-JAG that lives five minutes, and once more after 65 seconds (timing.replay)"))

	server.It("other-client", "refuses a used jti in an ID-JAG for another client", func(t *server.T) {
		other := t.Client(1)
		t.Control(grantFor(t, other), server.As(other))
		used := t.Grant()
		t.Control(used)
		again := t.Grant(server.Set("jti", used.Claims["jti"]), server.Set("client_id", other.ID))
		expectRefused(t, t.Attack(again, server.As(other)), server.InvalidGrant)
	}, refusal(server.InvalidGrant), check.With(server.NeedsSecondClient),
		check.Sends("An ID-JAG as control, then another one of the same issuer, user and jti for another client, by that one"))
})

var _ = check.For("RAS-SIG-VERIFY", func() {
	server.It("verified-before", "verifies the signature of an ID-JAG again that it has seen before", func(t *server.T) {
		t.Control(t.Grant())
		seen := hostile.Sign(t.Grant())
		t.Redeem(seen, server.As(t.Client(1))) // refused, though its signature is good
		expectRefused(t, t.Attack(hostile.FlipSignature(seen)))
	}, check.With(server.NeedsSecondClient),
		check.Sends("An ID-JAG that another client presents, then by its own client with a spoiled signature, after an honest one as control"))

	for slug, change := range map[string]struct {
		what   string
		change func(signature string) string
	}{
		"signature-padded":   {"with padding behind its signature", func(s string) string { return s + "==" }},
		"signature-alphabet": {"with its signature in the other alphabet of base64", strings.NewReplacer("-", "+", "_", "/").Replace},
		"signature-broken":   {"with a line break in its signature", func(s string) string { return s[:20] + "\n" + s[20:] }},
		"signature-space":    {"with a space in its signature", func(s string) string { return s[:20] + " " + s[20:] }},
	} {
		server.It(slug, "refuses an ID-JAG "+change.what, func(t *server.T) {
			t.Control(t.Grant())
			for {
				compact := hostile.Sign(t.Grant(server.Set("jti", mockidp.NewJTI())))
				cut := strings.LastIndexByte(compact, '.') + 1
				if changed := change.change(compact[cut:]); changed != compact[cut:] {
					expectRefused(t, t.Attack(compact[:cut]+changed))
					return
				}
			}
		}, check.Should(), refusal(), check.Sends("An ID-JAG "+change.what+", after an honest one as control (RFC 7515 2)"))
	}
})

// emptySecret is an ID-JAG under an HMAC with an empty secret.
func emptySecret(kid func(j *server.Token)) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		kid(honest)
		return hostile.HMAC(honest, nil)
	}
}

var _ = check.For("RAS-SIG-ALG", func() {
	refuses(
		attack{slug: "hmac-empty", what: "an HMAC under an empty secret", craft: emptySecret(func(*server.Token) {})},
		attack{slug: "hmac-empty-no-kid", what: "an HMAC under an empty secret, without kid",
			craft: emptySecret(func(j *server.Token) { delete(j.Header, "kid") })},
		attack{slug: "hmac-empty-unknown", what: "an HMAC under an empty secret, with an unknown kid",
			craft: emptySecret(func(j *server.Token) { j.Header["kid"] = rand.Text() })},
	)
	for _, alg := range []string{"PS256", "RS512"} {
		server.It("sibling-"+strings.ToLower(alg), "refuses "+alg+" by a key that is published for another algorithm", func(t *server.T) {
			t.Control(t.Grant())
			key := *t.IdP.Keys.Signing()
			if key.Algorithm != "RS256" {
				t.Skipf("the IdP signs with %s, which has no sibling (idp.alg)", key.Algorithm)
			}
			key.Algorithm = alg
			expectRefused(t, t.Attack(t.Grant(server.SignedBy(&key))))
		}, check.By("RFC 8725 §3.1"), refusal(),
			check.Sends("An honest ID-JAG as control, then one that the same key has signed with "+alg+", though the JWKS names RS256"))
	}
})

var _ = check.For("RAS-JWKS-FAULTS", func() {
	server.It("other-issuer", "tries no other issuer's keys when those of the issuer cannot be had", func(t *server.T) {
		t.Control(t.Grant())
		t.Control(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0]))
		spoil(t, mockidp.Reply{Status: http.StatusInternalServerError, Body: "{}"})
		until(t, fetches, func() *server.Token { return t.Grant(signedBy(t.SecondIdP.Keys.Signing())) })
		recovers(t)
	}, check.With(server.NeedsSecondIdP),
		changesKeys(seasonOfFaults, "ID-JAGs in the name of one trusted IdP that another one signed, while the first one's keys cannot be had"))

	server.It("stale", "does not use keys without end that it cannot fetch again", func(t *server.T) {
		key := newKey(t)
		publishAlso(t, key)
		if !eventually(t, "a new key", func() bool { return server.Granted(t.Redeem(t.Grant(signedBy(key)))) }) {
			t.Inconclusivef("the target does not pick up a new key: see RAS-JWKS-ROTATION/new-key")
		}
		spoil(t, mockidp.Reply{Status: http.StatusInternalServerError, Body: "{}"})
		refused := func() bool { return !server.Granted(t.Attack(t.Grant(signedBy(key)))) }
		if !t.Within(inTime+t.Config.Timing.JWKSPatience, refused) {
			t.Failf("expected ID-JAGs to be refused when the keys, which must not be cached, cannot be fetched, but they are still "+
				"granted after %s: who can keep the IdP's keys from being fetched keeps a stolen key alive", inTime+t.Config.Timing.JWKSPatience)
		}
		recovers(t)
	}, check.Should(), changesKeys(seasonOfBounds, "ID-JAGs signed with a key that may not be cached, while the JWKS endpoint answers 500"))
})

var _ = check.For("RAS-SIG-VERIFY", func() {
	server.It("encryption-ops", "refuses a signature by a key whose key_ops are of encryption", func(t *server.T) {
		t.Control(t.Grant())
		key := newKey(t)
		spoil(t, mockidp.Reply{Header: map[string]string{"Content-Type": "application/json", "Cache-Control": "max-age=0"},
			Body: keySet(t, key)})
		until(t, fetches, func() *server.Token { return t.Grant(signedBy(key)) })
	}, check.Should(), changesKeys(seasonOfBounds, "The IdP publishes one more key, with key_ops encrypt and wrapKey; ID-JAGs signed with it"))
})

// keySet is the IdP's keys and one that is for encryption alone (RFC 7517 section 4.3).
func keySet(t *server.T, encrypting *mockidp.Key) string {
	var keys []json.RawMessage
	for _, key := range append(own(t), encrypting) {
		raw, err := key.Public().MarshalJSON()
		mustControl(t, err)
		if key == encrypting {
			var published map[string]any
			mustControl(t, json.Unmarshal(raw, &published))
			delete(published, "use")
			delete(published, "alg")
			published["key_ops"] = []string{"encrypt", "wrapKey"}
			raw = jsonOf(published)
		}
		keys = append(keys, raw)
	}
	return string(jsonOf(map[string]any{"keys": keys}))
}
