package judge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// preflight walks the happy path, a step at a time, and stops at the first step that does not work: nothing that the checks
// found behind it would mean anything.
type preflight struct {
	t        *world.T
	attend   func(context.Context, *signin.Desk, []signin.Ask) error
	progress engine.Progress
	steps    []reports.Step
}

// stop is a step that does not work: what was seen, and the one thing to fix.
type stop struct{ saw, fix string }

// step is one step of the preflight.
type step struct {
	name string
	do   func() (saw string, failed *stop)
}

// run returns the one thing to fix, or "".
func (p *preflight) run() string {
	steps := []step{{"read the metadata", p.discover}, {"read the key set", p.readKeys}}
	if asks := p.attended(); len(asks) > 0 {
		steps = append(steps, step{"have people sign in", func() (string, *stop) { return p.haveSignedIn(asks) }})
	}
	for _, a := range p.asks() {
		steps = append(steps, step{fmt.Sprintf("sign %s in to %s", a.User.Login, a.Client.ID), func() (string, *stop) { return p.signIn(a) }})
	}
	for n := range p.t.Config.Targets {
		target := &p.t.Config.Targets[n]
		steps = append(steps, step{"exchange for " + target.Audience, func() (string, *stop) { return p.exchange(p.t.A(), target) }})
	}
	if b := p.t.B(); b != nil {
		steps = append(steps, step{"exchange by " + b.ID, func() (string, *stop) { return p.exchange(b, p.t.Notes()) }})
	}
	for _, s := range steps {
		if problem := p.take(s); problem != "" {
			return problem
		}
	}
	return ""
}

func (p *preflight) take(of step) string {
	before := p.t.Recorder().Len()
	saw, failed := of.do()
	s := reports.Step{Name: of.name, OK: failed == nil, Saw: saw}
	if failed != nil {
		s.Saw, s.Fix = failed.saw, failed.fix
	}
	s.Saw, s.Fix = p.t.Recorder().Scrub(s.Saw), p.t.Recorder().Scrub(s.Fix)
	s.Exchanges = p.t.Recorder().Exchanges()[before:]
	p.steps = append(p.steps, s)
	p.progress.Step(s)
	if failed != nil {
		return s.Saw + " " + s.Fix
	}
	return ""
}

func (p *preflight) discover() (string, *stop) {
	c := p.t.Config
	found, err := world.Discover(p.t, c, p.t.Wire, p.t.Recorder())
	p.t.Provider = found
	if err != nil {
		return "", &stop{fmt.Sprintf("%s does not look like an identity provider: %v.", c.IdP.Issuer, err),
			"Give the issuer identifier as the identity provider writes it, or set idp.token_endpoint and idp.jwks_uri." + advice(c, "issuer")}
	}
	p.t.Desk.Endpoints = found.Endpoints(c)
	return "token endpoint " + wire.Printable(found.Token, 300), nil
}

func (p *preflight) readKeys() (string, *stop) {
	raw, a, err := p.t.Keys.Read(p.t, p.t.Wire, p.t.Recorder(), p.t.Provider.JWKSURI)
	if err != nil {
		return err.Error() + ": no grant can be verified", nil
	}
	if date, err := time.Parse(time.RFC1123, a.Header.Get("Date")); err == nil {
		if skew := time.Until(date); skew.Abs() > 5*time.Second {
			p.t.Skew, p.t.Desk.Skew = skew, skew
		}
	}
	return fmt.Sprintf("%d keys", len(raw)), nil
}

// asks are the sign-ins that the checks need.
func (p *preflight) asks() []signin.Ask {
	a, w := p.t.A(), p.t.World
	list := []signin.Ask{{User: w.Alice(), Client: a}}
	add := func(u *config.User, k *config.Client) {
		if u != nil && k != nil {
			list = append(list, signin.Ask{User: u, Client: k})
		}
	}
	add(w.Alice(), w.B())
	add(w.Bob(), a)
	add(w.Outsider(), a)
	add(w.Alice(), w.Loner())
	if keyed := w.ClientBy("private_key_jwt"); keyed != a && keyed != w.B() {
		add(w.Alice(), keyed)
	}
	return list
}

// attended are those of the sign-ins that take a person.
func (p *preflight) attended() (list []signin.Ask) {
	for _, a := range p.asks() {
		if a.User.SignIn.Attended {
			list = append(list, a)
		}
	}
	return list
}

func (p *preflight) haveSignedIn(asks []signin.Ask) (string, *stop) {
	if p.attend == nil {
		return "", &stop{"Somebody has to sign in by hand.", "Run emaconform idp where a person can open its page."}
	}
	if err := p.attend(p.t, p.t.Desk, asks); err != nil {
		return "", &stop{err.Error() + ".", "Open the page again and sign in."}
	}
	return fmt.Sprintf("%d sign-ins", len(asks)), nil
}

func (p *preflight) signIn(a signin.Ask) (string, *stop) {
	tokens, err := p.t.Desk.Tokens(p.t, p.t.Recorder(), a)
	first := a.User == p.t.Alice() && a.Client == p.t.A()
	switch {
	case err != nil && a.User.Unassigned && !errors.Is(err, signin.ErrPassword):
		return "refused at sign-in: " + err.Error(), nil
	case err != nil && !first && errors.Is(err, signin.ErrOnce):
		return "no tokens for this client: checks that need them are inconclusive", nil
	case err != nil:
		return "", &stop{sentence(err), p.fixSignIn(a)}
	}
	if first {
		p.t.Provider.Refreshes, p.t.Provider.AccessTokens = tokens.RefreshToken != "", tokens.AccessToken != ""
	}
	return kinds(tokens), nil
}

func kinds(t signin.Tokens) string {
	var list []string
	for _, k := range [][2]string{{"ID token", t.IDToken}, {"access token", t.AccessToken}, {"refresh token", t.RefreshToken}} {
		if k[1] != "" {
			list = append(list, k[0])
		}
	}
	return strings.Join(list, ", ")
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// exchange makes an honest exchange for a target by a client, and verifies what comes back.
func (p *preflight) exchange(k *config.Client, target *config.Target) (string, *stop) {
	if !p.t.Desk.Has(p.t.Alice().Login, k.ID) {
		return "not tried: there are no tokens for this client", nil
	}
	a := p.t.Present("an honest exchange", world.To(target), world.By(k))
	if !world.Granted(a) {
		return "", p.diagnose(k, target, a)
	}
	g, err := p.t.Read(a)
	if issued := a.String("issued_token_type"); issued != "" && issued != world.TypeIDJAG && g.Header["typ"] != mockidp.TypeIDJAG {
		return "", &stop{fmt.Sprintf("The exchange yields a token of the type %s, and no ID-JAG.", wire.Printable(issued, 120)),
			"Switch ID-JAGs (Cross App Access) on for client " + k.ID + "." + advice(p.t.Config, "feature")}
	}
	if err != nil {
		return "granted, but " + err.Error(), nil
	}
	return "granted, and verified with the published keys", nil
}
