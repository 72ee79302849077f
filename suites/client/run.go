package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/provenance"
)

// Options says which client to judge, and by what.
type Options struct {
	Command     []string      // the client; the URL of the MCP server is put behind it
	Environment []string      // what it needs besides the environment of this process, as NAME=value
	Timeout     time.Duration // for one run of the client; 0 is DefaultTimeout
	Parallel    int           // scenarios at a time; 0: twice the processors
	// Confidential gives the client a secret at the IdP in every scenario, for a client that cannot do without one.
	Confidential bool
	Profile      string // catalogue.ProfileEMA when empty
	Selection    engine.Selection
	Progress     engine.Progress // nil: silent
	Nonce        string          // that the report carries; empty: a random one
	// Describe adds what only the caller knows to the report's target; may be nil.
	Describe func(*reports.Target)
}

// DefaultTimeout bounds one run of a client, as in the official conformance runner.
const DefaultTimeout = 30 * time.Second

// Run runs the client in every selected scenario and judges it. An error means that no run took place; whatever the
// client does, and when ctx ends, there is a report.
func Run(ctx context.Context, o Options) (*reports.Report, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("there is no command to run")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Parallel <= 0 {
		o.Parallel = 2 * runtime.NumCPU()
	}
	selected, err := o.Selection.Of(checksIn(o.profile()))
	if err != nil {
		return nil, err
	}
	r := newRunner(ctx, o)
	steps, err := r.preflight()
	if err != nil {
		return nil, err
	}
	r.judgeAll(selected)
	report := r.report(selected)
	report.Preflight = steps
	if ctx.Err() != nil {
		report.Ended, report.Problem = engine.EndedInterrupted, "Checks that had not ended are inconclusive."
	}
	complete(report)
	return report, nil
}

// complete adds what follows from the results, and the checks that did not run.
func complete(report *reports.Report) {
	report.Finished = time.Now()
	report.MCPRevisions = provenance.Revisions(report)
	reports.Complete(report, provenance.Checks("client"))
	reports.Finish(report)
}

// report puts the results of the checks into a report.
func (r *runner) report(selected []*check.Check) *reports.Report {
	report := &reports.Report{
		Tool: provenance.Tool(), Catalogue: provenance.Catalogue(), Nonce: provenance.Nonce(r.Nonce),
		Profile: r.profile(), Selection: r.Selection.String(), Started: r.started,
		Seconds: time.Since(r.started).Seconds(), Requirements: engine.Requirements(r.profile(), "client"),
		Preflight: []reports.Step{}, // none when a person is at the client
		Load:      reports.Load{Workers: r.Parallel, Exchanges: r.requests, PeakMemory: engine.PeakMemory()},
	}
	if len(r.Command) > 0 {
		report.Target.Command = commandLine(r.Command)
		report.Target.Name = commandLine(append([]string{filepath.Base(r.Command[0])}, r.Command[1:]...))
	}
	report.Target.Confidential = r.Confidential
	if r.Describe != nil {
		r.Describe(&report.Target)
	}
	for _, c := range selected {
		result, judged := r.results[c.ID]
		if !judged {
			result = c.Unfinished("not run")
		}
		report.Checks = append(report.Checks, result)
	}
	return report
}

func (o *Options) profile() string { return cmp.Or(o.Profile, catalogue.ProfileEMA) }

// checksIn are the checks as a profile judges them.
func checksIn(profile string) []*check.Check {
	list := Checks()
	for i, c := range list {
		list[i] = c.In(profile)
	}
	return list
}

// runner judges one client.
type runner struct {
	Options
	command
	ctx     context.Context
	started time.Time

	mu       sync.Mutex
	controls map[*shape]*control
	attempts map[string]*attempt // by check
	results  map[string]reports.Check
	requests int
}

func newRunner(ctx context.Context, o Options) *runner {
	return &runner{
		Options: o, command: command{o.Command, o.Environment, o.Timeout}, ctx: ctx, started: time.Now(),
		controls: map[*shape]*control{}, attempts: map[string]*attempt{}, results: map[string]reports.Check{},
	}
}

// control is the run in an honest world, which all scenarios of its shape share.
type control struct {
	once    sync.Once
	attempt *attempt
}

// control runs the client in the honest world of a shape, once.
func (r *runner) control(s *shape) *attempt {
	r.mu.Lock()
	c := r.controls[s]
	if c == nil {
		c = &control{}
		r.controls[s] = c
	}
	r.mu.Unlock()
	c.once.Do(func() {
		c.attempt = r.attempt(s, nil, nil)
		if registry["CL-NO-LEAK/"+s.name] == nil { // else it has a search for leaks of its own
			r.mu.Lock()
			r.attempts["the honest scenario ("+s.name+")"] = c.attempt
			r.mu.Unlock()
		}
	})
	return c.attempt
}

// world is the honest world of a shape in this run.
func (r *runner) world(s *shape) world.Options {
	options := s.options
	options.Confidential = options.Confidential || r.Confidential
	return options
}

// attempt runs the client once. Where the honest run shows that client or machine are slow, the time bound is longer,
// so that slowness is not taken for hanging.
func (r *runner) attempt(s *shape, hostile func(*world.World), honest *attempt) *attempt {
	options := r.world(s)
	options.RequestTimeout = r.Timeout / 6
	w, err := world.New(options)
	if err != nil {
		return &attempt{Failed: fmt.Errorf("our own error: %w", err), Exit: -1}
	}
	defer func() { _ = w.Close() }() // its listeners go in any case
	if hostile != nil {
		hostile(w)
	}
	c := r.command
	if honest != nil {
		c.timeout = max(c.timeout, 5*honest.Took)
	}
	a := c.run(r.ctx, w)
	r.mu.Lock()
	r.requests += len(a.Requests)
	r.mu.Unlock()
	return a
}

// judgeAll judges the checks, several at a time; those that look at all others come last.
func (r *runner) judgeAll(selected []*check.Check) {
	if r.Progress != nil {
		r.Progress.Planned(len(selected))
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, r.Parallel)
	for _, c := range selected {
		if registry[c.ID].final {
			continue
		}
		wg.Add(1)
		free <- struct{}{}
		go func() {
			defer func() { <-free; wg.Done() }()
			r.judge(c)
		}()
	}
	wg.Wait()
	for _, c := range selected {
		if registry[c.ID].final {
			for _, s := range registry { // what is looked at, whatever was selected, is every honest scenario at least
				r.control(s.in)
			}
			r.judge(c)
		}
	}
}

func (r *runner) judge(c *check.Check) {
	r.tell(func(p engine.Progress) { p.Started(c.ID) })
	started := time.Now()
	result := r.result(c, registry[c.ID])
	result.Seconds = time.Since(started).Seconds()
	r.mu.Lock()
	r.results[c.ID] = result
	r.mu.Unlock()
	r.tell(func(p engine.Progress) { p.Finished(result) })
}

// tell tells the progress, one call at a time.
func (r *runner) tell(what func(engine.Progress)) {
	if r.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	what(r.Progress)
}

func (r *runner) result(c *check.Check, s *scenario) reports.Check {
	if r.ctx.Err() != nil {
		return c.Unfinished("not run: the run was interrupted")
	}
	if c.Level == catalogue.None {
		return c.SkippedResult(c.Skipped(check.Conditions{Profile: r.profile()}, nil))
	}
	honest := r.control(s.in)
	if s.final || s.hostile == nil {
		return r.decide(c, s, honest, nil)
	}
	if !honest.Succeeded() {
		return r.unjudged(c, s.in, honest)
	}
	a := r.attempt(s.in, s.hostile, honest)
	r.mu.Lock()
	r.attempts[c.ID] = a
	r.mu.Unlock()
	return r.decide(c, s, a, honest)
}

// unjudged is the result of a check whose honest scenario did not succeed: so nothing can be said of the hostile one.
func (r *runner) unjudged(c *check.Check, s *shape, honest *attempt) reports.Check {
	result := c.Unfinished("")
	if !s.needed && honest.Failed == nil {
		result.Outcome = reports.Skip
		result.Message = fmt.Sprintf("the client does not %s: in the honest scenario %s", s.offers, honest.Summary())
	} else {
		result.Message = "the honest scenario did not succeed, so stopping in this one would prove nothing: " +
			honest.Summary()
	}
	result.Exchanges, result.Notes = evidence(honest, reports.Control)
	return result
}

// decide judges an attempt. Without honest it is the honest one itself that is judged: then its shape's lack of support
// is told by the judgement's own words.
func (r *runner) decide(c *check.Check, s *scenario, a, honest *attempt) reports.Check {
	result := c.Unfinished("")
	if a.Failed != nil {
		result.Message = a.Failed.Error()
		return result
	}
	j := &judgement{attempt: a, check: c, shape: s.in, all: r.attempts}
	outcome, message := j.decide(s.judge)
	exchanges, notes := evidence(a, part(honest))
	rec, _ := a.World.Exchanges(reports.Setup)
	result.Outcome, result.Message = outcome, rec.Scrub(message)
	result.Warnings, result.Notes = j.warnings, slices.Concat(j.notes, notes)
	if honest != nil {
		result.Exchanges, _ = evidence(honest, reports.Control)
	}
	result.Exchanges = append(result.Exchanges, exchanges...)
	return result
}

func part(honest *attempt) reports.Part {
	if honest == nil {
		return reports.Control
	}
	return reports.Attack
}
