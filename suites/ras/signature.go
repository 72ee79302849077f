package ras

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// signedBy lets another key sign, under its own name.
func signedBy(key *mockidp.Key) server.Edit {
	return func(j *server.Token) {
		j.Key = key
		j.Header["alg"], j.Header["kid"] = key.Algorithm, key.KeyID
	}
}

// forged is a token by the attacker's key, with these members in its header besides its own alg and kid.
func forged(members func(t *server.T) map[string]any) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		signedBy(t.Attacker)(honest)
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

// emptyKey is a kid that leads a careless look-up to a key of no bytes, and the HMAC under that key.
func emptyKey(kid string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		honest.Header["kid"] = kid
		return hostile.HMAC(honest, nil)
	}
}

var _ = check.For("RAS-SIG-VERIFY", func() {
	refuses(
		attack{slug: "flipped", what: "an ID-JAG with one bit of its signature flipped",
			craft: compact(hostile.FlipSignature)},
		attack{slug: "payload-changed", what: "an ID-JAG whose claims were changed after signing",
			craft: func(_ *server.T, honest *server.Token) string {
				signed := hostile.Sign(honest)
				honest.Claims["jti"] = rand.Text()
				return hostile.WithPayload(signed, honest.Claims)
			}},
		attack{slug: "signature-empty", what: "an ID-JAG with an empty signature", craft: compact(hostile.WithoutSignature)},
		attack{slug: "signature-cut", what: "an ID-JAG without its third segment", craft: compact(hostile.CutSignature)},
		attack{slug: "signature-of-another", what: "an ID-JAG with the signature of another one",
			craft: func(t *server.T, honest *server.Token) string {
				return hostile.WithSignatureOf(hostile.Sign(honest), hostile.Sign(t.Grant()))
			}},
		attack{slug: "unknown-key", what: "an ID-JAG by a stranger's key, under its own kid",
			craft: forged(func(*server.T) map[string]any { return nil })},
		attack{slug: "known-kid", what: "an ID-JAG by a stranger's key, under the kid of the IdP's key",
			craft: forged(func(t *server.T) map[string]any { return map[string]any{"kid": t.IdP.Keys.Signing().KeyID} })},
		attack{slug: "jwk", what: "an ID-JAG that carries the key to verify it in jwk",
			craft: func(t *server.T, honest *server.Token) string { return hostile.WithJWK(honest, t.Attacker) }},
		attack{slug: "x5c", what: "an ID-JAG that carries a certificate to verify it in x5c",
			craft: func(t *server.T, honest *server.Token) string { return hostile.WithX5C(honest, t.Attacker) }},
		attack{slug: "kid-path", what: "an HMAC under no key, with a kid that is the path of an empty file",
			craft: emptyKey("../../../../../../../dev/null")},
		attack{slug: "kid-sql", what: "an HMAC under no key, with a kid that makes an SQL query yield an empty key",
			craft: emptyKey("' UNION SELECT '' -- ")},
	)
	for _, member := range []string{"jku", "x5u", "kid"} {
		pointing(member)
	}

	server.It("ecdsa-zero", "refuses an ECDSA signature of r = s = 0", func(t *server.T) {
		key := mustTakeES256(t)
		expectRefused(t, t.Attack(hostile.ZeroSignature(t.Grant(signedBy(key)))))
	}, check.Sends("An ID-JAG signed with ES256 as control, then one with a signature of zeros (CVE-2022-21449)"))

	server.It("ecdsa-der", "refuses an ECDSA signature in ASN.1", func(t *server.T) {
		key := mustTakeES256(t)
		expectRefused(t, t.Attack(hostile.DERSignature(t.Grant(signedBy(key)))))
	}, check.Sends("An ID-JAG signed with ES256 as control, then one whose signature is in DER (not as in RFC 7518 3.4)"))

	server.It("encryption-key", "refuses a signature by a key that the IdP publishes for encryption", func(t *server.T) {
		b := inSpring(t)
		t.Control(t.Grant())
		if !b.picked {
			t.Inconclusivef("the target does not pick up new keys: see RAS-JWKS-ROTATION/new-key")
		}
		expectRefused(t, t.Attack(t.Grant(signedBy(b.enc))))
	}, changesKeys(spring, "The IdP publishes one more key, with use enc; ID-JAGs signed with it, after an honest one as control"))
})

// pointing declares the checks of a header member that says where the key is: at the attacker's host. One judges the
// answer, the other whether the target went there.
func pointing(member string) {
	sends := check.Sends("An ID-JAG by a stranger's key whose " + member + " is that key's URL, after an honest one")
	server.It(member, "refuses an ID-JAG whose "+member+" points at the key to verify it", func(t *server.T) {
		expectRefused(t, attackPointing(t, member, rand.Text()))
	}, check.With(server.NeedsCanary), sends)

	server.It(member+"-fetch", "fetches nothing from the URL in an ID-JAG's "+member, func(t *server.T) {
		id := rand.Text()
		attackPointing(t, member, id)
		expectNoHit(t, id)
	}, check.Should(), check.With(server.NeedsCanary), sends)
}

func attackPointing(t *server.T, member, id string) *wire.Answer {
	t.Control(t.Grant())
	document := "jwks"
	if member == "x5u" {
		document = "chain.pem"
		mustControl(t, t.World.Control.Publish(t, id, document, mockidp.Reply{
			Header: map[string]string{"Content-Type": "application/pem-certificate-chain"}, Body: certificate(t)}))
	}
	return t.Attack(forged(func(*server.T) map[string]any {
		return map[string]any{member: t.Canary + "/" + id + "/" + document}
	})(t, t.Grant()))
}

// certificate is a self-signed one for the attacker's key, in PEM.
func certificate(t *server.T) string {
	first, _, _ := strings.Cut(hostile.WithX5C(t.Grant(), t.Attacker), ".")
	var header struct {
		X5C [][]byte `json:"x5c"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		err = json.Unmarshal(raw, &header)
	}
	if err != nil {
		panic(err) // our own token
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: header.X5C[0]}))
}

// expectNoHit fails when the target asked the attacker's host for anything below this id (RFC 8725 3.10).
func expectNoHit(t *server.T, id string) {
	hits, err := t.World.Control.Hits(t, id)
	mustControl(t, err)
	if len(hits) > 0 {
		t.Failf("the target sent %s %s to a host that it has no reason to trust: whoever sends a token makes it fetch any "+
			"URL, inside its network as well (RFC 8725 3.10)", hits[0].Method, wire.Printable(hits[0].Path, 120))
	}
}

// mustControl ends the check when our own identity provider does not do as it is told.
func mustControl(t *server.T, err error) {
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
}

// mustTakeES256 is a key of the IdP for ES256, when there is one and the target takes the algorithm.
func mustTakeES256(t *server.T) *mockidp.Key {
	for _, key := range t.IdP.Keys.Keys {
		if key.Algorithm != string(jose.ES256) {
			continue
		}
		if a := t.Redeem(t.Grant(signedBy(key))); !server.Granted(a) {
			t.Skipf("the server does not take ES256: %s", a.Summary())
		}
		return key
	}
	t.Skipf("the IdP has no key for ES256 (idp.keys)")
	return nil
}
