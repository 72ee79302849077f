package mint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/internal/private"
)

// Key is a private signing key, as a JWK that names its algorithm and key id (RFC 7517).
type Key struct{ jose.JSONWebKey }

// KeySet is the signing keys of an issuer, the one in use first. Its JSON form is a JWK set with private keys.
type KeySet struct {
	Keys []*Key `json:"keys"`
}

// Algorithms are the signature algorithms that keys can be made for.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA, jose.PS256}
}

// NewKey makes a key for one of Algorithms; its key id is the RFC 7638 thumbprint. RSA keys have 2048 bits.
func NewKey(alg jose.SignatureAlgorithm) (*Key, error) {
	private, err := generate(alg)
	if err != nil {
		return nil, err
	}
	k := &Key{jose.JSONWebKey{Key: private, Algorithm: string(alg), Use: "sig"}}
	thumbprint, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	k.KeyID = encode(thumbprint)
	return k, nil
}

func generate(alg jose.SignatureAlgorithm) (any, error) {
	switch alg {
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, fmt.Errorf("cannot make a key for %q: use one of %v", alg, Algorithms())
}

// NewKeySet makes a set of one key for each of these algorithms. The first is the one to sign with.
func NewKeySet(algs ...jose.SignatureAlgorithm) (*KeySet, error) {
	s := &KeySet{}
	for _, alg := range algs {
		k, err := NewKey(alg)
		if err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, k)
	}
	return s, nil
}

// Signing is the key in use, nil when the set is empty.
func (s *KeySet) Signing() *Key {
	if len(s.Keys) == 0 {
		return nil
	}
	return s.Keys[0]
}

// Public is the set as it is published (RFC 7517 section 5).
func (s *KeySet) Public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(s.Keys))}
	for _, k := range s.Keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// LoadKeySet reads a file that Save wrote: a JWK set with private keys. The error says what is wrong with the file.
func LoadKeySet(path string) (*KeySet, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	var s KeySet
	if err := json.Unmarshal(raw, &s); err != nil || len(s.Keys) == 0 {
		return nil, fmt.Errorf("key file %s: expected a JWK set ({\"keys\":[…]}) with private keys; delete it to "+
			"have a new one made", path)
	}
	for n, k := range s.Keys {
		if err := k.Usable(); err != nil {
			return nil, fmt.Errorf("key file %s: key %d: %w", path, n+1, err)
		}
	}
	return &s, nil
}

// Usable says what keeps a key from being one to sign with, nil when nothing does.
func (k *Key) Usable() error {
	switch {
	case k == nil || !k.Valid():
		return errors.New("is no key")
	case k.IsPublic():
		return errors.New("is a public key: signing needs the private one")
	case k.KeyID == "":
		return errors.New("has no kid")
	}
	for _, alg := range Algorithms() {
		if k.Algorithm == string(alg) {
			return nil
		}
	}
	return fmt.Errorf("has alg %.40q: expected one of %v", k.Algorithm, Algorithms())
}

// LoadOrCreateKeySet is LoadKeySet, or NewKeySet and Save when there is no such file.
func LoadOrCreateKeySet(path string, algs ...jose.SignatureAlgorithm) (*KeySet, error) {
	s, err := LoadKeySet(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if s, err = NewKeySet(algs...); err != nil {
		return nil, err
	}
	return s, s.Save(path)
}

// Save writes the private keys to a file that only its owner can read. A file that is there is replaced as a whole.
func (s *KeySet) Save(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return private.Write(path, append(raw, '\n'))
}
