package ras

import (
	"slices"

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
	refuses(
		attack{slug: "none", what: "an unsigned ID-JAG with alg none", craft: unsecured("none")},
		attack{slug: "none-capital", what: "an unsigned ID-JAG with alg None", craft: unsecured("None")},
		attack{slug: "none-upper", what: "an unsigned ID-JAG with alg NONE", craft: unsecured("NONE")},
		attack{slug: "none-mixed", what: "an unsigned ID-JAG with alg nOnE", craft: unsecured("nOnE")},
		attack{slug: "none-empty", what: "an unsigned ID-JAG with an empty alg", craft: unsecured("")},
		attack{slug: "hmac-pem", what: "an HMAC keyed with the IdP's public key in PEM", craft: hmacWith("pem-pkix")},
		attack{slug: "hmac-pkcs1", what: "an HMAC keyed with the IdP's RSA key in PKCS #1 PEM", craft: hmacWith("pem-pkcs1")},
		attack{slug: "hmac-der", what: "an HMAC keyed with the IdP's public key in DER", craft: hmacWith("der")},
		attack{slug: "hmac-jwk", what: "an HMAC keyed with the IdP's public key as JSON", craft: hmacWith("jwk")},
		attack{slug: "hmac-number", what: "an HMAC keyed with the bare number of the IdP's public key, its modulus or x",
			craft: hmacWith("modulus", "x")},
		attack{slug: "hmac-client-secret", what: "an HMAC keyed with the client's own secret",
			craft: func(t *server.T, honest *server.Token) string {
				return hostile.HMAC(honest, []byte(t.Client(0).Secret))
			}, options: []check.Option{check.With(needsSecret)}},
		attack{slug: "missing", what: "a signed ID-JAG without alg", craft: labelled(nil)},
		attack{slug: "unknown", what: "a signed ID-JAG whose alg does not exist", craft: labelled("XS256")},
		attack{slug: "number", what: "a signed ID-JAG whose alg is a number", craft: labelled(256)},
		attack{slug: "case", what: "a signed ID-JAG whose alg is in another case",
			craft: func(_ *server.T, honest *server.Token) string {
				honest.Header["alg"] = otherCase(honest.Key.Algorithm)
				return hostile.Sign(honest)
			}},
	)

	server.It("other-key-type", "refuses an ID-JAG whose alg does not fit the key that its kid names", func(t *server.T) {
		key := mustTakeES256(t)
		expectRefused(t, t.Attack(hostile.Sign(t.Grant(signedBy(key), server.SetHeader("alg", "RS256")))))
	}, check.Sends("An ID-JAG signed with ES256 as control, then one by the same key with RS256 in its header"))
})
