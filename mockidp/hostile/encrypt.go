package hostile

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
)

// Encrypt returns a signed ID-JAG inside a JWE to the RAS's key: the honest nested token (RFC 7519 section 5.2, ID-JAG
// draft-04 section 3.1), its inner type in cty. The key encryption is the one that the key names in alg, else
// RSA-OAEP-256 or ECDH-ES+A256KW by kind of key; the content encryption is A256GCM.
func Encrypt(signed string, to jose.JSONWebKey) (string, error) {
	return encrypt([]byte(signed), to, (&jose.EncrypterOptions{}).WithContentType(mockidp.TypeIDJAG))
}

// EncryptUnsigned returns a JWE whose plaintext is the bare claims set: everyone who knows the RAS's public key can
// make it, so it proves nothing.
func EncryptUnsigned(claims map[string]any, to jose.JSONWebKey) (string, error) {
	return encrypt(object(claims), to, (&jose.EncrypterOptions{}).WithType(mockidp.TypeIDJAG))
}

// Bomb returns a JWE of a few kilobytes whose compressed plaintext (zip, RFC 7516 section 4.1.3) unfolds to size bytes
// (RFC 8725 section 3.6 is on compression).
func Bomb(to jose.JSONWebKey, size int) (string, error) {
	options := (&jose.EncrypterOptions{Compression: jose.DEFLATE}).WithContentType(mockidp.TypeIDJAG)
	return encrypt(bytes.Repeat([]byte("A"), size), to, options)
}

// PBES2 returns a JWE encrypted with a password whose header asks for p2c rounds of key derivation (RFC 7518 section
// 4.8.1.2): with a large number, work without bound for who tries to open it. No password opens it.
func PBES2(p2c int, payload []byte) string {
	recipient := jose.Recipient{Algorithm: jose.PBES2_HS256_A128KW, Key: "password", PBES2Count: 1}
	encrypter := must(jose.NewEncrypter(jose.A128GCM, recipient, nil))
	compact := must(must(encrypter.Encrypt(payload)).CompactSerialize())
	first, rest, _ := strings.Cut(compact, ".")
	var header map[string]any
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(first)), &header); err != nil {
		panic(err)
	}
	header["p2c"] = p2c
	return encode(object(header)) + "." + rest
}

func encrypt(plain []byte, to jose.JSONWebKey, options *jose.EncrypterOptions) (string, error) {
	alg := jose.KeyAlgorithm(to.Algorithm)
	if alg == "" {
		alg = jose.ECDH_ES_A256KW
		if _, isRSA := to.Key.(*rsa.PublicKey); isRSA {
			alg = jose.RSA_OAEP_256
		}
	}
	recipient := jose.Recipient{Algorithm: alg, Key: to.Key, KeyID: to.KeyID}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, options)
	if err != nil {
		return "", fmt.Errorf("cannot encrypt to key %q with %s: %w", to.KeyID, alg, err)
	}
	encrypted, err := encrypter.Encrypt(plain)
	if err != nil {
		return "", err
	}
	return encrypted.CompactSerialize()
}
