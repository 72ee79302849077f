package run

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// How the target comes by our keys is found out here, so that a run judges the same whether the target is asked for the
// first time or had our keys already.

// awaitKeys presents an honest ID-JAG again until the target has fetched our keys: one that was judged a moment ago,
// with other keys, may not ask again before its time. It returns nil when that is not what is wrong.
func (p *preflight) awaitKeys() *wire.Answer {
	if p.t.Config.IdP.Static() || p.fetches() > 0 || !p.mayBeKeys() {
		return nil
	}
	patience := p.t.Config.Timing.JWKSPatience
	p.progress.Waiting(fmt.Sprintf("the target has not fetched our keys yet: waiting up to %s "+
		"(timing.jwks_patience), for many do so at most every 30 s", patience))
	var a *wire.Answer
	p.t.Within(patience, func() bool {
		a = p.t.Present(p.t.Grant(), reports.Setup, "an honest ID-JAG, again")
		return server.Granted(a) || p.fetches() > 0
	})
	if a != nil && !server.Granted(a) {
		a = p.t.Present(p.t.Grant(), reports.Setup, "an honest ID-JAG, with keys that were fetched")
	}
	if !server.Granted(a) {
		p.redemption = a
		return nil
	}
	return a
}

// mayBeKeys reports whether the answer is that to a key which the target does not have, and not that to an issuer which
// it does not know.
func (p *preflight) mayBeKeys() bool {
	text := strings.ToLower(p.redemption.String("error_description"))
	for _, word := range []string{"kid", "key", "jwks", "signature", "fetch"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	got := fingerprint(p.redemption)
	stranger := p.probeGrant(func(t *server.Token) { t.Key = p.t.Attacker })
	unknown := p.probeGrant(server.Set("iss", p.wrong("iss")))
	return fingerprint(stranger) == got && fingerprint(unknown) != got
}

// refetches reports whether a target that had our keys already asks for them again when it meets an unknown one. A new
// key is published for that, since there is no other way to tell.
func (p *preflight) refetches() bool {
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(p.t.IdP.Keys.Signing().Algorithm))
	if err != nil {
		return false
	}
	key.KeyID = rand.Text()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
	for _, own := range p.t.IdP.Keys.Keys {
		set.Keys = append(set.Keys, own.Public())
	}
	control := p.t.World.Control
	if control.SetMaxAge(p.t, p.t.IdPName, 0) != nil || control.SetKeys(p.t, p.t.IdPName, set) != nil {
		return false
	}
	defer func() { _ = control.Restore(p.t, p.t.IdPName) }()
	before := p.fetches()
	told := time.AfterFunc(time.Second, func() {
		p.progress.Waiting(fmt.Sprintf("the target knew our keys: waiting whether it asks for a new one, up to %s "+
			"(timing.jwks_patience)",
			p.t.Config.Timing.JWKSPatience))
	})
	defer told.Stop()
	return p.t.Within(p.t.Config.Timing.JWKSPatience, func() bool {
		p.t.Present(p.t.Grant(server.SignedBy(key)), reports.Setup,
			"signed with a key that is newly published")
		return p.fetches() > before
	})
}

// strayed says where the target looked for our keys when it was at a path that we do not serve, or "".
func (p *preflight) strayed() string {
	if p.t.Config.IdP.Static() {
		return ""
	}
	seen, err := p.t.World.Control.Unknown(p.t, p.t.IdPName)
	if err != nil || seen.Count == 0 {
		return ""
	}
	return fmt.Sprintf("The target asked the mock IdP for %s, which is not there: its keys are at %s.",
		wire.Printable(wire.WithoutQuery(seen.Path), 200), p.parties.idp.JWKSURI())
}
