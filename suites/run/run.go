// Package run judges one target: it plays the identity provider, makes sure that the happy path works, spreads the checks
// over worker processes and puts their results into a report.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
)

// Options says what to run.
type Options struct {
	Config    *target.Config
	Profile   string // check.ProfileEMA when empty
	Selection Selection
	Workers   int  // 0: from the machine and the target's latency
	Intrusive bool // also where the target is not on loopback
	Keyring   *Keyring
	Progress  Progress // nil: silent
	// Register makes the target trust us, and completes the configuration with what that yields. nil: the command
	// that the configuration names, if any.
	Register func(context.Context, Trust, *target.Config) error
	// Describe adds what only the caller knows to the report's target; may be nil.
	Describe func(*reports.Target)
}

// Progress hears of a run as it goes on. Calls come one at a time.
type Progress interface {
	Step(reports.Step)  // a step of the preflight has ended
	Planned(checks int) // so many results will come
	Started(id string)  // a check begins in some worker
	Finished(reports.Check)
}

type silent struct{}

func (silent) Step(reports.Step)      {}
func (silent) Planned(int)            {}
func (silent) Started(string)         {}
func (silent) Finished(reports.Check) {}

// How a run can end before its time; see reports.Report.Ended.
const (
	EndedPreflight   = "preflight"
	EndedInterrupted = "interrupted"
	EndedTimeLimit   = "time limit"
	EndedTargetLost  = "target lost"
)

// earlyEnd is the cause with which a run's context is cancelled.
type earlyEnd struct{ ended, problem string }

func (e *earlyEnd) Error() string { return e.problem }

// Run judges the target that the options describe. An error means that no run took place: the configuration or the
// machine is at fault. Whatever the target does, and when ctx ends, there is a report.
func Run(ctx context.Context, o Options) (*reports.Report, error) {
	if o.Profile == "" {
		o.Profile = check.ProfileEMA
	}
	if o.Progress == nil {
		o.Progress = silent{}
	}
	if o.Keyring == nil {
		o.Keyring = &Keyring{}
	}
	o.Config.Defaults()
	selected, err := o.Selection.checks()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	// The parties outlive an interrupt: checks that are under way need them.
	parties, err := startParties(context.WithoutCancel(ctx), o.Config, o.Keyring)
	if err != nil {
		return nil, err
	}
	defer parties.Close()
	if err := register(ctx, &o, parties); err != nil {
		return nil, err
	}
	o.Config.Defaults() // of what registering brought
	if err := o.Config.Resolve(); err != nil {
		return nil, err
	}
	limit := o.Config.Timing.Run
	bounded, cancel := context.WithTimeoutCause(ctx, limit, &earlyEnd{EndedTimeLimit, fmt.Sprintf("the run's time limit of %s is over", limit)})
	defer cancel()

	r := &runner{Options: o, parties: parties, selected: selected}
	report, err := r.run(bounded)
	if err != nil {
		return nil, err
	}
	report.Started, report.Seconds = started, time.Since(started).Seconds()
	reports.Finish(report)
	return report, nil
}

type runner struct {
	Options
	parties  *parties
	selected []*check.Check
}

func (r *runner) run(ctx context.Context) (*reports.Report, error) {
	report := &reports.Report{
		Tool:    reports.Tool{Name: "emaconform", Version: Version(), Go: runtime.Version()},
		Profile: r.Profile, Selection: r.Selection.String(), Requirements: requirements(),
	}
	base := r.assignment()
	roots, err := readRoots(r.Config.CAFile)
	if err != nil {
		return nil, err
	}
	base.Roots = roots
	world, err := base.world()
	if err != nil {
		return nil, err
	}
	defer world.Wire.Close()

	pre := &preflight{driver: check.NewDriver(ctx, world), parties: r.parties, progress: r.Progress}
	problem := pre.run()
	base.Target, base.Inbound = world.Target, world.Inbound
	report.Preflight = pre.steps
	report.Target = r.describe(world)
	if problem != "" {
		report.Ended, report.Problem = EndedPreflight, problem
		if ctx.Err() != nil {
			report.Ended, report.Problem = ended(ctx)
		}
		report.Load = reports.Load{Exchanges: exchanges(report), PeakMemory: ownPeakMemory()}
		return report, nil
	}
	workers := r.Workers
	if workers <= 0 {
		workers = suggestWorkers(pre.latency())
	}
	c := &collector{results: map[string]reports.Check{}, progress: r.Progress}
	r.Progress.Planned(len(r.selected))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.lost = func() {
		if why := stillThere(ctx, world); why != "" {
			cancel(&earlyEnd{EndedTargetLost, "the target no longer answers (" + why + ")"})
		}
	}
	plan := schedule(c.skip(r.selected, world), workers, func() bool { return interchangeable(ctx, world) })
	runShards(ctx, base, plan, c)
	report.Ended, report.Problem = ended(ctx)
	for _, k := range r.selected {
		report.Checks = append(report.Checks, c.results[k.ID])
	}
	report.Load = reports.Load{Workers: workers, Exchanges: exchanges(report), PeakMemory: c.memory + ownPeakMemory()}
	return report, nil
}

func (r *runner) assignment() assignment {
	a := assignment{
		Profile: r.Profile, Intrusive: r.Intrusive || target.Loopback(r.Config.URL), Config: r.Config,
		Keys: r.parties.keys, SecondKeys: r.parties.secondKeys, Attacker: r.parties.attacker,
		Control: r.parties.controlURL, Secret: r.parties.secret,
	}
	if r.parties.canary != nil {
		a.Canary = r.parties.canary.URL()
	}
	return a
}

// skip reports the checks that this world cannot run, each with its reason, and returns the others.
func (c *collector) skip(checks []*check.Check, w *check.World) []*check.Check {
	var rest []*check.Check
	for _, k := range checks {
		if why := k.Skipped(w); why != "" {
			c.add(k.SkippedResult(why))
		} else {
			rest = append(rest, k)
		}
	}
	return rest
}

// suggestWorkers is enough workers to keep the machine busy while they wait for a target that is this far away.
func suggestWorkers(latency time.Duration) int {
	const busy = 6 * time.Millisecond // what an exchange costs us, generously
	return max(2*runtime.NumCPU(), min(16, int(latency/busy)))
}

// stillThere says why the target does not answer any more, or "".
func stillThere(ctx context.Context, w *check.World) string {
	a := w.Wire.Do(ctx, check.Initialize(w.Config.URL, ""), nil, reports.Setup, "")
	if a.Err == nil || ctx.Err() != nil {
		return ""
	}
	return a.Summary()
}

func ended(ctx context.Context) (string, string) {
	if ctx.Err() == nil {
		return "", ""
	}
	var early *earlyEnd
	if errors.As(context.Cause(ctx), &early) {
		return early.ended, early.problem
	}
	return EndedInterrupted, "Checks that had not ended are inconclusive."
}

func (r *runner) describe(w *check.World) reports.Target {
	t := reports.Target{
		Name: r.Config.Name, URL: r.Config.URL, Resource: w.Target.Resource,
		AuthorizationServer: w.Target.Issuer, TokenEndpoint: w.Target.TokenEndpoint,
		TrustedIssuers: []string{r.Config.IdP.Issuer},
	}
	if r.Config.SecondIdP != nil {
		t.TrustedIssuers = append(t.TrustedIssuers, r.Config.SecondIdP.Issuer)
	}
	if r.Describe != nil {
		r.Describe(&t)
	}
	return t
}

func exchanges(r *reports.Report) int {
	n := 0
	for _, s := range r.Preflight {
		n += len(s.Exchanges)
	}
	for _, c := range r.Checks {
		n += len(c.Exchanges)
	}
	return n
}

// Version is the version of this program, as the go command stamped it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}

func readRoots(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	return pem, nil
}
