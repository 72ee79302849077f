// Package judge judges one identity provider: it signs people in, makes sure that an honest exchange works, has the
// engine run the checks and puts their results into a report.
package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/provenance"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Options says what to run.
type Options struct {
	Config    *config.Config
	Profile   string // catalogue.ProfileEMA when empty
	Selection engine.Selection
	Workers   int             // upper bound of what runs at a time; 0: the engine's
	Seed      uint64          // of the order of the checks; 0: drawn
	Intrusive bool            // also where the identity provider is not on loopback
	Nonce     string          // into the report; "" draws one
	Progress  engine.Progress // nil: silent
	// Attend has a person sign in to what the asks name, and puts the tokens on the desk; nil where nobody is there.
	Attend func(context.Context, *signin.Desk, []signin.Ask) error
	// Describe adds what only the caller knows to the report's target; may be nil.
	Describe func(*reports.Target)
}

// Run judges the identity provider that the options describe. An error means that no run took place: the configuration
// or the machine is at fault. Whatever the provider does, and when ctx ends, there is a report.
func Run(ctx context.Context, o Options) (*reports.Report, error) {
	if o.Profile == "" {
		o.Profile = catalogue.ProfileEMA
	}
	if o.Progress == nil {
		o.Progress = engine.Silent{}
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	o.Config.Defaults()
	if err := o.Config.Resolve(); err != nil {
		return nil, err
	}
	selected, err := o.Selection.Of(check.AllIn(o.Profile, role))
	if err != nil {
		return nil, err
	}
	stranger, err := mockidp.NewKeySet(jose.ES256)
	if err != nil {
		return nil, err
	}
	asked := provenance.Run{
		Roles: []string{role}, Profile: o.Profile, Selection: o.Selection, Seed: o.Seed, Nonce: o.Nonce,
	}
	report := asked.Begin()
	bounded, cancel := engine.Bounded(ctx, o.Config.Timing.Run)
	defer cancel()
	r := &runner{Options: o, selected: selected, secrets: redact.New(), base: assignment{
		Conditions: check.Conditions{Profile: o.Profile, Intrusive: o.Intrusive || o.Config.Loopback()},
		Config:     o.Config, Stranger: stranger,
	}}
	if err := r.run(bounded, report); err != nil {
		return nil, err
	}
	asked.Finish(report, r.secrets)
	return report, nil
}

type runner struct {
	Options
	selected []*check.Check
	base     assignment
	secrets  *redact.Set
}

func (r *runner) run(ctx context.Context, report *reports.Report) (err error) {
	report.Configuration, report.Intrusive = configuration(r.Config), r.base.Conditions.Intrusive
	if r.base.Roots, err = wire.ReadRoots(r.Config.CAFile); err != nil {
		return err
	}
	r.base.Hosts = r.Config.Hosts()
	r.base.Hosts.Resolve(ctx)
	w, err := r.base.world(engine.MostWorkers, r.secrets)
	if err != nil {
		return err
	}
	defer w.Wire.Close()
	pre := &preflight{t: world.Outside(ctx, w), attend: r.Attend, progress: r.Progress}
	problem := pre.run()
	report.Preflight = pre.steps
	report.Target = r.describe(w)
	r.prove(ctx, &report.Target, w)
	if problem != "" {
		report.Ended, report.Problem = engine.EndedPreflight, problem
		if ctx.Err() != nil {
			report.Ended, report.Problem = engine.Ended(ctx)
		}
		report.Load = engine.Load(report)
		return nil
	}
	r.base.Provider, r.base.Held, r.base.Failed, r.base.Skew = w.Provider, w.Desk.Held(), w.Desk.Failed(), w.Skew
	return r.checks(ctx, report, w)
}

// checks runs what can run in this world and puts the results into the report.
func (r *runner) checks(ctx context.Context, report *reports.Report, w *world.World) error {
	job := engine.Job{
		Role: role, Assignment: r.base, Profile: r.Profile, Workers: r.Workers, Seed: r.Seed, Progress: r.Progress,
		Secrets: r.secrets,
	}
	job.Plan(r.selected, func(c *check.Check) (why, key string) { return c.Skipped(w.Conditions, w) })
	return job.Judge(ctx, report)
}

func (r *runner) describe(w *world.World) reports.Target {
	t := reports.Target{Name: r.Config.Name, URL: r.Config.IdP.Issuer, AuthorizationServer: r.Config.IdP.Issuer}
	if w.Provider != nil {
		t.TokenEndpoint = w.Provider.Token
	}
	if r.Describe != nil {
		r.Describe(&t)
	}
	return t
}

// prove adds who answered, and what was found in the metadata.
func (r *runner) prove(ctx context.Context, t *reports.Target, w *world.World) {
	if w.Provider == nil {
		return
	}
	provenance.Target(ctx, t, &target.Discovered{Issuer: t.AuthorizationServer, TokenEndpoint: w.Provider.Token,
		ServerMetadataURL: w.Provider.MetadataURL, ServerMetadata: w.Provider.Metadata})
}

// configuration describes a configuration without what is secret: its digest, and what it enabled.
func configuration(c *config.Config) reports.Configuration {
	open := *c
	open.Clients = slices.Clone(c.Clients)
	for n := range open.Clients {
		open.Clients[n].Secret, open.Clients[n].Key = "", nil
	}
	open.Users = slices.Clone(c.Users)
	for n := range open.Users {
		open.Users[n].SignIn = config.SignIn{}
	}
	open.Targets = slices.Clone(c.Targets)
	for n := range open.Targets {
		open.Targets[n].DecryptKey = nil
	}
	open.Hooks, open.StepUp = config.Hooks{}, nil
	raw, err := json.Marshal(open)
	if err != nil {
		panic("a configuration cannot be written as JSON: " + err.Error()) // ours: it was read as such
	}
	return reports.Configuration{Digest: reports.Digest(raw), Enabled: enabled(c)}
}

// enabled lists the optional parts of a configuration that are there.
func enabled(c *config.Config) []string {
	list := []string{fmt.Sprintf("clients (%d)", len(c.Clients)), fmt.Sprintf("targets (%d)", len(c.Targets)),
		fmt.Sprintf("users (%d)", len(c.Users))}
	for _, part := range []struct {
		key string
		set bool
	}{
		{"expired", c.Expired != ""}, {"short_lived", c.ShortLived != ""}, {"rate_client", c.RateClient != ""},
		{"multi_tenant", c.MultiTenant},
		{"hooks", c.Hooks != (config.Hooks{})}, {"saml", c.SAML != nil}, {"step_up", c.StepUp != nil}, {"rar", c.RAR != nil},
		{"log_file", c.LogFile != ""}, {"audit", c.Audit != ""},
	} {
		if part.set {
			list = append(list, part.key)
		}
	}
	return list
}
