package identifiers

import (
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// forge is what there is to forge this JWT with, which the key has signed.
func forge(t *server.T, compact string, key jose.JSONWebKey) grammar.Forge {
	honest, _ := grammar.Decode(compact)
	return grammar.Forge{
		Honest: mockidp.Token{Header: honest.Header, Claims: server.JWTClaims(compact), Key: &mockidp.Key{JSONWebKey: key}},
		Public: []jose.JSONWebKey{key.Public()}, Stranger: t.Attacker, URL: t.Canary, Chain: t.Chain(),
	}
}

// es256 is the IdP's key for ES256, nil where it has none.
func es256(t *server.T) *mockidp.Key {
	for _, key := range t.IdP.Keys.Keys {
		if key.Algorithm == string(jose.ES256) {
			return key
		}
	}
	return nil
}

// forgeable is an honest ID-JAG to forge: by the key that the IdP signs with or, for what takes an ECDSA key, by that
// one, which the target has to take.
func forgeable(t *server.T, m grammar.Made) (with grammar.Forge, ok bool) {
	signing := t.IdP.Keys.Signing()
	with = forge(t, hostile.Sign(t.Grant()), signing.JSONWebKey)
	if _, ok = m.Of(with); ok && !strings.Contains(m.What, "ECDSA") {
		return with, true
	}
	key := es256(t)
	if key == nil {
		return with, false
	}
	if a := t.Redeem(t.Grant(server.SignedBy(key))); !server.Granted(a) {
		t.Skipf("the server does not take ES256: %s", a.Summary())
	}
	with = forge(t, hostile.Sign(t.Grant(server.SignedBy(key))), key.JSONWebKey)
	_, ok = m.Of(with)
	return with, ok
}

// ID-JAGs that only a careless verifier takes.
var (
	_ = check.For("RAS-SIG-VERIFY", func() { declareForged(false) })
	_ = check.For("RAS-SIG-ALG", func() { declareForged(true) })
)

func declareForged(algorithm bool) {
	for _, f := range grammar.Forgeries(grammar.IDJAG) {
		for _, m := range f.Made {
			if f.Algorithm == algorithm {
				declareOne(f, m)
			}
		}
	}
}

func declareOne(f grammar.Forgery, m grammar.Made) {
	server.It(f.Slug(m), "refuses an ID-JAG "+m.What, func(t *server.T) {
		with, ok := forgeable(t, m)
		if !ok {
			t.Skipf("it cannot be made with the IdP's keys, or needs a target that can reach us (idp.alg, idp.listen)")
		}
		forged, _ := m.Of(with)
		_, a := t.Beside(plainly("claims"), func() *wire.Answer { return t.Attack(forged) })
		if server.Granted(a) {
			t.Failf("expected a refusal, but a token was granted: the signature of an ID-JAG %s, so that anybody is any user",
				f.Title)
		}
		server.ExpectRefused(t, a)
	}, server.Refusal(), check.Sends("An ID-JAG "+m.What+"; an honest one is granted before it, and one after it"))
}

// signedIn is the kind of requests of a client that authenticates with its key.
var signedIn = server.Kind{Name: "signed in by key", Send: func(t *server.T) *wire.Answer {
	return t.Honest(quickFor(t, byKey(t)), server.As(byKey(t)))
}}

// Client assertions that only a careless verifier takes: the right claims, and a signature that proves nothing.
var _ = check.For("RAS-CLIENT-AUTH", func() {
	for _, f := range grammar.Forgeries(grammar.ClientAssertion) {
		for _, m := range f.Made {
			server.It("jwt-"+f.Slug(m), "refuses a client assertion "+m.What, func(t *server.T) {
				c := byKey(t)
				forged, ok := m.Of(forge(t, t.ClientAssertion(c, nil), *c.Key))
				if !ok {
					t.Skipf("it cannot be made with the client's key, of %s, or needs a target that can reach us", c.Key.Algorithm)
				}
				_, a := t.Beside(signedIn, func() *wire.Answer { return signIn(t, forged) })
				if server.Granted(a) {
					t.Failf("expected a refusal, but a token was granted: the signature of a client assertion %s, so "+
						"that anybody is any client",
						f.Title)
				}
				server.ExpectRefused(t, a, server.InvalidClient)
			}, check.With(server.NeedsClientAuth(target.PrivateKeyJWT)), server.Refusal(server.InvalidClient),
				check.Sends("An honest ID-JAG with a client assertion "+m.What+
					"; one with a good one is granted before it, and one after it"))
		}
	}
})

// DPoP proofs that only a careless verifier takes.
var _ = check.For("RAS-DPOP-BOUND", func() {
	for _, f := range grammar.Forgeries(grammar.Proof) {
		for _, m := range f.Made {
			server.It(f.Slug(m), "refuses a proof "+m.What, func(t *server.T) {
				p := t.NewProver()
				with := forge(t, hostile.Sign(p.Proof(t)), p.Key.JSONWebKey)
				with.Public = []jose.JSONWebKey{p.JWK()} // as it stands in the header
				forged, ok := m.Of(with)
				if !ok {
					t.Skipf("it cannot be made with a key for %s", p.Key.Algorithm)
				}
				_, a := t.Beside(proven, func() *wire.Answer {
					return t.Attack(t.Quick(p.Bind(t)), server.Proofs(forged))
				})
				if server.Granted(a) {
					t.Failf("expected a refusal, but a token was granted: the signature of a DPoP proof %s, so that "+
						"a stolen ID-JAG needs no key",
						f.Title)
				}
				server.ExpectRefused(t, a, server.InvalidDPoPProof, server.InvalidGrant)
			}, check.With(needsProofs...), server.Refusal(server.InvalidDPoPProof, server.InvalidGrant),
				check.Sends("An ID-JAG bound to a key with a proof "+m.What+
					"; one with a good proof is granted before it, and one after it"))
		}
	}
})
