package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/client/drive"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
)

// clientFlags are the flags of `emaconform client`.
type clientFlags struct {
	profile      string
	checks       []string
	labels       string
	timeout      time.Duration
	parallel     int
	confidential bool
	env          []string
	dir          string
	memory       int64
	preset       string
	https        bool
	ca           string
	redirectURIs []string
	clientID     string
	document     string
	revision     string
	terminal     bool
	loggedIn     bool // the driven client begins with a login that has been
	defects      []string
	disturbed    string
	attended     attendedFlags
	driven       *drive.Client // by its command line; nil: it is not one of a preset
	reportFlags
}

const clientLong = `Judges an MCP client: plays the identity provider, the Resource Authorization Server and the MCP
server, honest and hostile, runs the client once for each scenario, and watches what it sends to whom.

The command behind -- gets the URL of the MCP server as its last argument and, in the environment,
MCP_CONFORMANCE_SCENARIO and MCP_CONFORMANCE_CONTEXT: the contract of the official MCP conformance runner, so that the
conformance client of an SDK runs unchanged. suites/client/README.md describes the context.

Without a command it judges the reference client that is built in.`

func newClient() *cobra.Command { return newClientFor(&clientFlags{}) }

func newClientFor(f *clientFlags) *cobra.Command {
	c := &cobra.Command{
		Use:   "client [-- COMMAND [ARGUMENT…]]",
		Short: "Judge an MCP client",
		Long:  clientLong,
		Example: `  emaconform client
  emaconform client --dir . -- npx tsx my-client.ts
  emaconform client --confidential -- ./my-client
  emaconform client --check 'CL-NO-LEAK' -- ./my-client --verbose
  emaconform client --attended --redirect-uri http://127.0.0.1:33418/callback`,
		RunE: func(c *cobra.Command, command []string) error {
			// An empty variable of a script behind -- is no wish to judge the reference client.
			if c.ArgsLenAtDash() == len(command) || len(command) > 0 && command[0] == "" {
				return errors.New("no command after --: which client is to be judged?")
			}
			given := f.attended.given(c.Flags()) // the environment may be for other runs, too
			if err := fromEnvironment(c.Flags(), os.Environ()); err != nil {
				return err
			}
			if len(given) > 0 && !f.attended.on && f.preset == "" {
				return fmt.Errorf("--%s is for a run with --attended", given[0])
			}
			return f.run(c, command)
		},
	}
	c.Flags().StringVar(&f.profile, "profile", catalogue.ProfileEMA, profileHelp)
	c.Flags().StringSliceVar(&f.checks, "check", nil, "only these checks or requirements; * and ? match")
	c.Flags().StringVar(&f.labels, "label", "", "only checks with these labels, e.g. 'must && !login'")
	c.Flags().DurationVar(&f.timeout, "timeout", client.DefaultTimeout, "how long one run of the client may take")
	c.Flags().IntVar(&f.parallel, "parallel", 0, "clients at a time, at most (default: as many as the machine "+
		"can do with)")
	c.Flags().BoolVar(&f.confidential, "confidential", false,
		"the client has a secret at the IdP in every scenario (context: idp_client_secret)")
	c.Flags().StringArrayVar(&f.env, "env", nil,
		"name of a variable of this environment that the client gets, besides PATH, HOME and LANG; may be repeated")
	c.Flags().StringVar(&f.dir, "dir", "", "where the client runs (default: an empty directory of its own for each run)")
	c.Flags().Int64Var(&f.memory, "memory", client.DefaultMemory>>20,
		"MiB that the client may take up, with what it starts")
	c.Flags().StringVar(&f.preset, "preset", "",
		"a well-known client: claude-code and mcp-inspector are driven by their command line, found in PATH or named "+
			"behind --; with --attended, and for vscode and codex, a page says what to type")
	c.Flags().BoolVar(&f.loggedIn, "logged-in", false, "the client that --preset drives begins with a login that has "+
		"been: its own store holds the scenario's ID token, where there is one")
	c.Flags().BoolVar(&f.terminal, "terminal", false, "the client runs before a terminal of its own: some want one "+
		"before they open a browser")
	c.Flags().StringSliceVar(&f.defects, "defect", nil, "switch defects on in the reference client")
	c.Flags().StringVar(&f.disturbed, "disturb", "", "let a disturbance come between the reference client and everybody "+
		"(see emaconform matrix --list --disturbances)")
	f.meets(c)
	f.attended.add(c)
	f.add(c)
	return c
}

// meets adds the flags that say which worlds the client meets, and as whom.
func (f *clientFlags) meets(c *cobra.Command) {
	c.Flags().BoolVar(&f.https, "https", false, "every world over https (context: ca_file, environment: SSL_CERT_FILE "+
		"and others)")
	c.Flags().StringVar(&f.ca, "ca", "", "file of the CA for https, with its key: made when missing, its "+
		"certificate goes to FILE.crt for the client to trust; implies --https")
	c.Flags().StringSliceVar(&f.redirectURIs, "redirect-uri", nil,
		"where the client's logins end, as it is registered, on loopback with any port; several are possible")
	c.Flags().StringVar(&f.clientID, "client-id-document", client.DefaultClientID,
		"client id that is the URL of a document which the client publishes (CIMD), for the world that takes no other")
	c.Flags().StringVar(&f.document, "client-document", "", "file with the document that stands there, to be judged "+
		"(default: fetched from --client-id-document, when that is given)")
	c.Flags().StringVar(&f.revision, "revision", "both", "revision of MCP to judge by: "+world.Revision2025+", "+
		world.Revision2026+" or both; also --revisions")
	c.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "revisions" {
			name = "revision"
		}
		return pflag.NormalizedName(name)
	})
}

func (f *clientFlags) run(c *cobra.Command, command []string) error {
	if err := f.settle(c); err != nil {
		return err
	}
	if err := f.makeSense(c, command); err != nil {
		return err
	}
	options, err := f.options(c, command)
	if err != nil {
		return err
	}
	if name := secretArgument(command); name != "" {
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s on the command line can be read by every user of this machine, "+
			"and stands in reports: give it to the client in its environment, with --env NAME\n", name)
	}
	switch {
	case f.attended.on:
		return f.attended.run(c, options, &f.reportFlags)
	case f.driven != nil:
		err = f.drive(c.Context(), &options)
	case len(command) == 0:
		err = f.embed(&options)
	case f.terminal:
		err = beforeTerminal(&options)
	}
	if err != nil {
		return err
	}
	return f.judge(c, func(ctx context.Context, p engine.Progress) (*reports.Report, error) {
		options.Progress = p
		return client.Run(ctx, options)
	})
}

// makeSense finds what is wrong with the flags, each by itself and one beside the other.
func (f *clientFlags) makeSense(c *cobra.Command, command []string) error {
	if err := knownProfile(f.profile); err != nil {
		return err
	}
	if f.parallel < 0 {
		return fmt.Errorf("--parallel %d: expected 0 (choose for me) or more", f.parallel)
	}
	if err := timeLimits(c.Flags(), "timeout"); err != nil {
		return err
	}
	if !slices.Contains([]string{"both", world.Revision2025, world.Revision2026}, f.revision) {
		return fmt.Errorf("--revision %q is none of %s, %s, both", f.revision, world.Revision2025, world.Revision2026)
	}
	for _, uri := range f.redirectURIs {
		if !redirectable(uri) {
			return fmt.Errorf("--redirect-uri %q: expected an absolute URL, without fragment: https, http on loopback, "+
				"or the scheme of a native app, such as app:/callback", uri)
		}
	}
	if u, err := url.Parse(f.clientID); err != nil || u.Scheme != "https" || u.Host == "" || len(u.Path) < 2 ||
		u.Fragment != "" {
		return fmt.Errorf("--client-id-document %q: expected an https URL with a path", f.clientID)
	}
	spoiled := len(f.defects) > 0 || f.disturbed != ""
	switch {
	case f.loggedIn && f.driven == nil:
		return errors.New("--logged-in is for a client that --preset drives by its command line")
	case f.attended.on && (len(command) > 0 || spoiled):
		return errors.New("--attended is for a client that a person operates: it takes no command, no --defect and " +
			"no --disturb")
	case f.driven != nil && spoiled:
		return fmt.Errorf("--defect and --disturb are for the reference client, not for %s", f.preset)
	case len(command) > 0 && spoiled:
		return fmt.Errorf("--defect and --disturb are for the reference client, not for %s", command[0])
	case f.terminal && !f.attended.on && f.driven == nil && len(command) == 0:
		return errors.New("--terminal is for a command: the reference client wants none")
	}
	return nil
}

// options are what the flags say of the client behind them, but for how it is run; files that they name are read.
func (f *clientFlags) options(c *cobra.Command, command []string) (o client.Options, err error) {
	if f.ca != "" {
		if f.ca, err = filepath.Abs(f.ca); err != nil {
			return o, fmt.Errorf("--ca: %w", err)
		}
		if _, err = mockidp.LoadOrCreateCA(f.ca); err != nil {
			return o, fmt.Errorf("--ca: %w", err)
		}
	}
	o = client.Options{
		Nonce: f.nonce, Seed: f.seed, Command: command, Timeout: f.timeout, Parallel: f.parallel,
		Confidential: f.confidential,

		ClientID: f.clientID, HTTPS: f.https, CAFile: f.ca, RedirectURIs: f.redirectURIs,
		Revision: strings.TrimPrefix(f.revision, "both"), Profile: f.profile,
		Selection: engine.Selection{Checks: f.checks, Labels: f.labels},
	}
	if o.Document, err = f.published(c); err != nil {
		return o, err
	}
	return o, f.confine(&o)
}

// confine says what the client gets of this machine.
func (f *clientFlags) confine(o *client.Options) error {
	for _, name := range f.env {
		if strings.ContainsAny(name, "= ") || name == "" {
			return errors.New("--env takes the name of a variable, not its value: --env NAME")
		}
		if _, ok := os.LookupEnv(name); !ok {
			return fmt.Errorf("--env %s: this environment has no such variable", name)
		}
	}
	if f.memory <= 0 {
		return fmt.Errorf("--memory %d: expected a number of MiB, more than 0", f.memory)
	}
	if f.dir != "" {
		if info, err := os.Stat(f.dir); err != nil || !info.IsDir() {
			return fmt.Errorf("--dir %s: there is no such directory", f.dir)
		}
	}
	o.Pass, o.Dir, o.Memory = f.env, f.dir, f.memory<<20
	return nil
}

var secretFlag = regexp.MustCompile(`(?i)^--?[a-z-]*(secret|password|token|api-?key|private-?key)[a-z-]*(=|$)`)

// secretArgument is the name of the first argument that seems to be a secret, "" when there is none.
func secretArgument(args []string) string {
	for i, arg := range args {
		name, _, inline := strings.Cut(arg, "=")
		if secretFlag.MatchString(arg) && (inline || i+1 < len(args)) && !strings.Contains(strings.ToLower(name), "file") {
			return name
		}
	}
	return ""
}

// embed lets the run judge the reference client: this program in another part.
func (f *clientFlags) embed(o *client.Options) (err error) {
	if o.Command, o.Environment, err = fixture.Command(f.defects...); err != nil {
		return err
	}
	o.Document = fixture.Document(o.ClientID, f.defects...)
	if f.disturbed != "" {
		between, err := fixture.Disturbed(f.disturbed)
		if err != nil {
			return err
		}
		o.Environment = append(o.Environment, between...)
	}
	o.Describe = func(t *reports.Target) {
		t.Name, t.Command, t.Embedded, t.Defects = "reference client", "", true, f.defects
	}
	return nil
}
