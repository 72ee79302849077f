// Package keys holds the checks of signatures, encryption and the keys of the IdP.
package keys

import (
	"crypto/rand"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// forged is a token by the attacker's key, with these members in its header besides its own alg and kid.
func forged(members func(t *server.T) map[string]any) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		server.SignedBy(t.Attacker)(honest)
		for name, value := range members(t) {
			honest.Header[name] = value
		}
		return hostile.Sign(honest)
	}
}

// compact turns a change of the finished token into one that attack takes.
func compact(change func(string) string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string { return change(hostile.Sign(honest)) }
}

var _ = check.For("RAS-SIG-VERIFY", func() {
	server.Refuses(
		server.Attack{Slug: "flipped", What: "an ID-JAG with one bit of its signature flipped",
			Craft: compact(hostile.FlipSignature)},
		server.Attack{Slug: "payload-changed", What: "an ID-JAG whose claims were changed after signing",
			Craft: func(_ *server.T, honest *server.Token) string {
				signed := hostile.Sign(honest)
				honest.Claims["jti"] = rand.Text()
				return hostile.WithPayload(signed, honest.Claims)
			}},
		server.Attack{Slug: "signature-cut", What: "an ID-JAG without its third segment",
			Craft: compact(hostile.CutSignature)},
		server.Attack{Slug: "signature-of-another", What: "an ID-JAG with the signature of another one",
			Craft: func(t *server.T, honest *server.Token) string {
				return hostile.WithSignatureOf(hostile.Sign(honest), hostile.Sign(t.Grant()))
			}},
		server.Attack{Slug: "known-kid", What: "an ID-JAG by a stranger's key, under the kid of the IdP's key",
			Craft: forged(func(t *server.T) map[string]any { return map[string]any{"kid": t.IdP.Keys.Signing().KeyID} })},
	)
	for _, member := range []string{"jku", "x5u", "kid"} {
		pointing(member)
	}

	server.It("encryption-key", "refuses a signature by a key that the IdP publishes for encryption", func(t *server.T) {
		mustNotVerify(t, func(g *garden) *weed { return g.encrypting })
	}, inYear(spring, "The IdP publishes one more key, with use enc; ID-JAGs signed with it, between honest ones"))

	server.It("encryption-ops", "refuses a signature by a key whose key_ops are of encryption", func(t *server.T) {
		mustNotVerify(t, func(g *garden) *weed { return g.forOps })
	}, check.Should(), inYear(spring, "The IdP publishes one more key, with key_ops encrypt and wrapKey; ID-JAGs signed "+
		"with it, between honest ones"))
})

// pointing declares the check of who fetches what a header member points at. Whether the key there is taken is judged
// beside the other forgeries (package identifiers).
func pointing(member string) {
	server.It(member+"-fetch", "fetches nothing from the URL in an ID-JAG's "+member, func(t *server.T) {
		t.Control(t.Grant())
		id := rand.Text()
		where := t.Canary + "/" + id + "/jwks"
		if member == "x5u" {
			where = t.PublishChain(id)
		}
		t.Attack(forged(func(*server.T) map[string]any { return map[string]any{member: where} })(t, t.Grant()))
		server.ExpectNoHit(t, id)
	}, check.Should(), check.With(server.NeedsCanary),
		check.Sends("An ID-JAG by a stranger's key whose "+member+" is that key's URL, after an honest one"))
}

// mustTakeES256 is a key of the IdP for ES256, when there is one and the target takes the algorithm.
func mustTakeES256(t *server.T) *mockidp.Key {
	for _, key := range t.IdP.Keys.Keys {
		if key.Algorithm != string(jose.ES256) {
			continue
		}
		if a := t.Redeem(t.Grant(server.SignedBy(key))); !server.Granted(a) {
			t.Skipf("the server does not take ES256: %s", a.Summary())
		}
		return key
	}
	t.Skipf("the IdP has no key for ES256 (idp.keys)")
	return nil
}

var _ = check.For("RAS-SIG-VERIFY", func() {
	server.It("verified-before", "verifies the signature of an ID-JAG again that it has seen before", func(t *server.T) {
		t.Control(t.Grant())
		seen := hostile.Sign(t.Grant())
		t.Redeem(seen, server.As(t.Client(1))) // refused, though its signature is good
		server.ExpectRefused(t, t.Attack(hostile.FlipSignature(seen)))
	}, check.With(server.NeedsSecondClient),
		check.Sends("An ID-JAG that another client presents, then by its own client with a spoiled signature, after "+
			"an honest one as control"))
})

var _ = check.For("RAS-SIG-VERIFY", func() {
	server.RefusesFromOthers("other-clients",
		server.Attack{What: "an ID-JAG by a stranger's key, under the kid of the IdP's key",
			Craft: forged(func(t *server.T) map[string]any { return map[string]any{"kid": t.IdP.Keys.Signing().KeyID} })},
		server.Attack{What: "an ID-JAG with one bit of its signature flipped", Craft: compact(hostile.FlipSignature)},
		server.Attack{What: "an ID-JAG with an empty signature", Craft: compact(hostile.WithoutSignature)})
})
