// Package scenario says how a scenario for an MCP client is declared: what the client meets (a Scene of an honest
// Shape, with one thing wrong or nothing), from what Moment on it can be judged, and a body that judges what was seen
// (T). Whoever runs clients is its Player.
package scenario

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
)

// Of is what the client meets in the check of this id; nil for a check that is none of a client.
func Of(id string) *Scene { return scenes[id] }

// Shapes are those of the scenarios that are declared, each once, by name.
func Shapes() []*Shape {
	var list []*Shape
	for _, s := range scenes {
		if !slices.Contains(list, s.Shape) {
			list = append(list, s.Shape)
		}
	}
	slices.SortFunc(list, func(x, y *Shape) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// scenes holds what the client meets by the id of the check.
var scenes = map[string]*Scene{}

// It declares a check of a client; see check.It. The client is run in the scene; then body judges what was seen. The
// title continues the sentence "the client …".
func It(slug, title string, in *Scene, body func(*T), options ...check.Option) {
	if in.Moment == nil {
		panic(slug + ": a scene says from what moment on it can be judged, with From()")
	}
	declared := func(c *check.Check) {
		scenes[c.ID] = in
		c.Sends, c.Expects = in.Meets+".", "The client "+title+". Judged once it "+in.Moment.Words+"."
		c.Labels = append(c.Labels, strings.ReplaceAll(in.Name, ", ", "-"))
	}
	check.It(slug, title, func(t *check.T) { in.judge(t, body) }, append([]check.Option{declared}, options...)...)
}

// Player lets the client meet a world: by running its command, or with a person at it.
type Player interface {
	// Play returns the attempt to judge and, where the scene is hostile, the honest one beside it. Where that did not
	// succeed there is nothing to judge.
	Play(t *check.T, in *Scene) (judged, honest *program.Attempt)
	// Attempts are all so far, by the ids of their checks.
	Attempts() map[string]*program.Attempt
	// Also plays another scene beside the check's own; nil when that cannot be.
	Also(t *check.T, in *Scene, honest *program.Attempt) *program.Attempt
	// Confirm makes sure, after a failure, that an honest world still lets the client through.
	Confirm(t *check.T, in *Scene, failed, honest *program.Attempt)
}

// muchSlower is by how much a run has to outlast an honest one to be taken for one that hangs at once; others may have
// been slowed down by the machine, and are repeated.
const muchSlower = 10

// judge lets the client meet the scene and judges what it did there.
func (in *Scene) judge(ct *check.T, body func(*T)) {
	p := ct.World.(Player)
	judged, honest := p.Play(ct, in)
	if honest != nil {
		Record(ct, honest, reports.Control, judged == nil)
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
	Record(ct, judged, part, true)
	if honest != nil {
		if ct.Attempt == 1 && judged.TimedOut && muchSlower*honest.Took > judged.Took {
			ct.Doubtf("the client did not end in time, but an honest run took %.1f s, too", honest.Took.Seconds())
		}
		ct.BeforeFailing(func() { p.Confirm(ct, in, judged, honest) })
	}
	t := &T{
		T: ct, Attempt: judged, World: judged.World, Honest: honest, All: p.Attempts(), scene: in, player: p,
	}
	body(t)
	if honest != nil && ct.Attempt == 2 && !t.Through() {
		// The first attempt found something, or was disturbed: a client that stops now may have been stopped.
		ct.Doubtf("the client stopped, as it would have if something had come between, and is run again")
	}
	if !t.succeeded {
		t.MustBeTempted() // what it did wrong counts, wherever it came to; what it did not, from the moment on
	}
}

// unjudged ends a check whose honest attempt did not succeed: nothing can be said of the hostile one.
func (in *Scene) unjudged(t *check.T, honest *program.Attempt) {
	if !in.Needed && honest.Failed == nil && !honest.TimedOut {
		t.Skipf("the client does not %s: in the honest scenario %s", in.Offers, honest.Summary())
	}
	t.Inconclusivef("the honest scenario did not succeed, so stopping in this one would prove nothing: %s",
		honest.Summary())
}
