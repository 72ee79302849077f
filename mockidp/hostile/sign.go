// Package hostile makes the tokens that no honest library makes: forged, stripped, malformed and oversized ones. It is
// the one place where tokens are put together by hand.
//
// Functions without an error result panic when the caller asks for what cannot be, such as an ES256 signature with an
// RSA key: that is a mistake in the calling program.
package hostile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
)

// Sign returns the token with a signature by its key over exactly this header, whatever the header says of the
// algorithm and the key (RFC 7515 section 5.1).
func Sign(t *mockidp.Token) string { return SignBytes(t.Key, object(t.Header), object(t.Claims)) }

// SignBytes returns a token of these bytes as header and payload, which need not be JSON, with a valid signature by key
// in the key's own algorithm.
func SignBytes(key *mockidp.Key, header, payload []byte) string {
	return SignInput(key, encode(header), encode(payload))
}

// SignInput returns a token of these two segments as they are spelled, with a valid signature over them by key in the
// key's own algorithm.
func SignInput(key *mockidp.Key, header, payload string) string {
	input := header + "." + payload
	return input + "." + encode(signature(key, input))
}

// None returns the token unsecured (RFC 7515 appendix A.5): its header has alg, no alg at all when alg is nil, and the
// signature is empty.
func None(t *mockidp.Token, alg any) string {
	return signingInput(object(withHeader(t, map[string]any{"alg": alg})), object(t.Claims)) + "."
}

// HMAC returns the token with alg HS256, signed with secret (RFC 7518 section 3.2). Together with PublicKeyForms it is
// the confusion of a public key with a shared secret (RFC 8725 section 2.1).
func HMAC(t *mockidp.Token, secret []byte) string {
	input := signingInput(object(withHeader(t, map[string]any{"alg": "HS256"})), object(t.Claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}

// ZeroSignature returns the token with alg ES256, whatever its key, and a signature of r = s = 0, which a verifier that
// leaves out the range check takes for valid under every key (CVE-2022-21449).
func ZeroSignature(t *mockidp.Token) string {
	input := signingInput(object(withHeader(t, map[string]any{"alg": "ES256"})), object(t.Claims))
	return input + "." + encode(make([]byte, 64))
}

// DERSignature returns the token with its ECDSA signature in ASN.1 DER, where RFC 7518 section 3.4 wants r and s side
// by side. The token needs an ES256 key.
func DERSignature(t *mockidp.Token) string {
	key, ok := t.Key.Key.(*ecdsa.PrivateKey)
	if !ok {
		panic("hostile: DERSignature needs an ES256 key, not " + t.Key.Algorithm)
	}
	input := signingInput(object(t.Header), object(t.Claims))
	digest := sha256.Sum256([]byte(input))
	return input + "." + encode(must(ecdsa.SignASN1(rand.Reader, key, digest[:])))
}

// Duplicate returns the signed token with a claim that stands in it twice, in this order (RFC 7519 section 4). Readers
// that take the first and readers that take the last see different tokens.
func Duplicate(t *mockidp.Token, member string, first, second any) string {
	rest := maps.Clone(t.Claims)
	delete(rest, member)
	payload := object(rest)
	name, one, two := must(json.Marshal(member)), must(json.Marshal(first)), must(json.Marshal(second))
	twice := fmt.Sprintf("%[1]s:%[2]s,%[1]s:%[3]s", name, one, two)
	if len(rest) > 0 {
		twice += ","
	}
	return SignBytes(t.Key, object(t.Header), slices.Concat([]byte("{"+twice), payload[1:]))
}

// signature is the key's signature in the key's own algorithm (RFC 7518 section 3, RFC 8037 section 3.1).
func signature(key *mockidp.Key, input string) []byte {
	digest := sha256.Sum256([]byte(input))
	switch k := key.Key.(type) {
	case *rsa.PrivateKey:
		if key.Algorithm == string(jose.PS256) {
			salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return must(rsa.SignPSS(rand.Reader, k, crypto.SHA256, digest[:], salt))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, digest[:]))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			panic(err)
		}
		both := make([]byte, 64)
		r.FillBytes(both[:32])
		s.FillBytes(both[32:])
		return both
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(input))
	}
	panic(fmt.Sprintf("hostile: cannot sign with a %T", key.Key))
}

// withHeader is t's header with these members changed, those that are nil removed.
func withHeader(t *mockidp.Token, changes map[string]any) map[string]any {
	header := maps.Clone(t.Header)
	if header == nil {
		header = map[string]any{}
	}
	for name, value := range changes {
		header[name] = value
		if value == nil {
			delete(header, name)
		}
	}
	return header
}

func signingInput(header, payload []byte) string { return encode(header) + "." + encode(payload) }

func object(members map[string]any) []byte {
	if members == nil {
		members = map[string]any{}
	}
	return must(json.Marshal(members))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Errorf("hostile: %w", err))
	}
	return v
}
