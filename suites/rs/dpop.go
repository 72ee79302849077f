package rs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// bound is an access token that is bound to a key, used once with a good proof as control.
func bound(t *server.T) (p server.Prover, token string) {
	p = t.NewProver()
	a := t.Control(t.Grant(p.Bind(t)), p.Proving(t))
	token = a.String("access_token")
	use := t.Try(p.Using(t, t.Knock(""), token))
	if !server.LetIn(use) {
		t.Skipf("the MCP server takes no DPoP-bound tokens (%s), though the RAS issues them", use.Summary())
	}
	return p, token
}

func athOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// misuses are ways to present a token that is bound to a key without proving it (RFC 9449 sections 4.3 and 7.1).
var misuses = []struct {
	slug, what string
	request    func(t *server.T, p server.Prover, token string) *wire.Request
}{
	{"dpop-as-bearer", "a token that is bound to a key, as Bearer without a proof",
		func(t *server.T, _ server.Prover, token string) *wire.Request { return t.Knock(token) }},
	{"dpop-bearer-proof", "a token that is bound to a key, as Bearer with a good proof",
		func(t *server.T, p server.Prover, token string) *wire.Request {
			r := p.Using(t, t.Knock(""), token)
			r.Header.Set("Authorization", "Bearer "+token)
			return r
		}},
	{"dpop-no-proof", "a token that is bound to a key, without a proof",
		func(t *server.T, _ server.Prover, token string) *wire.Request {
			r := t.Knock("")
			r.Header.Set("Authorization", "DPoP "+token)
			return r
		}},
	{"dpop-other-key", "a token that is bound to a key, with a proof of another key",
		func(t *server.T, _ server.Prover, token string) *wire.Request {
			return t.NewProver().Using(t, t.Knock(""), token)
		}},
	{"dpop-other-token", "a proof that was made for another token (ath)",
		func(t *server.T, p server.Prover, token string) *wire.Request {
			return p.Using(t, t.Knock(""), token, server.Set("ath", athOf(rand.Text())))
		}},
	{"dpop-no-ath", "a proof that was made for no token (ath)",
		func(t *server.T, p server.Prover, token string) *wire.Request {
			return p.Using(t, t.Knock(""), token, server.Remove("ath"))
		}},
	{"dpop-other-url", "a proof that was made for the token endpoint",
		func(t *server.T, p server.Prover, token string) *wire.Request {
			return p.Using(t, t.Knock(""), token, server.Set("htu", t.Target.TokenEndpoint))
		}},
	{"dpop-other-method", "a proof that was made for another method",
		func(t *server.T, p server.Prover, token string) *wire.Request {
			return p.Using(t, t.Knock(""), token, server.Set("htm", http.MethodGet))
		}},
}

var _ = check.For("RS-TOKEN-AUD", func() {
	for _, m := range misuses {
		server.It(m.slug, "refuses "+m.what, server.InEach(func(t *server.T) {
			p, token := bound(t)
			Expect(t.Break(m.request(t, p, token))).To(server.BeUnauthorized(),
				"who has copied the token must not be able to use it (RFC 9449 7.1)")
		}), check.By("RFC 9449 §7"), check.With(server.NeedsMetadata(server.ProofAlgorithms)),
			check.Sends("A token that is bound to a key with a proof of it as control, then "+m.what))
	}
})

// proofLife is how far from now a proof may be dated.
const proofLife = 5 * time.Minute

var _ = check.For("RS-DPOP", func() {
	for slug, by := range map[string]time.Duration{"old-proof": -2 * proofLife, "future-proof": 2 * proofLife} {
		server.It(slug, "refuses a DPoP proof that is dated ten minutes off", server.InEach(func(t *server.T) {
			p, token := bound(t)
			r := p.Using(t, t.Knock(""), token, server.Set("iat", t.Now().Add(by).Unix()))
			Expect(t.Break(r)).To(server.BeUnauthorized(), "a proof is good for five minutes: one that was copied "+
				"works for ever otherwise")
		}), check.With(server.NeedsMetadata(server.ProofAlgorithms)),
			check.Sends("A token that is bound to a key with a proof of it as control, then a proof whose iat is ten "+
				"minutes off"))
	}
})
