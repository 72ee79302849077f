package keys

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// hmacWith is the ID-JAG under an HMAC whose secret is the IdP's public key, written in one of these forms.
func hmacWith(forms ...string) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		for _, f := range hostile.PublicKeyForms(honest.Key) {
			if slices.Contains(forms, f.Name) {
				return hostile.HMAC(honest, f.Bytes)
			}
		}
		t.Skipf("a key for %s is not written in this form", honest.Key.Algorithm)
		return ""
	}
}

// unsecured is the ID-JAG with this alg and no signature.
func unsecured(alg string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string { return hostile.None(honest, alg) }
}

// labelled is the ID-JAG with a good signature and an alg that does not say how it was made; nil is no alg.
func labelled(alg any) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		honest.Header["alg"] = alg
		if alg == nil {
			delete(honest.Header, "alg")
		}
		return hostile.Sign(honest)
	}
}

var _ = check.For("RAS-SIG-ALG", func() {
	server.Refuses(
		server.Attack{Slug: "none", What: "an unsigned ID-JAG with alg none", Craft: unsecured("none")},
		server.Attack{Slug: "none-empty", What: "an unsigned ID-JAG with an empty alg", Craft: unsecured("")},
		server.Attack{Slug: "hmac-pem", What: "an HMAC keyed with the IdP's public key in PEM", Craft: hmacWith("pem-pkix")},
		server.Attack{Slug: "hmac-pkcs1", What: "an HMAC keyed with the IdP's RSA key in PKCS #1 PEM",
			Craft: hmacWith("pem-pkcs1")},
		server.Attack{Slug: "hmac-der", What: "an HMAC keyed with the IdP's public key in DER", Craft: hmacWith("der")},
		server.Attack{Slug: "hmac-jwk", What: "an HMAC keyed with the IdP's public key as JSON", Craft: hmacWith("jwk")},
		server.Attack{Slug: "hmac-number", What: "an HMAC keyed with the bare number of the IdP's public key, its " +
			"modulus or x",
			Craft: hmacWith("modulus", "x")},
		server.Attack{Slug: "hmac-client-secret", What: "an HMAC keyed with the client's own secret",
			Craft: func(t *server.T, honest *server.Token) string {
				return hostile.HMAC(honest, []byte(t.Client(0).Secret))
			}, Options: []check.Option{check.With(server.NeedsSecret)}},
		server.Attack{Slug: "missing", What: "a signed ID-JAG without alg", Craft: labelled(nil)},
		server.Attack{Slug: "unknown", What: "a signed ID-JAG whose alg does not exist", Craft: labelled("XS256")},
		server.Attack{Slug: "number", What: "a signed ID-JAG whose alg is a number", Craft: labelled(256)},
	)

	server.It("other-key-type", "refuses an ID-JAG whose alg does not fit the key that its kid names", func(t *server.T) {
		key := mustTakeES256(t)
		server.ExpectRefused(t, t.Attack(hostile.Sign(t.Grant(server.SignedBy(key), server.SetHeader("alg", "RS256")))))
	}, check.Sends("An ID-JAG signed with ES256 as control, then one by the same key with RS256 in its header"))
})

// emptySecret is an ID-JAG under an HMAC with an empty secret.
func emptySecret(kid func(j *server.Token)) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		kid(honest)
		return hostile.HMAC(honest, nil)
	}
}

var _ = check.For("RAS-SIG-ALG", func() {
	server.Refuses(
		server.Attack{Slug: "hmac-empty", What: "an HMAC under an empty secret", Craft: emptySecret(func(*server.Token) {})},
		server.Attack{Slug: "hmac-empty-no-kid", What: "an HMAC under an empty secret, without kid",
			Craft: emptySecret(func(j *server.Token) { delete(j.Header, "kid") })},
		server.Attack{Slug: "hmac-empty-unknown", What: "an HMAC under an empty secret, with an unknown kid",
			Craft: emptySecret(func(j *server.Token) { j.Header["kid"] = rand.Text() })},
	)
	for _, alg := range []string{"PS256", "RS512"} {
		server.It("sibling-"+strings.ToLower(alg), "refuses "+alg+
			" by a key that is published for another algorithm", func(t *server.T) {
			t.Control(t.Grant())
			key := *t.IdP.Keys.Signing()
			if key.Algorithm != "RS256" {
				t.Skipf("the IdP signs with %s, which has no sibling (idp.alg)", key.Algorithm)
			}
			key.Algorithm = alg
			server.ExpectRefused(t, t.Attack(t.Grant(server.SignedBy(&key))))
		}, check.By("RFC 8725 §3.1"), server.Refusal(),
			check.Sends("An honest ID-JAG as control, then one that the same key has signed with "+alg+
				", though the JWKS names RS256"))
	}
})
