package judge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// preflight walks the happy path, a step at a time, and stops at the first step that does not work: nothing that the
// checks found behind it would mean anything.
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
	do   func(*world.T) (saw string, failed *stop)
}

// run returns the one thing to fix, or "".
func (p *preflight) run() string {
	groups := [][]step{{{"read the metadata", p.discover}}, {{"read the key set", p.readKeys}}}
	if asks := p.attended(); len(asks) > 0 {
		groups = append(groups, []step{{"have people sign in", func(t *world.T) (string, *stop) {
			return p.haveSignedIn(t, asks)
		}}})
	}
	first, others := p.signIns()
	groups = append(append(groups, first...), append(others, p.exchanges()...))
	if b := p.t.B(); b != nil {
		groups = append(groups, []step{{"exchange by " + b.ID, func(t *world.T) (string, *stop) {
			return p.exchange(t, b, p.t.Notes())
		}}})
	}
	for _, group := range groups {
		if problem := p.take(group); problem != "" {
			return problem
		}
	}
	return ""
}

// exchanges are honest ones by the first client, one for each target.
func (p *preflight) exchanges() (list []step) {
	for n := range p.t.Config.Targets {
		target := &p.t.Config.Targets[n]
		list = append(list, step{"exchange for " + target.Audience, func(t *world.T) (string, *stop) {
			return p.exchange(t, p.t.A(), target)
		}})
	}
	return list
}

// signIns are the sign-ins that the checks need, those of a group at the same time: the first one of each person
// before the others, which find that person signed in, lest a wrong password be sent again and again; and commands one
// by one, for nobody knows what they do.
func (p *preflight) signIns() (first [][]step, others []step) {
	first, known := make([][]step, 1), map[string]bool{}
	for _, a := range p.asks() {
		name := fmt.Sprintf("sign %s in to %s", a.User.Login, a.Client.ID)
		s := step{name, func(t *world.T) (string, *stop) { return p.signIn(t, a) }}
		switch {
		case a.User.SignIn.Form == nil:
			first = append(first, []step{s})
		case known[a.User.Login]:
			others = append(others, s)
		default:
			known[a.User.Login] = true
			first[0] = append(first[0], s)
		}
	}
	return first, others
}

// take takes the steps of a group and reports them in their order, up to the first that does not work.
func (p *preflight) take(group []step) string {
	steps := make([]reports.Step, len(group))
	var done sync.WaitGroup
	for n, of := range group {
		done.Go(func() {
			t := world.Outside(p.t, p.t.World)
			saw, failed := of.do(t)
			steps[n] = reports.Step{Name: of.name, OK: failed == nil, Saw: saw}
			if failed != nil {
				steps[n].Saw, steps[n].Fix = failed.saw, failed.fix
			}
			steps[n].Saw, steps[n].Fix = t.Recorder().Scrub(steps[n].Saw), t.Recorder().Scrub(steps[n].Fix)
			steps[n].Exchanges = t.Recorder().Exchanges()
		})
	}
	done.Wait()
	for _, s := range steps {
		p.steps = append(p.steps, s)
		p.progress.Step(s)
		if !s.OK {
			return s.Saw + " " + s.Fix
		}
	}
	return ""
}

func (p *preflight) discover(t *world.T) (string, *stop) {
	c := p.t.Config
	found, err := world.Discover(t, c, p.t.Wire, t.Recorder())
	p.t.Provider = found
	if err != nil {
		return "", &stop{fmt.Sprintf("%s does not look like an identity provider: %v.", c.IdP.Issuer, err),
			"Give the issuer identifier as the identity provider writes it, or set idp.token_endpoint and idp.jwks_uri." +
				advice(c, "issuer")}
	}
	if elsewhere := p.hosts(found); elsewhere != nil {
		return "", elsewhere
	}
	p.t.Desk.Endpoints = found.Endpoints(c)
	saw := "token endpoint " + wire.Printable(found.Token, 300)
	if issuer := found.Endpoint("issuer"); issuer != "" && issuer != c.IdP.Issuer {
		saw += "; it calls itself " + wire.Printable(issuer, 300) + ": see IDP-META/issuer"
	}
	return saw, nil
}

// hosts stops before anybody signs in where discovery leads to a host that the configuration does not name.
func (p *preflight) hosts(found *world.Provider) *stop {
	for _, e := range [][2]string{{"authorization endpoint", found.Authorization}, {"token endpoint", found.Token}} {
		if e[1] == "" {
			continue
		}
		if err := p.t.Wire.Hosts().Trusts(e[1]); err != nil {
			return &stop{fmt.Sprintf("The %s of the metadata is %s: %v.", e[0],
				wire.Printable(wire.WithoutQuery(e[1]), 300), err),
				"Nothing was sent there. When it is this identity provider's, name its host in allowed_hosts."}
		}
	}
	return nil
}

func (p *preflight) readKeys(t *world.T) (string, *stop) {
	raw, a, err := p.t.Keys.Read(t, p.t.Wire, t.Recorder(), p.t.Provider.JWKSURI)
	if err != nil {
		return err.Error() + ": no grant can be verified", nil
	}
	if skew := ahead(a.Header); skew.Abs() > 5*time.Second {
		p.t.Skew, p.t.Desk.Skew = skew, skew
	}
	if len(raw) == 1 {
		return "1 key", nil
	}
	return fmt.Sprintf("%d keys", len(raw)), nil
}

// ahead is how far the clock behind an answer is ahead of ours, 0 where it does not say. What comes from a cache was
// dated when it went in (RFC 9111 section 5.1).
func ahead(h http.Header) time.Duration {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	age, err := strconv.Atoi(h.Get("Age"))
	if err != nil {
		age = 0
	}
	return time.Until(date.Add(time.Duration(age) * time.Second))
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
	if guessed := w.Config.RateClient; guessed != "" && w.Conditions.Intrusive {
		add(w.Alice(), w.Config.Client(guessed))
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

func (p *preflight) haveSignedIn(t *world.T, asks []signin.Ask) (string, *stop) {
	if p.attend == nil {
		return "", &stop{"Somebody has to sign in by hand.", "Run emaconform idp where a person can open its page."}
	}
	if err := p.attend(t, p.t.Desk, asks); err != nil {
		return "", &stop{err.Error() + ".", "Open the page again and sign in."}
	}
	return fmt.Sprintf("%d sign-ins", len(asks)), nil
}

func (p *preflight) signIn(t *world.T, a signin.Ask) (string, *stop) {
	tokens, err := p.t.Desk.Tokens(t, t.Recorder(), a)
	first := a.User == p.t.Alice() && a.Client == p.t.A()
	switch {
	case err != nil && a.User.Unassigned && !errors.Is(err, signin.ErrPassword):
		return "refused at sign-in: " + err.Error(), nil
	case err != nil && a.Client.ID == p.t.Config.RateClient:
		return "not signed in: " + err.Error() + "; its check is inconclusive", nil
	case err != nil && !first && errors.Is(err, signin.ErrOnce):
		return "no tokens for this client: checks that need them are inconclusive", nil
	case err != nil:
		return "", p.failedSignIn(a, err)
	}
	if first {
		p.t.Provider.Refreshes, p.t.Provider.AccessTokens = tokens.RefreshToken != "", tokens.AccessToken != ""
	}
	saw := kinds(tokens)
	if tokens.RefreshToken != "" || a.User.SignIn.Form == nil && !a.User.SignIn.Attended {
		return saw, nil
	}
	return saw + ", and no refresh token: some give one for idp.prompt: consent alone", nil
}

func kinds(t signin.Tokens) string {
	var list []string
	for _, k := range [][2]string{{"ID token", t.IDToken}, {"access token", t.AccessToken},
		{"refresh token", t.RefreshToken}} {
		if k[1] != "" {
			list = append(list, k[0])
		}
	}
	return strings.Join(list, ", ")
}

// exchange makes an honest exchange for a target by a client, and verifies what comes back.
func (p *preflight) exchange(t *world.T, k *config.Client, target *config.Target) (string, *stop) {
	if !p.t.Desk.Has(p.t.Alice().Login, k.ID) {
		return "not tried: there are no tokens for this client", nil
	}
	a := t.Present("an honest exchange", world.To(target), world.By(k))
	if !world.Granted(a) {
		return "", p.diagnose(t, k, target, a)
	}
	g, err := t.Read(a)
	if issued := a.String("issued_token_type"); issued != "" && issued != world.TypeIDJAG &&
		g.Header["typ"] != mockidp.TypeIDJAG {
		return "", &stop{fmt.Sprintf("The exchange yields a token of the type %s, and no ID-JAG.",
			wire.Printable(issued, 120)),
			"Switch ID-JAGs (Cross App Access) on for client " + k.ID + "." + advice(p.t.Config, "feature")}
	}
	if err != nil {
		return "granted, but " + err.Error(), nil
	}
	const granted = "granted, and verified with the published keys"
	if p.t.Config.Exchange.Resource != "optional" || target.Resource == "" {
		return granted, nil
	}
	a = t.Present("an honest exchange without resource", world.To(target), world.By(k), world.Without("resource"))
	if !world.Granted(a) {
		return "", &stop{fmt.Sprintf("exchange.resource says optional, but an exchange without resource for %s was "+
			"answered: %s.", target.Audience, a.Summary()),
			"Set exchange.resource: always, or let the identity provider take such exchanges."}
	}
	return granted + "; without resource, too", nil
}
