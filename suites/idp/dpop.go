package idp

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
)

// proof is an honest DPoP proof for an exchange, not yet signed (RFC 9449 section 4.2), with the nonce that is wanted
// (section 8).
func proof(t *T) *mockidp.Token {
	fresh := func() *mockidp.Token {
		p := mockidp.NewToken(t.Stranger, "dpop+jwt", map[string]any{
			"htm": "POST", "htu": t.Provider.Token, "jti": rand.Text(), "iat": t.Now().Unix(),
		})
		delete(p.Header, "kid")
		p.Header["jwk"] = t.Stranger.Public()
		return p
	}
	nonce := t.Facts.Find("DPoP nonce", func() string {
		a := t.Present("does it want a nonce in proofs?", Header("DPoP", hostile.Sign(fresh())))
		if a.String("error") != "use_dpop_nonce" {
			return ""
		}
		return a.Header.Get("DPoP-Nonce")
	})
	p := fresh()
	if nonce != "" {
		p.Claims["nonce"] = nonce
	}
	return p
}

func thumbprint(k *mockidp.Key) string {
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err) // our own key
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func bound(g *Grant) any {
	cnf, _ := g.Claims["cnf"].(map[string]any)
	return cnf["jkt"]
}

var _ = check.For("IDP-DPOP", func() {
	needs := check.With(NeedsMetadata("dpop_signing_alg_values_supported"))
	It("bound", "binds the grant to the key of a good proof", func(t *T) {
		Expect(bound(t.Control(Header("DPoP", hostile.Sign(proof(t)))))).To(Equal(thumbprint(t.Stranger)), "cnf.jkt")
	}, needs, check.Must(), check.Sends("An exchange with a DPoP proof."))
	It("unbound", "binds no grant to a key when there is no proof", func(t *T) {
		Expect(bound(t.Control())).To(BeNil(), "cnf.jkt")
	}, needs, check.Must(), honest)

	bad := func(slug, what string, spoil func(*T, *mockidp.Token) string) {
		It(slug, "refuses a proof "+what, func(t *T) {
			t.Control(Header("DPoP", hostile.Sign(proof(t))))
			a := t.Attack(Header("DPoP", spoil(t, proof(t))))
			Expect(a).To(server.BeRefused())
			codes(t, a, "invalid_dpop_proof", "invalid_request")
		}, needs, check.Must(), check.Sends("An exchange with a good proof, then one with a proof "+what+"."))
	}
	claim := func(name string, value any) func(*T, *mockidp.Token) string {
		return func(_ *T, p *mockidp.Token) string {
			p.Claims[name] = value
			return hostile.Sign(p)
		}
	}
	dated := func(ahead time.Duration) func(*T, *mockidp.Token) string {
		return func(t *T, p *mockidp.Token) string {
			p.Claims["iat"] = t.Now().Add(ahead).Unix()
			return hostile.Sign(p)
		}
	}
	bad("wrong-htu", "for another URL", claim("htu", "https://other.example/token"))
	bad("wrong-htm", "for another method", claim("htm", "GET"))
	bad("old", "that is an hour old", dated(-time.Hour))
	bad("future", "from the next hour", dated(time.Hour))
	bad("no-jti", "without jti", func(_ *T, p *mockidp.Token) string {
		delete(p.Claims, "jti")
		return hostile.Sign(p)
	})
	bad("wrong-typ", "that is not typed as one", func(_ *T, p *mockidp.Token) string {
		p.Header["typ"] = "JWT"
		return hostile.Sign(p)
	})
	bad("bad-signature", "whose signature was changed", func(_ *T, p *mockidp.Token) string {
		return hostile.FlipSignature(hostile.Sign(p))
	})
	bad("other-key", "signed by another key than it brings", func(_ *T, p *mockidp.Token) string {
		other, err := mockidp.NewKey(jose.ES256)
		Expect(err).NotTo(HaveOccurred())
		p.Key = other
		return hostile.Sign(p)
	})
	bad("private-key", "that brings its private key", func(t *T, p *mockidp.Token) string {
		p.Header["jwk"] = t.Stranger.JSONWebKey
		return hostile.Sign(p)
	})
	bad("unsigned", "that nobody signed", func(_ *T, p *mockidp.Token) string { return hostile.None(p, "none") })
	It("reused", "refuses a proof that it has seen before", func(t *T) {
		same := Header("DPoP", hostile.Sign(proof(t)))
		t.Control(same)
		Expect(t.Attack(same)).To(server.BeRefused())
	}, needs, check.Must(), check.Sends("The same proof, twice."))
	It("two-proofs", "refuses two proofs", func(t *T) {
		t.Control(Header("DPoP", hostile.Sign(proof(t))))
		Expect(t.Attack(Header("DPoP", hostile.Sign(proof(t))),
			Header("DPoP", hostile.Sign(proof(t))))).To(server.BeRefused(), "RFC 9449 4.3")
	}, needs, check.Must(), check.Sends("An exchange with two DPoP headers."))
})
