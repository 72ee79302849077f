package server

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/wire"
)

// ProofAlgorithms is the metadata member with which a RAS announces DPoP (RFC 9449 section 5.1).
const ProofAlgorithms = "dpop_signing_alg_values_supported"

// Prover is a client's key for DPoP proofs (RFC 9449).
type Prover struct{ Key *mockidp.Key }

// NewProver makes a key for an algorithm that the target announces, ES256 where it announces none.
func (t *T) NewProver() Prover {
	alg := jose.ES256
	for _, known := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.EdDSA, jose.ES256} {
		if t.Target.Lists(ProofAlgorithms, string(known)) {
			alg = known // the last one is the cheapest
		}
	}
	key, err := mockidp.NewKey(alg)
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	return Prover{key}
}

// JWK is the public key as it stands in a proof's header.
func (p Prover) JWK() jose.JSONWebKey { return jose.JSONWebKey{Key: p.Key.Public().Key} }

// JKT is the key's thumbprint, as it stands in cnf (RFC 9449 section 6.1).
func (p Prover) JKT(t *T) string {
	sum, err := p.Key.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// Bind returns an edit that binds an ID-JAG to the key.
func (p Prover) Bind(t *T) Edit { return Set("cnf", map[string]any{"jkt": p.JKT(t)}) }

// Proof makes a proof for the token endpoint, not yet signed (RFC 9449 section 4.2).
func (p Prover) Proof(t *T, edits ...Edit) *Token {
	token := mockidp.NewToken(p.Key, "dpop+jwt", map[string]any{
		"htm": http.MethodPost, "htu": t.Target.TokenEndpoint, "iat": t.Now().Unix(), "jti": rand.Text(),
	})
	delete(token.Header, "kid")
	token.Header["jwk"] = p.JWK()
	if t.DPoPNonce != "" {
		token.Claims["nonce"] = t.DPoPNonce
	}
	for _, e := range edits {
		e(token)
	}
	return token
}

// Proving sends a fresh honest proof.
func (p Prover) Proving(t *T) RedeemOption {
	return func(r *Redemption) { Proofs(hostile.Sign(p.Proof(t)))(r) }
}

// Proofs sends these proofs, a header each.
func Proofs(proofs ...string) RedeemOption {
	return func(r *Redemption) {
		for _, proof := range proofs {
			r.Header.Add("DPoP", proof)
		}
	}
}

// Using presents an access token that is bound to the key, with a proof for this request (RFC 9449 section 7.1).
func (p Prover) Using(t *T, r *wire.Request, token string, edits ...Edit) *wire.Request {
	sum := sha256.Sum256([]byte(token))
	proof := p.Proof(t, append([]Edit{
		Set("htu", r.URL), Set("ath", base64.RawURLEncoding.EncodeToString(sum[:]))}, edits...)...)
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", hostile.Sign(proof))
	return r
}

// Prove presents the token of this answer, where it is bound to our key, as RFC 9449 section 7.1 wants it. What a check
// sends is proved without that.
func (t *T) Prove(r *wire.Request, granted *wire.Answer) {
	if t.Prover != nil {
		t.known.remember(granted)
		t.prove(r)
	}
}

// prove adds a proof to a request whose bearer token is bound to our key.
func (t *T) prove(r *wire.Request) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if t.Prover == nil || !bearer || !t.known.isBound(token) {
		return
	}
	url, _, _ := strings.Cut(r.URL, "?")
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	t.Prover.Using(t, r, token, Set("htu", url), Set("htm", method))
}

// remember notes a token that was bound to our key.
func (k *known) remember(a *wire.Answer) {
	if !Granted(a) || !strings.EqualFold(a.String("token_type"), "DPoP") {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bound == nil {
		k.bound = map[string]bool{}
	}
	k.bound[a.String("access_token")] = true
}

func (k *known) isBound(token string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bound[token]
}
