package idp

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
)

// forged is Alice's ID token, taken apart so that it can be made anew without the key.
func forged(t *T) *mockidp.Token {
	decoded, ok := mockidp.Decode(t.Tokens(t.Alice(), t.A()).IDToken)
	if !ok {
		t.Inconclusivef("the ID token of the sign-in cannot be decoded")
	}
	for name, v := range decoded.Claims {
		if f, isNumber := v.(float64); isNumber && f == float64(int64(f)) {
			decoded.Claims[name] = int64(f)
		}
	}
	return &mockidp.Token{Header: decoded.Header, Claims: decoded.Claims, Key: t.Stranger}
}

var idTokens = check.With(NeedsIDToken)

var _ = check.For("IDP-SUBJECT-VALIDATE", func() {
	refuses("actor-untyped", "an actor_token without its type", one(Param("actor_token", rand.Text())), check.Should(),
		check.By("RFC 8693 §2.1"))
	refuses("actor-type-alone", "an actor_token_type without an actor_token", one(Param("actor_token_type", TypeID)),
		check.Should(),
		check.By("RFC 8693 §2.1"))

	subject := func(slug, what string, make func(*T) string) {
		refuses(slug, what, func(t *T) []Option { return []Option{Subject(make(t))} }, idTokens)
	}
	It("other-client", "refuses an ID token that was issued to another client", func(t *T) {
		t.Control(By(t.B())) // b can exchange its own
		Expect(t.Attack(By(t.B()), Subject(t.Subject(t.Alice(), t.A())))).To(server.BeRefused(), "aud is another client")
	}, idTokens, check.With(NeedsB),
		check.Sends("An exchange by the second client with its own ID token, then with one of the first client."))

	It("expired", "refuses an ID token that has expired", func(t *T) {
		t.Control()
		client, token := expired(t)
		Expect(t.Attack(By(client), Subject(token))).To(server.BeRefused())
	}, idTokens, check.With(NeedsExpired),
		check.Slow(), check.Sends("An honest exchange, then one with an ID token that has expired."))

	subject("unsigned", "an ID token with alg none", func(t *T) string { return hostile.None(forged(t), "none") })
	subject("cut-signature", "an ID token without its signature", func(t *T) string {
		return hostile.WithoutSignature(t.Tokens(t.Alice(), t.A()).IDToken)
	})
	subject("changed-signature", "an ID token whose signature was changed", func(t *T) string {
		return hostile.FlipSignature(t.Tokens(t.Alice(), t.A()).IDToken)
	})
	subject("changed-claims", "an ID token whose claims were changed", func(t *T) string {
		token := forged(t)
		token.Claims["exp"] = t.Now().Add(2 * time.Hour).Unix()
		return hostile.WithPayload(t.Tokens(t.Alice(), t.A()).IDToken, token.Claims)
	})
	subject("strangers-key", "an ID token signed by a stranger under the kid of a published key", func(t *T) string {
		token := forged(t)
		token.Header["alg"] = t.Stranger.Algorithm
		return hostile.Sign(token)
	})
	subject("jwk-header", "an ID token that brings its own key", func(t *T) string {
		return hostile.WithJWK(forged(t), t.Stranger)
	})
	subject("hs256-public-key", "an ID token signed with the public key as a shared secret", func(t *T) string {
		token := forged(t)
		kid, _ := token.Header["kid"].(string)
		if err := t.Verify(t.Tokens(t.Alice(), t.A()).IDToken); err != nil { // which reads the key set
			t.Inconclusivef("the ID token does not verify: see IDP-JWKS/id-token")
		}
		set := t.Keys.Set()
		keys := set.Key(kid)
		if len(keys) == 0 {
			t.Inconclusivef("the ID token's key is not published: see IDP-JWKS/id-token")
		}
		public, err := json.Marshal(keys[0])
		Expect(err).NotTo(HaveOccurred())
		return hostile.HMAC(token, public)
	})
	subject("other-issuer", "an ID token of another identity provider", func(t *T) string {
		token := forged(t)
		token.Claims["iss"], token.Header["alg"], token.Header["kid"] = "https://other-idp.example",
			t.Stranger.Algorithm, t.Stranger.KeyID
		return hostile.Sign(token)
	})
	subject("id-jag", "an ID-JAG in place of the ID token", func(t *T) string { return t.Control().Compact })
	It("access-token", "refuses an access token in place of the ID token", func(t *T) {
		attack(t, Subject(t.Tokens(t.Alice(), t.A()).AccessToken))
	}, idTokens, check.With(NeedsAccessToken),
		check.Sends("An exchange with the access token of the sign-in, called an ID token."))
	It("refresh-token", "refuses a refresh token in place of the ID token", func(t *T) {
		attack(t, Subject(t.Tokens(t.Alice(), t.A()).RefreshToken))
	}, idTokens, check.With(NeedsRefresh),
		check.Sends("An exchange with the refresh token of the sign-in, called an ID token."))

	for slug, typ := range map[string]string{
		"type-access-token": TypeAccess, "type-refresh-token": TypeRefresh, "type-saml": TypeSAML,
		"type-unknown": "urn:example:nothing", "type-empty": "",
	} {
		refuses(slug, "an ID token that is called something else ("+
			strings.TrimPrefix(typ, "urn:ietf:params:oauth:token-type:")+")",
			one(Param("subject_token_type", typ)), idTokens)
	}
	refuses("type-missing", "a subject token without a type", one(Without("subject_token_type")))
	refuses("missing", "no subject token", one(Without("subject_token")))
	refuses("empty", "an empty subject token", one(Param("subject_token", "")))
	refuses("garbage", "a subject token that is none", func(*T) []Option {
		return []Option{Param("subject_token", rand.Text())}
	})
	It("twice", "refuses two subject tokens", func(t *T) {
		t.Control()
		Expect(t.Attack(Also("subject_token", t.Subject(t.Bob(), t.A())))).To(server.BeRefused(),
			"RFC 6749 3.2: not more than once")
	}, check.With(NeedsBob), check.Sends("An exchange with the tokens of two users."))
})

// expired is an ID token that has expired, beyond any leeway, and the client that it was issued to.
func expired(t *T) (client *config.Client, token string) {
	if path := t.Config.Expired; path != "" {
		tokens, err := signin.ReadTokens(path)
		if err != nil {
			t.Inconclusivef("expired: %v", err)
		}
		return t.A(), tokens.IDToken
	}
	k := t.Config.Client(t.Config.ShortLived)
	tokens := t.Fresh(signin.Ask{User: t.Alice(), Client: k})
	decoded, _ := mockidp.Decode(tokens.IDToken)
	exp, _ := integer(decoded.Claims["exp"])
	ends := time.Unix(exp, 0).Add(-t.Skew)
	if time.Until(ends) > 5*time.Minute {
		t.Skipf("ID tokens of %s live until %s: too long to be waited for (short_lived)", k.ID, ends.Format(time.TimeOnly))
	}
	t.Rest(time.Until(ends.Add(t.Config.Timing.Leeway)), "an ID token has expired, with leeway for clocks (timing.leeway)")
	return k, tokens.IDToken
}
