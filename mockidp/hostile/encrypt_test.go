package hostile_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

func encryptionKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"RSA-OAEP-256": rsaKey, "ECDH-ES+A256KW": ecKey}
}

func decrypt(t *testing.T, compact string, alg string, key any) []byte {
	t.Helper()
	algs, encs := []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.A256GCM}
	parsed, err := jose.ParseEncryptedCompact(compact, algs, encs)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := parsed.Decrypt(key)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestEncryptedTokensOpenWithThePrivateKey(t *testing.T) {
	signing := newKey(t, jose.ES256)
	signed := hostile.Sign(newToken(signing))
	for alg, key := range encryptionKeys(t) {
		to := jose.JSONWebKey{Key: key.Public(), KeyID: "enc-1"}
		nested, err := hostile.Encrypt(signed, to)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(decrypt(t, nested, alg, key)); got != signed {
			t.Errorf("%s: the plaintext is not the signed token", alg)
		}
		if header := jsonPart(t, nested, 0); header["cty"] != mockidp.TypeIDJAG || header["kid"] != "enc-1" {
			t.Errorf("%s: header %v", alg, header)
		}
		bare, err := hostile.EncryptUnsigned(map[string]any{"sub": "mallory"}, to)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(decrypt(t, bare, alg, key)); got != `{"sub":"mallory"}` {
			t.Errorf("%s: the plaintext is %s", alg, got)
		}
	}
}

func TestEncryptSaysWhichKeyCannot(t *testing.T) {
	public := encryptionKeys(t)["RSA-OAEP-256"].Public()
	_, err := hostile.Encrypt("a.b.c", jose.JSONWebKey{Key: public, KeyID: "k", Algorithm: "RS256"})
	if err == nil || !strings.Contains(err.Error(), `"k"`) {
		t.Errorf("error is %v", err)
	}
}

func TestPBES2AsksForItsRounds(t *testing.T) {
	compact := hostile.PBES2(1<<30, []byte("payload"))
	header := jsonPart(t, compact, 0)
	if header["p2c"] != float64(1<<30) || header["alg"] != "PBES2-HS256+A128KW" || header["p2s"] == nil {
		t.Errorf("header %v", header)
	}
	algs, encs := []jose.KeyAlgorithm{jose.PBES2_HS256_A128KW}, []jose.ContentEncryption{jose.A128GCM}
	_, err := jose.ParseEncryptedCompact(compact, algs, encs)
	if err != nil {
		t.Errorf("is no well-formed JWE: %v", err)
	}
}

// The test opens the bomb by hand, for go-jose refuses to unfold it.
func TestBombUnfolds(t *testing.T) {
	const size = 8 << 20
	key := encryptionKeys(t)["RSA-OAEP-256"].(*rsa.PrivateKey)
	compact, err := hostile.Bomb(jose.JSONWebKey{Key: key.Public()}, size)
	if err != nil {
		t.Fatal(err)
	}
	if len(compact) > size/100 {
		t.Errorf("%d bytes are sent for %d", len(compact), size)
	}
	cek, err := rsa.DecryptOAEP(crypto.SHA256.New(), nil, key, part(t, compact, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(compact, ".")
	folded, err := gcm.Open(nil, part(t, compact, 2), append(part(t, compact, 3), part(t, compact, 4)...), []byte(header))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, flate.NewReader(bytes.NewReader(folded)))
	if err != nil || n != size {
		t.Errorf("unfolds to %d bytes, expected %d (%v)", n, size, err)
	}
	if zip := jsonPart(t, compact, 0)["zip"]; zip != "DEF" {
		t.Errorf("zip is %v", zip)
	}
}

func TestSAMLAssertionIsWellFormedAndUnsigned(t *testing.T) {
	encoded := hostile.SAMLAssertion("https://idp.example/?a=1&b=2", "https://as.example", "<alice>")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	var assertion struct {
		XMLName   xml.Name
		ID        string `xml:"ID,attr"`
		Issuer    string `xml:"Issuer"`
		NameID    string `xml:"Subject>NameID"`
		Audience  string `xml:"Conditions>AudienceRestriction>Audience"`
		Signature *struct{}
	}
	if err := xml.Unmarshal(raw, &assertion); err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]string{
		"urn:oasis:names:tc:SAML:2.0:assertion": assertion.XMLName.Space, "https://idp.example/?a=1&b=2": assertion.Issuer,
		"https://as.example": assertion.Audience, "<alice>": assertion.NameID,
	} {
		if got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
	if assertion.Signature != nil || !strings.HasPrefix(assertion.ID, "_") {
		raw, _ := json.Marshal(assertion)
		t.Errorf("assertion %s", raw)
	}
}
