package client

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/provenance"
)

// Options says which client to judge, and by what.
type Options struct {
	Command     []string      // the client; the URL of the MCP server is put behind it
	Environment []string      // what it needs besides the contract's, as NAME=value
	Pass        []string      // names of variables of this process that it gets; PATH, HOME and LANG it gets in any case
	Dir         string        // where it runs; "": in a directory of its own for each run
	Memory      int64         // bytes that it may take up; 0 is DefaultMemory
	Timeout     time.Duration // for one run of the client; 0 is DefaultTimeout
	Parallel    int           // clients at a time, at most; 0 leaves it to the machine
	// Confidential gives the client a secret at the IdP in every scenario, for a client that cannot do without one.
	Confidential bool
	LogsIn       bool     // it is never given an ID token, and logs in where others are
	OwnHome      bool     // it has a home directory of its own in every world
	ConnectsOnly bool     // a connection is all that it makes: it has no way to use a server's tools
	HTTPS        bool     // in every world
	CAFile       string   // of the CA of worlds with https, with its key; made when missing; "" is one for this run
	RedirectURIs []string // of the client's logins; none: one that the client is told of
	ClientID     string   // of the client's own, the URL of a document that it publishes; "" is DefaultClientID
	Document     []byte   // what stands there: a Client ID Metadata Document; nil: it is not judged
	Revision     string   // of MCP: the only one that is judged; "" judges both
	Profile      string   // catalogue.ProfileEMA when empty
	Selection    engine.Selection
	// Place is where the parties are, in a run with a person at the client: not on loopback.
	Place world.Place
	// Attended is for a run with a person at the client.
	Attended Attention
	Progress engine.Progress // nil: silent
	Nonce    string          // that the report carries; empty: a random one
	Seed     uint64          // of the order of the checks; 0: drawn
	// Describe adds what only the caller knows to the report's target; may be nil.
	Describe func(*reports.Target)
}

// DefaultMemory is what a client may take up, with all that it starts, in bytes.
const DefaultMemory = 1 << 30

// DefaultClientID is the client id of a client that publishes it (CIMD), where Options names none.
const DefaultClientID = scenario.PublishedID

// DefaultTimeout bounds one run of a client, as in the official conformance runner. A client whose honest run is slow
// gets more.
const DefaultTimeout = 30 * time.Second

// Run runs the client in every selected scenario and judges it. An error means that no run took place; whatever the
// client does, and when ctx ends, there is a report.
func Run(ctx context.Context, o Options) (*reports.Report, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("there is no command to run")
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.Progress == nil {
		o.Progress = engine.Silent{}
	}
	selected, err := o.Selection.Of(check.AllIn(o.profile(), role))
	if err != nil {
		return nil, err
	}
	report := o.asked().Begin()
	base := o.assignment()
	secrets := redact.New()
	if report.Preflight, err = preflight(ctx, base, o.Progress, secrets); err != nil {
		return nil, err
	}
	o.describe(report)
	job := engine.Job{
		Role: role, Assignment: base, Profile: o.profile(), Seed: o.Seed, Progress: o.Progress, Secrets: secrets,
	}
	job.Plan(selected, o.skipped)
	if err := job.Judge(ctx, report); err != nil {
		return nil, err
	}
	report.Load.Workers = o.Parallel
	o.asked().Finish(report, secrets)
	return report, nil
}

// asked is what the report says of how it was asked for.
func (o *Options) asked() provenance.Run {
	return provenance.Run{
		Roles: []string{role}, Profile: o.profile(), Selection: o.Selection, Seed: o.Seed, Nonce: o.Nonce,
	}
}

// skipped says why a check does not run in this run, and what would let it run.
func (o *Options) skipped(c *check.Check) (why, key string) {
	if r := scenario.Of(c.ID).Options.Revision; r != "" && o.Revision != "" && r != o.Revision {
		return "about revision " + r + " of MCP", "--revision"
	}
	switch in := scenario.Of(c.ID); {
	case in.Options.OtherHosts && (o.Place.Bind != "" || o.Place.PublicURL != ""):
		return "is about loopback addresses", "--bind"
	case in.Options.OtherHosts && !world.HostsAvailable():
		return "needs more loopback addresses than 127.0.0.1, which this machine does not have", ""
	case in.Shape == scenario.HTTPS && o.Place.PublicURL != "":
		return "needs certificates by emaconform's own CA", "--public-url"
	case in.Apart && o.Place.Paths():
		return "needs parties that have hosts of their own: {party} in --public-url", "--public-url"
	}
	return c.Skipped(check.Conditions{Profile: o.profile()}, nil)
}

func (o *Options) assignment() assignment {
	return assignment{
		Command: o.Command, Environment: o.Environment, Pass: o.Pass, Dir: o.Dir, Memory: o.Memory,
		Timeout: o.Timeout, Parallel: o.Parallel, Confidential: o.Confidential,
		ClientID: o.ClientID, Document: o.Document, LogsIn: o.LogsIn, OwnHome: o.OwnHome, ConnectsOnly: o.ConnectsOnly,
		RedirectURIs: o.RedirectURIs, Revision: o.Revision, HTTPS: o.HTTPS, CAFile: o.CAFile,
	}
}

// describe tells which client the report is about.
func (o *Options) describe(report *reports.Report) {
	if len(o.Command) > 0 {
		report.Target.Command = commandLine(o.Command)
		report.Target.Name = commandLine(append([]string{filepath.Base(o.Command[0])}, o.Command[1:]...))
	}
	report.Target.Confidential = o.Confidential
	if o.Describe != nil {
		o.Describe(&report.Target)
	}
}

func (o *Options) profile() string { return cmp.Or(o.Profile, catalogue.ProfileEMA) }
