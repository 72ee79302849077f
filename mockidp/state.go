package mockidp

import "github.com/go-jose/go-jose/v4"

// PublicKeys are the keys that verify tokens with this iss, those out of use but not withdrawn among them. ok is false when
// no authorization server here has that issuer.
func (p *IdP) PublicKeys(issuer string) (keys jose.JSONWebKeySet, ok bool) {
	if issuer == p.org.issuer {
		return p.org.keys.set().Public(), true
	}
	for _, s := range p.servers {
		if issuer == s.issuer {
			return s.keys.set().Public(), true
		}
	}
	return keys, false
}

// NextKeyID is the kid of the key that is published and not used yet, "" when there is none.
func (p *IdP) NextKeyID() string {
	if k := p.org.keys.next(); k != nil {
		return k.KeyID
	}
	return ""
}

// Faults are those in force.
func (p *IdP) Faults() []Fault { return p.faults.list() }

// Edits are those in force; one whose count is negative is used up.
func (p *IdP) Edits() []Edit { return p.edits.all() }

// URL is the issuer identifier. Unlike Issuer it needs no keys, which take a while to be made.
func (p *IdP) URL() string { return p.issuer }
