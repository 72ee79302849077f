package scenario

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
)

// T is a running check of a client: what the client did in the world of the check's scene.
type T struct {
	*check.T
	*program.Attempt
	World  *world.World
	Honest *program.Attempt            // beside a hostile one; else nil
	All    map[string]*program.Attempt // every attempt so far by the id of its check, for a check that looks at all others

	scene     *Scene
	player    Player
	succeeded bool // it had to get through, and did: that is proof enough
}

// Also runs the client in another scene of the same shape, to learn why it did what it did; nil when that cannot be.
func (t *T) Also(hostile func(*world.World)) *program.Attempt {
	a := t.player.Also(t.T, t.scene.Shape.But("", hostile), t.Honest)
	if a == nil || a.Failed != nil {
		return nil
	}
	return a
}

// ByRevision fails where the client speaks the revision of MCP that makes the demand a MUST, and warns elsewhere.
func (t *T) ByRevision(revision, format string, args ...any) {
	if !t.Speaks(revision) {
		t.Warnf(format+" (a MUST from revision "+revision+" of MCP on)", args...)
		return
	}
	t.Failf(format, args...)
}

// MustSucceed fails unless the client got through to the MCP server.
func (t *T) MustSucceed(why string) {
	if !t.Through() {
		t.MustBeTempted()
		if t.T.Attempt == 1 { // whatever came between would look the same
			t.Doubtf("the client did not get through, and is run again")
		}
		t.Failf("expected the client to get through: %s. But %s", why, t.Summary())
	}
	t.succeeded = true
}

// MustNotRedeem fails when the client presented anything to a RAS.
func (t *T) MustNotRedeem(why string) {
	if n := len(t.Redemptions()); n > 0 {
		t.Failf("expected the client to stop before the RAS: %s. But it sent %d token requests there", why, n)
	}
	t.MustNotGetThrough(why)
}

// MustNotExchange fails when the client asked the IdP for an ID-JAG.
func (t *T) MustNotExchange(why string) {
	if n := len(t.Exchanges()); n > 0 {
		t.Failf("expected the client to stop before the token exchange: %s. But it sent %d of them", why, n)
	}
	t.MustNotRedeem(why)
}

// MustNotGetThrough fails when the client called the MCP server with a token that was good there, and warns when it
// keeps from its user that it did not.
func (t *T) MustNotGetThrough(why string) {
	if t.Through() {
		t.Failf("expected the client to stop: %s. But it called the MCP server", why)
	}
	t.Tells()
}

// Tells warns when a client that got nothing done ends as if all were well, or does not end.
func (t *T) Tells() {
	switch {
	case t.Stopped():
		t.Warnf("the client did not give up: %s", t.Summary())
	case t.Exit == 0:
		t.Warnf("the client ended with exit code 0 although it could not connect: its user learns nothing")
	case len(strings.TrimSpace(string(t.Stdout)+string(t.Stderr))) == 0:
		t.Warnf("the client said nothing about why it could not connect")
	}
}

// MustSpare fails when a party was contacted at all.
func (t *T) MustSpare(p *world.Party, why string) {
	if seen := t.At(p); len(seen) > 0 {
		what := seen[0].Method + " " + seen[0].Path
		t.Failf("expected no request to the %s: %s. But there was %s", p.Name, why, what)
	}
}

// MustKeep fails when a secret of these kinds was where it must not be; what ends the message, and may be empty.
func (t *T) MustKeep(what string, kinds ...string) {
	for _, l := range t.Leaks {
		if slices.Contains(kinds, l.Kind) {
			t.Failf("%s%s", l, what)
		}
	}
}

// MustNotLeak fails when a secret was where it must not be.
func (t *T) MustNotLeak() {
	if len(t.Leaks) > 0 {
		var list []string
		for _, l := range t.Leaks {
			list = append(list, l.String())
		}
		t.Failf("%s", strings.Join(list, "; "))
	}
}

// Missing ends a check that has nothing to judge.
func (t *T) Missing(what string) {
	if !t.scene.Needed && !t.TimedOut {
		t.NotOffered()
	}
	t.Inconclusivef("the client never %s: %s", what, t.Summary())
}

// NotOffered skips a check that is about what the client does not do: only clients that do are judged.
func (t *T) NotOffered() {
	t.Skipf("the client does not %s: %s", t.scene.Offers, t.Summary())
}

// NeedExchanges are the token exchanges of a run that must have some.
func (t *T) NeedExchanges() []world.Seen {
	list := t.Exchanges()
	if len(list) == 0 {
		t.Missing("asked the IdP for an ID-JAG")
	}
	return list
}

// NeedRedemptions are the token requests at the RAS of a run that must have some.
func (t *T) NeedRedemptions() []world.Seen {
	list := t.Redemptions()
	if len(list) == 0 {
		t.Missing("asked the RAS for an access token")
	}
	return list
}

// NeedLogins are the authorization requests; a client that sends none, not even in the honest run, does not log in.
func (t *T) NeedLogins() []world.Seen {
	list := t.To(t.World.IdP.Party, "/authorize")
	if len(list) > 0 {
		return list
	}
	if t.Honest != nil && len(t.Honest.To(t.Honest.World.IdP.Party, "/authorize")) > 0 {
		t.MustBeTempted()
	}
	t.NotOffered()
	return nil
}

// MustBeTempted ends a check, as inconclusive, of a client that did not come to the point where it could go wrong. One
// that came there in the honest run may have been kept from it by what lies between, and is run again.
func (t *T) MustBeTempted() {
	const again = 2
	if m := t.scene.Moment; !m.Seen(t.Attempt) {
		if t.Honest != nil && m.Seen(t.Honest) && t.T.Attempt <= again {
			t.Doubtf("the client did not come as far as in the honest run: there it %s", m.Words)
		}
		t.Inconclusivef("not tempted: this can be judged once the client %s. But %s", m.Words, t.Summary())
	}
}

// HasAll reports whether a scope has all of these values.
func HasAll(scope string, values ...string) bool {
	have := strings.Fields(scope)
	return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) })
}
