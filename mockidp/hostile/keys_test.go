package hostile_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

func TestPublicKeyFormsHoldTheKey(t *testing.T) {
	for _, alg := range mockidp.Algorithms() {
		key := newKey(t, alg)
		forms := map[string][]byte{}
		for _, form := range hostile.PublicKeyForms(key) {
			forms[form.Name] = form.Bytes
		}
		want := map[string]func([]byte) (any, error){
			"der": x509.ParsePKIXPublicKey,
			"pem-pkix": func(raw []byte) (any, error) {
				block, _ := pem.Decode(raw)
				return x509.ParsePKIXPublicKey(block.Bytes)
			},
			"jwk": func(raw []byte) (any, error) {
				var jwk jose.JSONWebKey
				err := jwk.UnmarshalJSON(raw)
				return jwk.Key, err
			},
		}
		number := "x"
		if alg == jose.RS256 || alg == jose.PS256 {
			number = "modulus"
			want["pem-pkcs1"] = func(raw []byte) (any, error) {
				block, _ := pem.Decode(raw)
				return x509.ParsePKCS1PublicKey(block.Bytes)
			}
		}
		if len(forms) != len(want)+1 {
			t.Errorf("%s: %d forms, expected %d", alg, len(forms), len(want)+1)
		}
		for name, parse := range want {
			if got, err := parse(forms[name]); err != nil || !reflect.DeepEqual(got, key.Public().Key) {
				t.Errorf("%s: %s is another key (%v)", alg, name, err)
			}
		}
		if got, want := new(big.Int).SetBytes(forms[number]), numberOf(t, key); got.Cmp(want) != 0 {
			t.Errorf("%s: %s is another number", alg, number)
		}
	}
}

// numberOf reads the number from the JWK form, which states it on its own.
func numberOf(t *testing.T, key *mockidp.Key) *big.Int {
	switch k := key.Public().Key.(type) {
	case *rsa.PublicKey:
		return k.N
	case *ecdsa.PublicKey:
		raw, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(raw[1:33])
	default:
		return new(big.Int).SetBytes(reflect.ValueOf(k).Bytes())
	}
}

func TestTokensVouchForThemselves(t *testing.T) {
	honest := newKey(t, jose.RS256)
	for _, alg := range mockidp.Algorithms() {
		own := newKey(t, alg)
		for name, compact := range map[string]string{
			"jwk": hostile.WithJWK(newToken(honest), own),
			"x5c": hostile.WithX5C(newToken(honest), own),
		} {
			if !verifies(t, compact, own.Public()) || verifies(t, compact, honest.Public()) {
				t.Errorf("%s %s: is not signed by its own key", alg, name)
			}
			header := jsonPart(t, compact, 0)
			if header["kid"] != own.KeyID || header["typ"] != mockidp.TypeIDJAG {
				t.Errorf("%s %s: header %v", alg, name, header)
			}
			if got := embedded(t, compact, name); !reflect.DeepEqual(got, own.Public().Key) {
				t.Errorf("%s: %s carries another key", alg, name)
			}
		}
	}
}

func embedded(t *testing.T, compact, member string) any {
	t.Helper()
	if member == "jwk" {
		signed, err := jose.ParseSignedCompact(compact, algorithms)
		if err != nil || signed.Signatures[0].Header.JSONWebKey == nil || !signed.Signatures[0].Header.JSONWebKey.IsPublic() {
			t.Fatalf("no public jwk in the header: %v", err)
		}
		return signed.Signatures[0].Header.JSONWebKey.Key
	}
	chain, _ := jsonPart(t, compact, 0)["x5c"].([]any)
	der, err := base64.StdEncoding.DecodeString(fmt.Sprint(chain...))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		t.Errorf("the certificate is not self-signed: %v", err)
	}
	return cert.PublicKey
}

func TestDERSignatureVerifiesAsASN1Only(t *testing.T) {
	key := newKey(t, jose.ES256)
	compact := hostile.DERSignature(newToken(key))
	if verifies(t, compact, key.Public()) {
		t.Error("verifies as r and s side by side")
	}
	digest := sha256.Sum256([]byte(hostile.CutSignature(compact)))
	if !ecdsa.VerifyASN1(key.Public().Key.(*ecdsa.PublicKey), digest[:], part(t, compact, 2)) {
		t.Error("does not verify as ASN.1")
	}
}
