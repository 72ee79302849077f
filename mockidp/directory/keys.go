package directory

import (
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"
)

// JWKS is a set of public keys, written as an object or as a string that holds its JSON.
type JWKS struct{ jose.JSONWebKeySet }

// JWK is a public key, written as an object or as a string that holds its JSON.
type JWK struct{ jose.JSONWebKey }

// UnmarshalYAML refuses what is no set, symmetric keys and private keys.
func (s *JWKS) UnmarshalYAML(decode func(any) error) error {
	raw, err := jsonOf(decode)
	if err != nil {
		return err
	}
	return s.UnmarshalJSON(raw)
}

// UnmarshalJSON is UnmarshalYAML for JSON.
func (s *JWKS) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &s.JSONWebKeySet); err != nil || len(s.Keys) == 0 {
		return errors.New(`expected a JWK set with public keys: {"keys":[…]}`)
	}
	for _, k := range s.Keys {
		if err := public(k); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes the set as an object.
func (s JWKS) MarshalJSON() ([]byte, error) { return json.Marshal(s.JSONWebKeySet) }

// UnmarshalYAML refuses what is no key, symmetric keys and private keys.
func (k *JWK) UnmarshalYAML(decode func(any) error) error {
	raw, err := jsonOf(decode)
	if err != nil {
		return err
	}
	return k.UnmarshalJSON(raw)
}

// UnmarshalJSON is UnmarshalYAML for JSON.
func (k *JWK) UnmarshalJSON(raw []byte) error {
	if err := k.JSONWebKey.UnmarshalJSON(raw); err != nil {
		return errors.New(`expected a public key as a JWK: {"kty":…}`)
	}
	return public(k.JSONWebKey)
}

func public(k jose.JSONWebKey) error {
	if !k.Valid() || !k.IsPublic() {
		return errors.New("expected public keys only: leave the private part with its owner")
	}
	return nil
}

func jsonOf(decode func(any) error) ([]byte, error) {
	var v any
	if err := decode(&v); err != nil {
		return nil, err
	}
	if text, ok := v.(string); ok {
		return []byte(text), nil
	}
	return json.Marshal(v)
}
