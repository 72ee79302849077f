package ras

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

const proofAlgorithms = "dpop_signing_alg_values_supported"

// prover is a client's key for DPoP proofs (RFC 9449).
type prover struct{ key *mockidp.Key }

// newProver makes a key for an algorithm that the target announces, ES256 where it announces none.
func newProver(t *server.T) prover {
	alg := jose.ES256
	for _, known := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.EdDSA, jose.ES256} {
		if t.Target.Lists(proofAlgorithms, string(known)) {
			alg = known // the last one is the cheapest
		}
	}
	key, err := mockidp.NewKey(alg)
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	return prover{key}
}

// jwk is the public key as it stands in a proof's header.
func (p prover) jwk() jose.JSONWebKey { return jose.JSONWebKey{Key: p.key.Public().Key} }

// jkt is the key's thumbprint, as it stands in cnf (RFC 9449 section 6.1).
func (p prover) jkt(t *server.T) string {
	sum, err := p.key.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// bind returns an edit that binds an ID-JAG to the key.
func (p prover) bind(t *server.T) server.Edit {
	return server.Set("cnf", map[string]any{"jkt": p.jkt(t)})
}

// proof makes a proof for the token endpoint, not yet signed (RFC 9449 section 4.2).
func (p prover) proof(t *server.T, edits ...server.Edit) *server.Token {
	token := mockidp.NewToken(p.key, "dpop+jwt", map[string]any{
		"htm": http.MethodPost, "htu": t.Target.TokenEndpoint, "iat": t.Now().Unix(), "jti": rand.Text(),
	})
	delete(token.Header, "kid")
	token.Header["jwk"] = p.jwk()
	if t.DPoPNonce != "" {
		token.Claims["nonce"] = t.DPoPNonce
	}
	for _, e := range edits {
		e(token)
	}
	return token
}

// proving sends a fresh honest proof.
func (p prover) proving(t *server.T) server.RedeemOption {
	return func(r *server.Redemption) { withProofs(hostile.Sign(p.proof(t)))(r) }
}

// withProofs sends these proofs, a header each.
func withProofs(proofs ...string) server.RedeemOption {
	return func(r *server.Redemption) {
		for _, proof := range proofs {
			r.Header.Add("DPoP", proof)
		}
	}
}

// badProofs are proofs that prove nothing. used is the proof that the control has sent.
var badProofs = []struct {
	slug, what string
	make       func(t *server.T, p prover, used string) []string
	options    []check.Option
}{
	{"htu", "a proof for another URL", changedProof(server.Set("htu", otherIssuer+"/token")), nil},
	{"htm", "a proof for another method", changedProof(server.Set("htm", http.MethodGet)), nil},
	{"old", "a proof made an hour ago", changedProof(in("iat", -time.Hour)), nil},
	{"ahead", "a proof made an hour from now", changedProof(in("iat", time.Hour)), nil},
	{"reused", "a proof that was used before", func(_ *server.T, _ prover, used string) []string {
		return []string{used}
	}, nil},
	{"no-jti", "a proof without jti", changedProof(server.Remove("jti")), nil},
	{"typ", "a proof whose typ is JWT", changedProof(server.SetHeader("typ", "JWT")), nil},
	{"none", "an unsigned proof (alg none)", func(t *server.T, p prover, _ string) []string {
		return []string{hostile.None(p.proof(t), "none")}
	}, nil},
	{"forged", "a proof that holds the right key and is signed by another", func(t *server.T, p prover, _ string) []string {
		forged := newProver(t).proof(t)
		forged.Header["jwk"] = p.jwk()
		return []string{hostile.Sign(forged)}
	}, nil},
	// The key is made for this one check, so that nothing is given away in the report.
	{"private-key", "a proof with the private key in its header", func(t *server.T, p prover, _ string) []string {
		return []string{hostile.Sign(p.proof(t, server.SetHeader("jwk", jose.JSONWebKey{Key: p.key.Key})))}
	}, nil},
	{"two", "two proofs", func(t *server.T, p prover, _ string) []string {
		return []string{hostile.Sign(p.proof(t)), hostile.Sign(p.proof(t))}
	}, nil},
	// RFC 9449 4.3 wants ath where a token is used, and does not say that it must be absent elsewhere.
	{"ath", "a proof made to use an access token (ath)", func(t *server.T, p prover, _ string) []string {
		sum := sha256.Sum256([]byte(rand.Text()))
		return []string{hostile.Sign(p.proof(t, server.Set("ath", base64.RawURLEncoding.EncodeToString(sum[:]))))}
	}, []check.Option{check.Should()}},
}

func changedProof(edit server.Edit) func(*server.T, prover, string) []string {
	return func(t *server.T, p prover, _ string) []string { return []string{hostile.Sign(p.proof(t, edit))} }
}

type members = map[string]any

// someThumbprint is well-formed and nobody's.
const someThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

// refusesProofs declares a check for each bad proof, with ID-JAGs that the edit makes.
func refusesProofs(kind string, edit func(*server.T, prover) server.Edit) {
	for _, b := range badProofs {
		server.It(b.slug, "refuses "+b.what, func(t *server.T) {
			p := newProver(t)
			var used string
			t.Control(t.Grant(edit(t, p)), func(r *server.Redemption) {
				used = hostile.Sign(p.proof(t))
				withProofs(used)(r)
			})
			expectRefused(t, t.Attack(t.Grant(edit(t, p)), withProofs(b.make(t, p, used)...)),
				server.InvalidDPoPProof, server.InvalidGrant)
		}, append(b.options, check.With(server.NeedsMetadata(proofAlgorithms)),
			refusal(server.InvalidDPoPProof, server.InvalidGrant),
			check.Sends(sentence(kind)+" with "+b.what+", after one with a good proof as control"))...)
	}
}

var _ = check.For("RAS-DPOP-BOUND", func() {
	refusesProofs("an ID-JAG bound to a key", func(t *server.T, p prover) server.Edit { return p.bind(t) })

	// A server without DPoP is judged, too: the draft wants proof wherever there is cnf.
	server.It("no-proof", "refuses an ID-JAG bound to a key without a proof of that key", func(t *server.T) {
		t.Control(t.Grant())
		expectRefused(t, t.Attack(t.Grant(newProver(t).bind(t))), server.InvalidGrant)
	}, refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt and no DPoP proof, after one without cnf as control"))

	server.It("other-key", "refuses an ID-JAG bound to a key with a proof of another key", func(t *server.T) {
		p := newProver(t)
		t.Control(t.Grant(p.bind(t)), p.proving(t))
		expectRefused(t, t.Attack(t.Grant(p.bind(t)), newProver(t).proving(t)), server.InvalidGrant)
	}, check.With(server.NeedsMetadata(proofAlgorithms)), refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt and a proof of another key, after one with a proof of the right key as control"))

	refuses(
		attack{slug: "cnf-string", what: "an ID-JAG whose cnf is a string", edit: server.Set("cnf", someThumbprint)},
		attack{slug: "cnf-empty", what: "an ID-JAG whose cnf holds nothing", edit: server.Set("cnf", members{})},
		attack{slug: "cnf-array", what: "an ID-JAG whose cnf is an array",
			edit: server.Set("cnf", []any{members{"jkt": someThumbprint}})},
		attack{slug: "jkt-empty", what: "an ID-JAG whose cnf.jkt is empty", edit: server.Set("cnf", members{"jkt": ""})},
		attack{slug: "jkt-number", what: "an ID-JAG whose cnf.jkt is a number", edit: server.Set("cnf", members{"jkt": 1})},
		attack{slug: "certificate", what: "an ID-JAG bound to a certificate that the client does not present",
			edit: server.Set("cnf", members{"x5t#S256": someThumbprint})},
	)

	server.It("bound-token", "binds the access token to the key of the ID-JAG and says so", func(t *server.T) {
		p := newProver(t)
		a := t.Control(t.Grant(p.bind(t)), p.proving(t))
		if !strings.EqualFold(a.String("token_type"), "DPoP") {
			t.Failf("expected token_type DPoP, for the ID-JAG is bound to a key and its proof was sent, but saw %s",
				member(a, "token_type"))
		}
		expectBound(t, a, p)
	}, check.Should(), check.With(server.NeedsMetadata(proofAlgorithms)),
		check.Sends("An ID-JAG with cnf.jkt and a proof of that key"))
})
