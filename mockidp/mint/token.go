// Package mint makes tokens: keys and the ring of them that an authorization server publishes, tokens before they are
// signed, honest ID tokens and ID-JAGs, and edits that change tokens on their way.
package mint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/go-jose/go-jose/v4"
)

// TypeIDJAG is the header typ of an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-04 section 3.1).
const TypeIDJAG = "oauth-id-jag+jwt"

// Token is a token before it is signed. Header and Claims are free to be changed: members can be added, replaced,
// deleted.
type Token struct {
	Header map[string]any // alg and kid are those of Key until changed
	Claims map[string]any
	Key    *Key
}

// NewToken makes a token of this type ("" is a header without typ) to be signed with key.
func NewToken(key *Key, typ string, claims map[string]any) *Token {
	t := &Token{Header: map[string]any{"alg": key.Algorithm, "kid": key.KeyID}, Claims: claims, Key: key}
	if typ != "" {
		t.Header["typ"] = typ
	}
	return t
}

// Clone is a copy whose header and claims can be changed without changing t's.
func (t *Token) Clone() *Token {
	return &Token{Header: maps.Clone(t.Header), Claims: maps.Clone(t.Claims), Key: t.Key}
}

// Sign returns the token in JWS compact serialization (RFC 7515 section 7.1), with Header exactly as it stands. It
// fails when the header's alg is not the key's, for no library signs that: package hostile does.
func (t *Token) Sign() (string, error) {
	claims, err := json.Marshal(t.Claims)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	return t.SignPayload(claims)
}

// SignPayload is Sign with these bytes in place of Claims.
func (t *Token) SignPayload(payload []byte) (string, error) {
	if t.Header["alg"] != t.Key.Algorithm {
		return "", fmt.Errorf("the header says alg %v but the key is for %s: package hostile makes such tokens",
			t.Header["alg"], t.Key.Algorithm)
	}
	options := &jose.SignerOptions{}
	for name, value := range t.Header {
		if name != "alg" {
			options.WithHeader(jose.HeaderKey(name), value)
		}
	}
	// The bare private key, so that kid is in the header only when Header has it.
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(t.Key.Algorithm), Key: t.Key.Key},
		options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
