package signin

import (
	"fmt"
	"sync"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/go-jose/go-jose/v4"
)

func editIDToken(edit func(*mockidp.Token)) func(*world.World) {
	return func(w *world.World) { w.IdP.EditIDToken = edit }
}

func idTokenUnused(why string) func(*T) {
	return func(t *T) { t.MustNotExchange(why + " (OpenID Connect Core 3.1.3.7)") }
}

var _ = check.For("CL-IDTOKEN-VALIDATE", func() {
	It("audience", "does not use an ID token for another client",
		Login.But("An ID token whose aud is another client",
			editIDToken(
				func(t *mockidp.Token) { t.Claims["aud"] = "another-client" },
			)).From(GotIDToken),
		idTokenUnused("aud is another client"))
	It("issuer", "does not use an ID token of another issuer",
		Login.But("An ID token whose iss is another identity provider",
			editIDToken(
				func(t *mockidp.Token) { t.Claims["iss"] = "https://idp.attacker.example" },
			)).From(GotIDToken),
		idTokenUnused("iss is another issuer"))
	It("expired", "does not use an ID token that has expired",
		Login.But("An ID token that expired an hour ago",
			editIDToken(Expire)).From(GotIDToken),
		idTokenUnused("exp is over"))
	It("authorized-party", "does not use an ID token that was issued to another client",
		Login.But("An ID token whose azp is another client",
			editIDToken(func(t *mockidp.Token) {
				t.Claims["aud"] = []string{world.IdPClientID, "another-client"}
				t.Claims["azp"] = "another-client"
			})).From(GotIDToken),
		idTokenUnused("azp is another client"))
	It("signature", "does not use an ID token whose signature is bad",
		Login.But("An ID token with one bit of its signature changed",
			func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.FlipSignature(hostile.Sign(t)) }
			}).From(GotIDToken),
		idTokenUnused("its signature is not the issuer's, and no TLS stands in for it"), check.Should())
	It("unsigned", "does not use an unsigned ID token",
		Login.But("An ID token with alg none",
			func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.None(t, "none") }
			}).From(GotIDToken),
		idTokenUnused("it is not signed, and no TLS stands in for it"), check.Should())
	It("issuer-slash", "does not use an ID token whose issuer has a slash more",
		Login.But("An ID token whose iss has a slash behind it",
			editIDToken(func(t *mockidp.Token) { t.Claims["iss"] = fmt.Sprint(t.Claims["iss"]) + "/" })).From(GotIDToken),
		idTokenUnused("iss is not the issuer, character by character"), check.Should())
	It("missing-nonce", "does not use an ID token without the nonce that it sent",
		Login.But("An ID token without nonce", editIDToken(func(t *mockidp.Token) {
			delete(t.Claims, "nonce")
		})).From(GotIDToken),
		when("nonce", idTokenUnused("the nonce that was sent is missing")))
	for _, f := range forgeries {
		It(f.slug, "does not use an ID token "+f.title,
			Login.But(f.meets, forge(f.make)).From(GotIDToken),
			func(t *T) { verifies(t, f.why) })
	}
	for _, f := range grammar.Forgeries(grammar.IDToken) {
		for _, m := range f.Made {
			if f.ID == "none" && m.Slug == "mixed" {
				continue // none-case
			}
			It(f.Slug(m), "does not use an ID token "+m.What,
				Login.But("An ID token "+m.What, forge(func(t *mockidp.Token) string { return forged(t, m) })).From(GotIDToken),
				func(t *T) { verifies(t, "its signature "+f.Title) })
		}
	}
	It("hs256-secret", "does not use an ID token that is authenticated with its own secret",
		LoginConfidential.But("An ID token with an HMAC by the client's secret, from an IdP whose keys are for signatures",
			forgeIn(func(w *world.World, t *mockidp.Token) string {
				return hostile.HMAC(t, []byte(w.IdPClientSecret))
			})).From(GotIDToken),
		idTokenUnused("it is not signed with a key of the issuer"), check.Should())
	It("refresh-other-user", "does not use an ID token of another user that a refresh brings",
		Refresh.But("An ID token that has expired, beside a refresh token that yields another user's ID token",
			func(w *world.World) {
				w.IdP.EditGiven = Expire
				w.IdP.EditIDToken = func(t *mockidp.Token) { t.Claims["sub"] = world.Mallory }
			}).From(Refreshed),
		func(t *T) {
			if len(t.Refreshes()) == 0 {
				t.Skipf("the client does not use its refresh token: see CL-EXPIRED-IDTOKEN/refresh")
			}
			t.MustNotExchange("the ID token is another user's (OpenID Connect Core 12.2)")
		})
})

// forgeries are ID tokens that only a client takes whose verification of signatures can be got round.
var forgeries = []struct {
	slug, title, meets, why string
	make                    func(*mockidp.Token) string
}{
	{"jwk-header", "that brings its own key", "An ID token that is signed with the key in its header (jwk)",
		"the key in its header is nobody's", func(t *mockidp.Token) string { return hostile.WithJWK(t, strangersKey()) }},
	{"unknown-kid", "of an unknown key", "An ID token that is signed with a key that the IdP does not publish",
		"the IdP publishes no such key", func(t *mockidp.Token) string {
			t.Key, t.Header["kid"] = strangersKey(), "unknown"
			return hostile.Sign(t)
		}},
	{"none-case", "with alg None", "An ID token without signature, whose alg is nOnE", "it is not signed",
		func(t *mockidp.Token) string { return hostile.None(t, "nOnE") }},
}

// forged is the ID token after a forgery, as it is where it cannot be made.
func forged(t *mockidp.Token, m grammar.Made) string {
	if compact, ok := m.Of(grammar.Forge{Honest: *t, Public: []jose.JSONWebKey{t.Key.Public()},
		Stranger: strangersKey()}); ok {
		return compact
	}
	return hostile.FlipSignature(hostile.Sign(t))
}

// strangersKey is a key that no identity provider has.
var strangersKey = sync.OnceValue(func() *mockidp.Key {
	keys, err := mockidp.NewKeySet(jose.ES256)
	if err != nil {
		panic(err) // the system gives no random numbers
	}
	return keys.Signing()
})

func forge(as func(*mockidp.Token) string) func(*world.World) {
	return func(w *world.World) { w.IdP.Forge = as }
}

func forgeIn(as func(*world.World, *mockidp.Token) string) func(*world.World) {
	return func(w *world.World) { w.IdP.Forge = func(t *mockidp.Token) string { return as(w, t) } }
}

// verifies fails when a forged ID token was used by a client that verifies signatures, and warns when it verifies none:
// who has the token straight from the token endpoint may rely on TLS (OpenID Connect Core 3.1.3.7), which is not there.
func verifies(t *T, why string) {
	if len(t.Exchanges()) == 0 {
		t.MustNotExchange(why)
		return
	}
	flipped := t.Also(forge(func(token *mockidp.Token) string { return hostile.FlipSignature(hostile.Sign(token)) }))
	if flipped == nil || len(flipped.Exchanges()) > 0 {
		t.Warnf("expected the client to drop the ID token: %s. But it used it, for it verifies no signature at all", why)
		return
	}
	t.Failf("expected the client to drop the ID token: %s. But it used it, though it refuses a bad signature", why)
}
