package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/wire"
)

// Grant is an ID-JAG as it was read.
type Grant struct {
	Answer  *wire.Answer
	Compact string // the signed token
	Header  map[string]any
	Claims  map[string]any

	// Of many grants that are compared.
	Of         *config.User
	Unverified error // why it does not verify with the published keys
}

// String is a claim that is a string, or "".
func (g *Grant) String(claim string) string {
	s, _ := g.Claims[claim].(string)
	return s
}

// Number is a claim that is a number; ok is false when it is none.
func (g *Grant) Number(claim string) (n int64, ok bool) {
	f, ok := g.Claims[claim].(float64)
	return int64(f), ok
}

// Scopes are those of the grant.
func (g *Grant) Scopes() []string { return strings.Fields(g.String("scope")) }

// asymmetric are the algorithms that an ID-JAG may be signed with.
var asymmetric = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// Read reads the ID-JAG of an answer and verifies it with the published keys, which are read again when its key is not
// among them. The grant is there even when the error says that it does not verify.
func (t *T) Read(a *wire.Answer) (*Grant, error) {
	g := &Grant{Answer: a, Compact: a.String("access_token"), Header: map[string]any{}, Claims: map[string]any{}}
	if err := t.decrypt(g); err != nil {
		return g, err
	}
	decoded, ok := mockidp.Decode(g.Compact)
	if !ok {
		return g, errors.New("the token is no JWT")
	}
	g.Header, g.Claims = decoded.Header, decoded.Claims
	return g, t.Verify(g.Compact)
}

// decrypt opens a grant that is encrypted to a target whose key we have (RFC 7516).
func (t *T) decrypt(g *Grant) error {
	if strings.Count(g.Compact, ".") != 4 {
		return nil
	}
	keys := []jose.KeyAlgorithm{jose.RSA_OAEP_256, jose.RSA_OAEP, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A256KW}
	object, err := jose.ParseEncryptedCompact(g.Compact, keys, []jose.ContentEncryption{jose.A128GCM, jose.A256GCM,
		jose.A128CBC_HS256, jose.A256CBC_HS512})
	if err != nil {
		return fmt.Errorf("the token looks encrypted, but cannot be read: %w", err)
	}
	for _, target := range t.Config.Targets {
		if target.DecryptKey == nil {
			continue
		}
		if plain, err := object.Decrypt(target.DecryptKey.Key); err == nil {
			g.Compact = string(plain)
			return nil
		}
	}
	return errors.New("the token is encrypted to a key that is none of targets[].decrypt_key_file")
}

// Verify verifies a token of the identity provider with its published keys.
func (t *T) Verify(compact string) error {
	err := t.verify(compact)
	if err == nil {
		return nil
	}
	if _, _, failed := t.Keys.Read(t, t.Wire, t.Recorder(), t.Provider.JWKSURI); failed != nil {
		return failed
	}
	return t.verify(compact)
}

func (t *T) verify(compact string) error { return VerifyWith(t.Keys.Set(), compact) }

// VerifyWith verifies a token with a key set.
func VerifyWith(set jose.JSONWebKeySet, compact string) error {
	object, err := jose.ParseSignedCompact(compact, asymmetric)
	if err != nil {
		return errors.New("it is not signed with an asymmetric algorithm")
	}
	header := object.Signatures[0].Header
	candidates := set.Key(header.KeyID)
	switch {
	case header.KeyID == "":
		candidates = set.Keys
	case len(candidates) == 0:
		return fmt.Errorf("no published key has its kid %q", wire.Printable(header.KeyID, 80))
	}
	ok := slices.ContainsFunc(candidates, func(k jose.JSONWebKey) bool {
		_, err := object.Verify(k.Key)
		return err == nil && (k.Algorithm == "" || k.Algorithm == header.Algorithm)
	})
	if !ok {
		return errors.New("no published key verifies its signature")
	}
	return nil
}

// SubIDTarget is the target whose grants have a sub_id, or nil.
func (w *World) SubIDTarget() *config.Target {
	return w.target(func(t *config.Target) bool { return t.SubID != nil })
}

// EncryptedTarget is the target that grants are encrypted to, or nil.
func (w *World) EncryptedTarget() *config.Target {
	return w.target(func(t *config.Target) bool { return t.DecryptKey != nil })
}

func (w *World) target(fits func(*config.Target) bool) *config.Target {
	for n := range w.Config.Targets {
		if t := &w.Config.Targets[n]; fits(t) {
			return t
		}
	}
	return nil
}
