// Package run judges one server: it plays the identity provider, makes sure that the happy path works, has the engine
// run the checks and puts their results into a report.
package run

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/provenance"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Options says what to run.
type Options struct {
	Config    *target.Config
	Profile   string // catalogue.ProfileEMA when empty
	Selection engine.Selection
	Workers   int    // upper bound of what runs at a time; 0: the engine's
	Seed      uint64 // of the order of the checks; 0: drawn
	Nonce     string // that the report carries; empty: a random one
	Intrusive bool   // also where the target is not on loopback
	Keyring   *Keyring
	Progress  engine.Progress // nil: silent
	// Register makes the target trust us, and completes the configuration with what that yields. nil: the command
	// that the configuration names, if any.
	Register func(context.Context, Trust, *target.Config) error
	// Describe adds what only the caller knows to the report's target; may be nil.
	Describe func(*reports.Target)
	// Expected is what is known of the target beforehand; nil is nothing.
	Expected *Expected
}

// Expected is where a target's servers were at some time. Discovery overrides it, and the preflight says where they
// differ; what discovery does not find is taken from here. "" is not known.
type Expected struct {
	By                              string // who says so and of when, as a part of a sentence
	Resource, Issuer, TokenEndpoint string
}

// Run judges the target that the options describe. An error means that no run took place: the configuration or the
// machine is at fault. Whatever the target does, and when ctx ends, there is a report.
func Run(ctx context.Context, o Options) (*reports.Report, error) {
	if o.Profile == "" {
		o.Profile = catalogue.ProfileEMA
	}
	if o.Progress == nil {
		o.Progress = engine.Silent{}
	}
	if o.Keyring == nil {
		o.Keyring = &Keyring{}
	}
	o.Config.Defaults()
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	selected, err := o.Selection.Of(check.AllIn(o.Profile, "ras", "rs"))
	if err != nil {
		return nil, err
	}
	asked := provenance.Run{Roles: []string{"ras", "rs"}, Profile: o.Profile, Selection: o.Selection, Seed: o.Seed,
		Nonce: o.Nonce}
	report := asked.Begin()
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
	if err := parties.describe(o.Config); err != nil {
		return nil, err
	}
	if err := o.Config.Resolve(); err != nil {
		return nil, err
	}
	bounded, cancel := engine.Bounded(ctx, o.Config.Timing.Run)
	defer cancel()

	r := &runner{Options: o, parties: parties, selected: selected, secrets: redact.New()}
	if err := r.run(bounded, report); err != nil {
		return nil, err
	}
	asked.Finish(report, r.secrets)
	report.Target.Version = provenance.ServerVersion(report) // of what was redacted
	return report, nil
}

type runner struct {
	Options
	parties  *parties
	selected []*check.Check
	secrets  *redact.Set
}

func (r *runner) run(ctx context.Context, report *reports.Report) error {
	base := r.assignment()
	report.Configuration, report.Intrusive = provenance.Configuration(r.Config), base.Conditions.Intrusive
	roots, err := wire.ReadRoots(r.Config.CAFile)
	if err != nil {
		return err
	}
	base.Roots, base.Hosts = roots, r.Config.Hosts()
	base.Hosts.Resolve(ctx)
	world, err := base.world(engine.MostWorkers, r.secrets)
	if err != nil {
		return err
	}
	defer world.Wire.Close()

	pre := &preflight{t: server.Outside(ctx, world), parties: r.parties, progress: r.Progress}
	if r.Expected != nil {
		pre.expected = *r.Expected
	}
	problem, look := r.prepare(pre)
	report.Preflight = pre.steps
	report.Target = r.describe(world)
	provenance.Target(ctx, &report.Target, world.Target)
	if problem != "" {
		report.Ended, report.Problem = engine.EndedPreflight, problem
		if ctx.Err() != nil {
			report.Ended, report.Problem = engine.Ended(ctx)
		}
		report.Load = engine.Load(report)
		return nil
	}
	base.Target, base.Inbound, base.Skew = world.Target, world.Inbound, world.Skew
	base.Conditions.Look = look != ""
	if err := r.checks(ctx, report, base, world); err != nil {
		return err
	}
	if look != "" && report.Ended == "" {
		report.Ended, report.Problem = reports.FirstLook, look
	}
	return nil
}

// prepare walks the preflight. problem keeps every check from running; look, what the report is to begin with, keeps
// those from running that need a token.
func (r *runner) prepare(pre *preflight) (problem, look string) {
	if r.Config.Look() {
		pre.t.Look = true
		return pre.look()
	}
	if problem = pre.run(); problem != "" && pre.offersNothing() {
		pre.t.Look = true
		failed := pre.notOffered()
		return "", failed.saw + " " + failed.fix
	}
	return problem, ""
}

// checks runs what can run in this world and puts the results into the report.
func (r *runner) checks(ctx context.Context, report *reports.Report, base assignment, world *server.World) error {
	if base.Conditions.Look {
		r.selected = slices.DeleteFunc(r.selected, func(c *check.Check) bool { return !c.Open })
	}
	job := engine.Job{
		Role: role, Profile: r.Profile, Workers: r.Workers, Seed: r.Seed, Progress: r.Progress, Secrets: r.secrets,
	}
	job.Plan(r.selected, func(c *check.Check) (why, key string) {
		why, key = c.Skipped(base.Conditions, world)
		if why == "" && base.Conditions.Look && c.Requirement.Role == "ras" && world.Target.Issuer == "" {
			return "no authorization server was found", "authorization_server"
		}
		return why, key
	})
	serial := func(c *check.Check) bool { return c.Serial }
	base.TwoIdPs = slices.ContainsFunc(job.Checks, serial) && r.interchangeable(ctx, world)
	job.Assignment = base
	return job.Judge(ctx, report)
}

// interchangeable reports whether the target fetches keys from the second identity provider as it does from the first,
// and takes its ID-JAGs. One that knew its keys already shows it by a new one, as it did with those of the first.
func (r *runner) interchangeable(ctx context.Context, w *server.World) bool {
	c := w.Config
	if c.SecondIdP == nil || c.SecondIdP.Static() || c.IdP.Static() || (c.IdP.CA == "") != (c.SecondIdP.CA == "") ||
		!w.Inbound {
		return false
	}
	p := &preflight{t: server.Outside(ctx, w.Swapped()), progress: r.Progress}
	return server.Granted(p.t.Present(p.t.Grant(), reports.Setup, "")) && (p.fetches() > 0 || p.refetches())
}

func (r *runner) assignment() assignment {
	a := assignment{
		Conditions: check.Conditions{Profile: r.Profile, Intrusive: r.Intrusive || target.Loopback(r.Config.URL)},
		Config:     r.Config,
		Keys:       r.parties.keys, SecondKeys: r.parties.secondKeys,
		DisabledKeys: r.parties.disabledKeys, Attacker: r.parties.attacker,
		Control: r.parties.controlURL, Secret: r.parties.secret,
	}
	if r.parties.canary != nil {
		a.Canary, a.Documents = r.parties.canary.URL(), r.parties.documents
	}
	return a
}

func (r *runner) describe(w *server.World) reports.Target {
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
