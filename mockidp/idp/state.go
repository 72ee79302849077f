package idp

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/mint"
)

// PublicKeys are the keys that verify tokens with this iss, those out of use but not withdrawn among them. ok is false
// when no authorization server here has that issuer.
func (p *IdP) PublicKeys(issuer string) (keys jose.JSONWebKeySet, ok bool) {
	if issuer == p.state.Org.Issuer {
		return p.state.Org.Keys.Set().Public(), true
	}
	for _, s := range p.state.Servers {
		if issuer == s.Issuer {
			return s.Keys.Set().Public(), true
		}
	}
	return keys, false
}

// NextKeyID is the kid of the key that is published and not used yet, "" when there is none.
func (p *IdP) NextKeyID() string {
	if k := p.state.Org.Keys.Next(); k != nil {
		return k.KeyID
	}
	return ""
}

// Faults are those in force.
func (p *IdP) Faults() []fault.Fault { return p.state.Faults.List() }

// Edits are those in force; one whose count is negative is used up.
func (p *IdP) Edits() []mint.Edit { return p.state.Edits.All() }

// PublishKeys publishes a set, which is a JWK set as JSON, from now on until Restore. What tokens are signed with
// stays.
func (p *IdP) PublishKeys(set json.RawMessage) { p.state.Org.Keys.Publish(set) }

// SetMaxAge sets for how long the JWKS may be cached, until Restore.
func (p *IdP) SetMaxAge(d time.Duration) { p.state.Org.Keys.SetMaxAge(d) }

// Restore publishes the signing keys again, for as long as at first, and clears every fault.
func (p *IdP) Restore() {
	p.ClearFaults("")
	p.state.Org.Keys.Restore()
}

// MakeKeys makes the keys that are still to be made, which takes a while: the one in use and the next one, if there is
// to be one. They are made without it when they are needed.
func (p *IdP) MakeKeys() error {
	keys := p.state.Org.Keys
	keys.Set()
	if !keys.Ahead() {
		return nil
	}
	next, err := p.newKey()
	if err == nil {
		keys.Offer(next)
	}
	return err
}

// MissingError says that what a call or a request names is not there.
type MissingError struct{ Kind, Name string }

func (m *MissingError) Error() string { return "there is no " + m.Kind + " " + m.Name }

// Missing is the error for a thing of this kind that is not there by this name.
func Missing(kind, name string) error { return &MissingError{kind, name} }
