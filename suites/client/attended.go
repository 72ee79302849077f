package client

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/attended"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/wire"
)

// Attended judges a client that a person operates, a desktop application or an IDE: it serves a page that says what to
// do now, shows what is seen, and judges a scenario when the person says what the client did.
//
// All worlds have the same ports and credentials, so that the client is configured once.
type Attended struct {
	options  Options
	ctx      context.Context
	started  time.Time
	playable []*check.Check                      // by kind
	final    []*check.Check                      // judged by what was seen in the others
	left     []*check.Check                      // cannot be played here
	kinds    map[*scenario.Shape]*scenario.Shape // the kind of each shape
	order    []*scenario.Shape                   // the kinds
	fixed    world.Options                       // what stays the same in all worlds
	finished chan struct{}

	settings map[string]any // of the first kind of world, for a person to configure a client with

	mu      sync.Mutex
	current *onStage
	honests map[*scenario.Shape]*program.Attempt // by kind
	played  map[string]*program.Attempt          // by id
	results map[string]reports.Check
	once    sync.Once
}

// onStage is the scenario that is on.
type onStage struct {
	check    *check.Check
	kind     *scenario.Shape
	honest   bool // it is the honest run of its kind, which comes first
	world    *world.World
	settings map[string]any // what the client is configured with
	began    time.Time
	cancel   context.CancelFunc
}

// Attention is how a person is kept busy.
type Attention struct {
	Short  bool   // the scenarios that matter most, in an hour's work at most
	Secret string // what the client's secrets end in, so that they stay the same from run to run; "" makes a new one
	// Recipe says what to type where, for settings; nil: the person knows.
	Recipe func(settings map[string]any) (string, error)
}

// anHour is how many hostile scenarios a person plays in an hour: it takes a minute or two for each.
const anHour = 30

// shorten keeps the scenarios of the first kind, in which the client is configured once: those that look at an honest
// run, which are played at one go, and of the others those by which an attacker gains most, from each requirement in
// turn.
func (a *Attended) shorten() {
	kind := a.kinds[scenario.Login]
	var kept, hostile []*check.Check
	round := map[string]int{} // of a check, by id: which one of its requirement it is
	count := map[string]int{}
	binding := slices.Clone(a.playable)
	slices.SortStableFunc(binding, func(x, y *check.Check) int { return cmp.Compare(weight(x), weight(y)) })
	for _, c := range binding {
		switch s := scenario.Of(c.ID); {
		case a.kinds[s.Shape] != kind:
		case s.Hostile == nil:
			kept = append(kept, c)
		default:
			count[c.Requirement.ID]++
			round[c.ID] = count[c.Requirement.ID]
			hostile = append(hostile, c)
		}
	}
	severity := func(c *check.Check) int { return slices.Index(reports.Severities, c.Requirement.Severity) }
	slices.SortStableFunc(hostile, func(x, y *check.Check) int {
		const few = 4 // of one requirement, before the next severity has its turn
		return cmp.Or(cmp.Compare((round[x.ID]-1)/few, (round[y.ID]-1)/few), cmp.Compare(severity(x), severity(y)),
			cmp.Compare(round[x.ID], round[y.ID]))
	})
	a.playable = slices.Concat(kept, hostile[:min(anHour, len(hostile))])
	a.order = []*scenario.Shape{kind}
}

// weight puts the checks that fail before those that warn.
func weight(c *check.Check) int {
	if strings.HasPrefix(c.Level, "MUST") {
		return 0
	}
	return 1
}

// NewAttended makes the page's handler. The parties listen on ports from basePort on, which must be free. Where
// the client's logins end stands in Options.RedirectURIs, at the port after theirs. Options.Command is not run.
func NewAttended(ctx context.Context, o Options, basePort int) (*Attended, error) {
	selected, err := o.Selection.Of(check.AllIn(o.profile(), role))
	if err != nil {
		return nil, err
	}
	a := &Attended{
		options: o, ctx: ctx, started: time.Now(), finished: make(chan struct{}),
		kinds: map[*scenario.Shape]*scenario.Shape{}, honests: map[*scenario.Shape]*program.Attempt{},
		played: map[string]*program.Attempt{}, results: map[string]reports.Check{},
	}
	redirects := o.RedirectURIs
	if len(redirects) == 0 && basePort != 0 {
		redirects = []string{fmt.Sprintf("http://127.0.0.1:%d/callback", basePort+world.MaxParties)}
	}
	a.fixed = world.Options{BasePort: basePort, Secret: cmp.Or(o.Attended.Secret, rand.Text()), RedirectURIs: redirects}
	a.classify(scenario.Login) // what most people want to see comes first
	for _, c := range selected {
		if why, key := o.skipped(c); why != "" {
			a.results[c.ID] = c.SkippedResult(why, key)
			a.left = append(a.left, c)
		} else if c.Serial {
			a.final = append(a.final, c)
		} else {
			a.playable = append(a.playable, c)
			a.classify(scenario.Of(c.ID).Shape)
		}
	}
	place := func(c *check.Check) int { return slices.Index(a.order, a.kinds[scenario.Of(c.ID).Shape]) }
	slices.SortStableFunc(a.playable, func(x, y *check.Check) int { return place(x) - place(y) })
	if o.Attended.Short {
		a.shorten()
	}
	return a, a.tryPorts()
}

// tryPorts opens the ports of every kind of world once, since a person should learn of a missing one before all else.
func (a *Attended) tryPorts() error {
	for _, kind := range a.order {
		w, err := world.New(a.world(kind))
		if err != nil {
			return fmt.Errorf("%w (the parties take the ports from the base port on: choose another with "+
				"--base-port)", err)
		}
		if a.settings == nil {
			a.settings = w.Context()
			maps.DeleteFunc(a.settings, notForPeople)
			a.settings["server_url"] = w.MCP.Resource
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

// classify finds the kind of a shape: for a person shapes are alike when the client is configured alike.
func (a *Attended) classify(s *scenario.Shape) {
	if a.kinds[s] != nil {
		return
	}
	for _, kind := range a.order {
		if reflect.DeepEqual(a.world(kind), a.world(s)) {
			a.kinds[s] = kind
			return
		}
	}
	a.kinds[s] = s
	a.order = append(a.order, s)
}

// world is the shape of the world that a person's client meets in place of the one of a command.
func (a *Attended) world(s *scenario.Shape) world.Options {
	base := a.options.assignment()
	o := base.options(s)
	if o.Identity == "" || o.Identity == world.Given {
		o.Identity = world.Login // a person's client logs in
	}
	o.BasePort, o.Secret, o.RedirectURIs = a.fixed.BasePort, a.fixed.Secret, a.fixed.RedirectURIs
	if o.Place = a.options.Place; o.Place.PublicURL != "" { // as that has it
		o.TLS, o.CAFile = false, ""
	}
	return o
}

// Settings are what a client is configured with for the first kind of world: the members of the context, and
// server_url.
func (a *Attended) Settings() map[string]any { return maps.Clone(a.settings) }

// Finished is closed when the person has pressed Finish.
func (a *Attended) Finished() <-chan struct{} { return a.finished }

// Report ends what is still on and reports. Scenarios that were not played are skipped.
func (a *Attended) Report() *reports.Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
	for _, c := range a.playable {
		if _, played := a.results[c.ID]; !played {
			a.results[c.ID] = c.SkippedResult("not played", "")
		}
	}
	for _, c := range a.final { // they look at all others, from the point of view of an honest run
		a.results[c.ID] = c.SkippedResult("nothing was played", "")
		for _, kind := range a.order {
			if honest := a.honests[kind]; honest != nil {
				a.results[c.ID] = a.judge(c, honest, nil)
				break
			}
		}
	}
	report := a.options.asked().Begin()
	report.Started, report.Preflight = a.started, []reports.Step{} // there is none with a person at the client
	a.options.describe(report)
	for _, c := range slices.Concat(a.playable, a.final, a.left) {
		report.Checks = append(report.Checks, a.results[c.ID])
	}
	report.Load = engine.Load(report)
	a.options.asked().Finish(report, redact.New()) // however the person ended it, Finish or Ctrl-C
	return report
}

// judge judges what was played, beside the honest attempt where the scenario is hostile.
func (a *Attended) judge(c *check.Check, judged, honest *program.Attempt) reports.Check {
	shown := &shown{judged, honest, a.played}
	return check.New(a.ctx, c, shown, wire.NewRecorder(nil)).Run().Result
}

// shown is an attempt that a person has played.
type shown struct {
	judged, honest *program.Attempt
	all            map[string]*program.Attempt
}

// Play returns what was played.
func (s *shown) Play(*check.T, *scenario.Scene) (judged, honest *program.Attempt) {
	return s.judged, s.honest
}

// Attempts are those that were played.
func (s *shown) Attempts() map[string]*program.Attempt { return s.all }

// Also plays nothing: nobody wants to play one scenario more.
func (s *shown) Also(*check.T, *scenario.Scene, *program.Attempt) *program.Attempt { return nil }

// Confirm believes the person, who need not play the honest scenario twice.
func (s *shown) Confirm(*check.T, *scenario.Scene, *program.Attempt, *program.Attempt) {}

//go:embed attended.html
var intro string

//go:embed attended.js
var script string

// Handler serves the page.
func (a *Attended) Handler() http.Handler {
	page := &attended.Page{
		Title: "emaconform: attended client run", List: "Scenarios", Finish: "Finish and report", Over: "The run has ended",
		Ended: "emaconform has written the reports and printed where they are.", Intro: intro, Script: script,
		State: a.state,
		Do: map[string]func(*http.Request) error{
			"start":  func(r *http.Request) error { return a.start(r.FormValue("check")) },
			"done":   func(r *http.Request) error { return a.done(r.FormValue("saw")) },
			"finish": func(*http.Request) error { a.once.Do(func() { close(a.finished) }); return nil },
		},
	}
	return page.Handler()
}

// start begins a scenario, or the honest run of its kind when that has not been seen to succeed.
func (a *Attended) start(id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.playable, func(c *check.Check) bool { return c.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no scenario %q to play", id)
	}
	a.drop()
	s := scenario.Of(id)
	kind := a.kinds[s.Shape]
	honest := a.honests[kind]
	stage := &onStage{
		check: a.playable[i], kind: kind, began: time.Now(),
		honest: s.Hostile == nil || honest == nil || !honest.Succeeded(),
	}
	w, err := world.New(a.world(kind))
	if err != nil {
		return err
	}
	if !stage.honest {
		s.Hostile(w)
	}
	ctx, cancel := context.WithCancel(a.ctx)
	if err := w.Serve(ctx); err != nil {
		cancel()
		return errors.Join(err, w.Close())
	}
	stage.world, stage.cancel, stage.settings = w, cancel, w.Context()
	maps.DeleteFunc(stage.settings, notForPeople)
	stage.settings["server_url"] = w.MCP.Resource
	a.current = stage
	return nil
}

// notForPeople are members of the context that tell programs what a person knows.
func notForPeople(member string, _ any) bool { return member == "name" || member == "idp_login" }

// drop ends a scenario without a judgement.
func (a *Attended) drop() {
	if a.current != nil {
		a.current.cancel()
		_ = a.current.world.Close()
		a.current = nil
	}
}

// played is what happened so far, as a run that ended with this exit code.
func (s *onStage) played(exit int) *program.Attempt {
	a := &program.Attempt{
		World: s.world, Exit: exit, Took: time.Since(s.began), Requests: s.world.Seen(), Leaks: s.world.Leaks(nil),
	}
	if exit != 0 {
		a.Stderr = []byte("the client showed an error, says the person at it")
	}
	return a
}

// done judges the scenario that is on, by what was seen and by what the person saw: "connected", "error" or "waiting".
func (a *Attended) done(saw string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	stage := a.current
	if stage == nil {
		return errors.New("no scenario is on")
	}
	var played *program.Attempt
	switch saw {
	case "connected":
		played = stage.played(0)
	case "error":
		played = stage.played(1)
	case "waiting":
		played = stage.played(0)
		played.Exit, played.TimedOut = -1, true
	default:
		return fmt.Errorf("saw: %q is none of connected, error, waiting", saw)
	}
	a.drop()
	if stage.honest {
		a.judgeHonest(stage, played)
		return nil
	}
	a.played[stage.check.ID] = played
	a.results[stage.check.ID] = a.judge(stage.check, played, a.honests[stage.kind])
	return nil
}

// judgeHonest judges every scenario that is about the honest run of a kind. The one that the run was for stays to be
// played when it is another one, unless there is no sense in it.
func (a *Attended) judgeHonest(stage *onStage, played *program.Attempt) {
	a.honests[stage.kind] = played
	for _, c := range a.playable {
		if s := scenario.Of(c.ID); s.Hostile == nil && a.kinds[s.Shape] == stage.kind {
			a.results[c.ID] = a.judge(c, played, nil)
		}
	}
	if s := scenario.Of(stage.check.ID); s.Hostile != nil {
		if played.Succeeded() {
			delete(a.results, stage.check.ID)
		} else {
			a.results[stage.check.ID] = a.judge(stage.check, nil, played)
		}
	}
}
