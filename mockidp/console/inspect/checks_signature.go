package inspect

import (
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// allowed are the signature algorithms that a RAS may take: asymmetric ones (RFC 7518 section 3.1, RFC 8037 section
// 3.1).
var allowed = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func rightAlgorithm(t *token, idp Provider) (Outcome, string) {
	value, there := t.header.get("alg")
	alg, isText := value.(string)
	switch {
	case !there:
		return Problem, "There is no alg."
	case !isText:
		return Problem, "alg is " + kindOf(value) + "."
	case !slices.Contains(allowed, alg):
		return Problem, "Only signatures with a private key count; none and HMAC (HS256…) are open to anyone."
	}
	for _, k := range t.keys(idp) {
		if k.Algorithm != "" && k.Algorithm != alg {
			return Problem, "The key with this kid is for " + k.Algorithm + "."
		}
	}
	return OK, ""
}

// plainHeader looks for members by which a token tries to say how it is to be verified.
func plainHeader(t *token, _ Provider) (Outcome, string) {
	if _, there := t.header.get("crit"); there {
		return Problem, "crit is there: an ID-JAG has no extension that a RAS would understand."
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c"} {
		if _, there := t.header.get(name); there {
			return Depends, name + " is there. It is ignored: keys come from the issuer's JWKS alone."
		}
	}
	return OK, ""
}

// keys are the issuer's keys that the header's kid names.
func (t *token) keys(idp Provider) []jose.JSONWebKey {
	set, _ := idp.Keys(t.claims.text("iss"))
	return set.Key(t.header.text("kid"))
}

func knownKey(t *token, idp Provider) (Outcome, string) {
	_, ours := idp.Keys(t.claims.text("iss"))
	value, there := t.header.get("kid")
	switch {
	case !ours:
		return Problem, "The issuer's keys are not known here."
	case !there:
		return Problem, "There is no kid: a RAS with several keys of this issuer cannot tell which."
	case len(t.keys(idp)) == 0:
		return Problem, "No key of this issuer has it. Was it withdrawn, or is the token from another run of this " +
			"identity provider?"
	}
	return OK, "It is " + sayKey(t, value, idp) + "."
}

func goodSignature(t *token, idp Provider) (Outcome, string) {
	keys := t.keys(idp)
	if outcome, _ := rightAlgorithm(t, idp); outcome == Problem || len(keys) == 0 {
		return Problem, "It cannot be verified: see alg, iss and kid."
	}
	algorithm := jose.SignatureAlgorithm(t.header.text("alg"))
	signed, err := jose.ParseSignedCompact(t.compact, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return Problem, "It is not a signature in the form that alg wants."
	}
	if _, err := signed.Verify(keys[0]); err != nil {
		return Problem, "It does not: the token was changed after it was signed, or signed with another key."
	}
	return OK, ""
}
