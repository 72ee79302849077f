package server

import (
	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/beside"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Kind is a kind of honest request. Every attack of a kind differs from it in one thing alone, so that they can share
// their controls: one is granted before an attack, and one after it.
type Kind struct {
	Name string
	Send func(*T) *wire.Answer   // sends an honest request, a new one each time
	Good func(*wire.Answer) bool // nil: Granted
}

// good reports whether the honest request was taken.
func (k Kind) good(a *wire.Answer) bool {
	if k.Good == nil {
		return Granted(a)
	}
	return k.Good(a)
}

// Beside sends an attack between two honest requests of its kind and returns the answers to the first honest one and to
// the attack. Unless both honest ones are taken, nothing can be said about the attack, and the check ends as
// inconclusive.
func (t *T) Beside(kind Kind, attack func() *wire.Answer) (control, attacked *wire.Answer) {
	return t.known.controls.Attack(t.T, beside.Honest{
		Name: kind.Name, Good: kind.good,
		Record: func() *wire.Recorder { return wire.NewRecorder(t.Secrets) },
		Send:   func(lead *check.T) *wire.Answer { return kind.Send(&T{T: lead, World: t.World}) },
	}, attack)
}

// Honest redeems an honest assertion, as the control of a Kind.
func (t *T) Honest(assertion any, options ...RedeemOption) *wire.Answer {
	a := t.present(assertion, reports.Control, "the honest twin of many attacks: must be granted", options)
	if a.String("error") == UseDPoPNonce {
		a = t.present(assertion, reports.Control, "again, with the nonce that was asked for", options)
	}
	return a
}

// Quick is Grant signed by the cheapest key that will do, for checks to which the key makes no difference.
func (t *T) Quick(edits ...Edit) *Token { return t.QuickFrom(t.IdP, t.Alice(), edits...) }

// QuickFrom is GrantFrom signed by the cheapest key that will do.
func (t *T) QuickFrom(idp *mockidp.Issuer, user target.User, edits ...Edit) *Token {
	return t.GrantFrom(idp, user, append([]Edit{SignedBy(t.Cheap(idp))}, edits...)...)
}

// Cheap is a key of this trusted issuer for honest ID-JAGs whose key is not what is under test: an ES256 one, which
// signs in a thirtieth of the time of RSA, where the issuer has one and the target takes it.
func (t *T) Cheap(idp *mockidp.Issuer) *mockidp.Key {
	t.known.choosing.Lock()
	defer t.known.choosing.Unlock()
	if key := t.known.cheap[idp]; key != nil {
		return key
	}
	found := idp.Keys.Signing()
	for _, key := range idp.Keys.Keys {
		if key == found || key.Algorithm != string(jose.ES256) {
			continue
		}
		try := t.GrantFrom(idp, t.userOf(idp), SignedBy(key))
		if Granted(t.present(try, reports.Setup, "does it take ES256?", nil)) {
			found = key
		}
	}
	t.known.cheap[idp] = found
	return found
}

// userOf is the first user whom the target knows by this trusted issuer.
func (t *T) userOf(idp *mockidp.Issuer) target.User {
	if idp == t.SecondIdP {
		return t.Config.SecondIdP.Users[0]
	}
	return t.Alice()
}

// SignedBy lets another key sign, under its own name.
func SignedBy(key *mockidp.Key) Edit {
	return func(j *Token) {
		j.Key = key
		j.Header["alg"], j.Header["kid"] = key.Algorithm, key.KeyID
	}
}
