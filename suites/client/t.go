package client

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
)

// T is a running check of a client: what the client did in the world of the check's scene.
type T struct {
	*check.T
	*program.Attempt
	World *world.World

	honest    *program.Attempt // beside a hostile one; else nil
	succeeded bool             // it had to get through, and did: that is proof enough

	scene  *scene
	shape  *shape
	player player
	all    map[string]*program.Attempt // every attempt so far by the id of its check, for a check that looks at all others
}

// scenes holds what the client meets by the id of the check.
var scenes = map[string]*scene{}

// It declares a check of a client; see check.It. The client is run in the scene; then body judges what was seen. The
// title continues the sentence "the client …".
func It(slug, title string, in *scene, body func(*T), options ...check.Option) {
	if in.moment == nil {
		panic(slug + ": a scene says from what moment on it can be judged, with from()")
	}
	declared := func(c *check.Check) {
		scenes[c.ID] = in
		c.Sends, c.Expects = in.meets+".", "The client "+title+". Judged once it "+in.moment.words+"."
		c.Labels = append(c.Labels, strings.ReplaceAll(in.name, ", ", "-"))
	}
	check.It(slug, title, func(t *check.T) { in.judge(t, body) }, append([]check.Option{declared}, options...)...)
}

// player lets the client meet a world: by running its command, or with a person at it.
type player interface {
	// play returns the attempt to judge and, where the scene is hostile, the honest one beside it. Where that did not
	// succeed there is nothing to judge.
	play(t *check.T, in *scene) (judged, honest *program.Attempt)
	// attempts are all so far, by the ids of their checks.
	attempts() map[string]*program.Attempt
	// also plays another scene beside the check's own; nil when that cannot be.
	also(t *check.T, in *scene, honest *program.Attempt) *program.Attempt
	// confirm makes sure, after a failure, that an honest world still lets the client through.
	confirm(t *check.T, in *scene, failed, honest *program.Attempt)
}

// muchSlower is by how much a run has to outlast an honest one to be taken for one that hangs at once; others may have
// been slowed down by the machine, and are repeated.
const muchSlower = 10

// judge lets the client meet the scene and judges what it did there.
func (in *scene) judge(ct *check.T, body func(*T)) {
	p := ct.World.(player)
	judged, honest := p.play(ct, in)
	if honest != nil {
		evidence(ct, honest, reports.Control, judged == nil)
	}
	if judged == nil {
		in.unjudged(ct, honest)
	}
	if judged.Failed != nil {
		ct.Inconclusivef("%s", judged.Failed)
	}
	part := reports.Attack
	if honest == nil {
		part = reports.Control
	}
	evidence(ct, judged, part, true)
	if honest != nil {
		if ct.Attempt == 1 && judged.TimedOut && muchSlower*honest.Took > judged.Took {
			ct.Doubtf("the client did not end in time, but an honest run took %.1f s, too", honest.Took.Seconds())
		}
		ct.BeforeFailing(func() { p.confirm(ct, in, judged, honest) })
	}
	t := &T{
		T: ct, Attempt: judged, World: judged.World, honest: honest, scene: in, shape: in.shape, player: p, all: p.attempts(),
	}
	body(t)
	if honest != nil && ct.Attempt == 2 && !t.Through() {
		// The first attempt found something, or was disturbed: a client that stops now may have been stopped.
		ct.Doubtf("the client stopped, as it would have if something had come between, and is run again")
	}
	if !t.succeeded {
		t.mustBeTempted() // what it did wrong counts, wherever it came to; what it did not, from the moment on
	}
}

// unjudged ends a check whose honest attempt did not succeed: nothing can be said of the hostile one.
func (in *scene) unjudged(t *check.T, honest *program.Attempt) {
	if !in.needed && honest.Failed == nil && !honest.TimedOut {
		t.Skipf("the client does not %s: in the honest scenario %s", in.offers, honest.Summary())
	}
	t.Inconclusivef("the honest scenario did not succeed, so stopping in this one would prove nothing: %s",
		honest.Summary())
}

// also runs the client in another scene of the same shape, to learn why it did what it did; nil when that cannot be.
func (t *T) also(hostile func(*world.World)) *program.Attempt {
	a := t.player.also(t.T, t.shape.but("", hostile), t.honest)
	if a == nil || a.Failed != nil {
		return nil
	}
	return a
}

// byRevision fails where the client speaks the revision of MCP that makes the demand a MUST, and warns elsewhere.
func (t *T) byRevision(revision, format string, args ...any) {
	if !t.Speaks(revision) {
		t.Warnf(format+" (a MUST from revision "+revision+" of MCP on)", args...)
		return
	}
	t.Failf(format, args...)
}

// MustSucceed fails unless the client got through to the MCP server.
func (t *T) MustSucceed(why string) {
	if !t.Through() {
		t.mustBeTempted()
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
	t.mustNotGetThrough(why)
}

// MustNotExchange fails when the client asked the IdP for an ID-JAG.
func (t *T) MustNotExchange(why string) {
	if n := len(t.Exchanges()); n > 0 {
		t.Failf("expected the client to stop before the token exchange: %s. But it sent %d of them", why, n)
	}
	t.MustNotRedeem(why)
}

func (t *T) mustNotGetThrough(why string) {
	if t.Through() {
		t.Failf("expected the client to stop: %s. But it called the MCP server", why)
	}
	t.tells()
}

// tells warns when a client that got nothing done ends as if all were well, or does not end.
func (t *T) tells() {
	switch {
	case t.TimedOut || t.Flooded || t.Hungry:
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

// missing ends a check that has nothing to judge.
func (t *T) missing(what string) {
	if !t.shape.needed && !t.TimedOut {
		t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
	}
	t.Inconclusivef("the client never %s: %s", what, t.Summary())
}
