package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Key signs and verifies statements: Ed25519, or ECDSA over SHA-256. It satisfies dsse.SignerVerifier.
type Key struct {
	private crypto.Signer // nil in a key that only verifies
	public  crypto.PublicKey
	id      string
}

// NewKey makes an Ed25519 key and returns it as PEM, private (PKCS #8) and public (PKIX).
func NewKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	open, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), nil
}

// ParseKey reads a key from PEM: a private one (PKCS #8 or SEC 1), or a public one (PKIX). The error never quotes the
// file.
func ParseKey(data []byte) (*Key, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it is no PEM file")
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it holds a %.40q: expected an unencrypted PRIVATE KEY, or a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("its %s cannot be read", block.Type)
	}
	k := &Key{public: parsed}
	if signer, ok := parsed.(crypto.Signer); ok {
		k.private, k.public = signer, signer.Public()
	}
	switch k.public.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
	default:
		return nil, errors.New("it is neither an Ed25519 nor an ECDSA key")
	}
	k.id, err = dsse.SHA256KeyID(k.public)
	return k, err
}

// Sign signs data (DSSE's pre-authentication encoding).
func (k *Key) Sign(_ context.Context, data []byte) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("it is a public key, which cannot sign")
	}
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return k.private.Sign(rand.Reader, data, crypto.Hash(0))
	}
	sum := sha256.Sum256(data)
	return k.private.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// Verify checks a signature of data.
func (k *Key) Verify(_ context.Context, data, signature []byte) error {
	ok := false
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(public, data, signature)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(data)
		ok = ecdsa.VerifyASN1(public, sum[:], signature)
	}
	if !ok {
		return errors.New("the signature is not of this key")
	}
	return nil
}

// KeyID is DSSE's name for the key: the digest of its public half.
func (k *Key) KeyID() (string, error) { return k.id, nil }

// Public is the public half.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign puts a payload into a signed DSSE envelope, as JSON.
func Sign(ctx context.Context, k *Key, payload []byte) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(k)
	if err != nil {
		return nil, err
	}
	envelope, err := signer.SignPayload(ctx, PayloadType, payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope)
}
