package hostile

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/emaconform/emaconform/mockidp"
)

// Form is one way to write a public key as bytes.
type Form struct {
	Name  string
	Bytes []byte
}

// PublicKeyForms returns the bytes that a verifier which confuses algorithms may take for an HMAC secret: the public
// key as pem-pkix, pem-pkcs1 (RSA), der (PKIX), jwk, and its bare number: modulus (RSA) or x (EC, OKP).
func PublicKeyForms(k *mockidp.Key) []Form {
	public := k.Public()
	der := must(x509.MarshalPKIXPublicKey(public.Key))
	forms := []Form{
		{"pem-pkix", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})},
		{"der", der},
		{"jwk", must(public.MarshalJSON())},
	}
	switch p := public.Key.(type) {
	case *rsa.PublicKey:
		pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(p)})
		return append(forms, Form{"pem-pkcs1", pkcs1}, Form{"modulus", p.N.Bytes()})
	case *ecdsa.PublicKey:
		point := must(p.Bytes()) // 4, x, y
		return append(forms, Form{"x", point[1 : 1+len(point)/2]})
	case ed25519.PublicKey:
		return append(forms, Form{"x", p})
	}
	panic(fmt.Sprintf("hostile: no forms of a %T", public.Key))
}

// WithJWK returns the token signed by key and carrying key's public part in its header (jwk, RFC 7515 section 4.1.3),
// with key's alg and kid: it vouches for itself.
func WithJWK(t *mockidp.Token, key *mockidp.Key) string {
	return vouched(t, key, "jwk", key.Public())
}

// WithX5C returns the token signed by key and carrying a self-signed certificate for it (x5c, RFC 7515 section 4.1.6),
// with key's alg and kid.
func WithX5C(t *mockidp.Token, key *mockidp.Key) string {
	return vouched(t, key, "x5c", []string{base64.StdEncoding.EncodeToString(selfSigned(key))})
}

// CertificatePEM is a self-signed certificate of this key, in PEM.
func CertificatePEM(key *mockidp.Key) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(key)})
}

func vouched(t *mockidp.Token, key *mockidp.Key, member string, voucher any) string {
	header := withHeader(t, map[string]any{"alg": key.Algorithm, "kid": key.KeyID, member: voucher})
	return SignBytes(key, object(header), object(t.Claims))
}

func selfSigned(key *mockidp.Key) []byte {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "self-signed"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	return must(x509.CreateCertificate(rand.Reader, template, template, key.Public().Key, key.Key))
}
