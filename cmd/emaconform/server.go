package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/prove"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/provenance"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target/preset"
)

// serverFlags are the flags of `emaconform server` that are not part of the target's configuration.
type serverFlags struct {
	config    string
	preset    string
	profile   string
	checks    []string
	labels    string
	workers   int
	intrusive bool
	prove     bool
	reportFlags
	defects   []string
	roundTrip time.Duration
	disturbed string
}

// reportFlags say what becomes of a report; every role's command has them.
type reportFlags struct {
	out           string
	formats       []string
	baseline      string
	writeBaseline string
	strict        bool
	verbose       bool
	quiet         bool
	noColor       bool
	nonce         string
	seed          uint64
}

func (f *reportFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.out, "out", "o", "emaconform-report", "directory for the reports; -: the JSON report on "+
		"standard output, and nothing else there")
	c.Flags().StringSliceVar(&f.formats, "format", []string{"json", "junit", "markdown", "html"}, "reports to write")
	c.Flags().StringVar(&f.baseline, "baseline", "", "file of expected failures: these do not gate")
	c.Flags().StringVar(&f.writeBaseline, "write-baseline", "", "write what failed in this run as a baseline, to be "+
		"given reasons")
	c.Flags().StringVar(&f.nonce, "nonce", "", "nonce that the report carries, as the one who asked for it gave it "+
		"(default: random)")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "of the order of the checks, as a report names it (default: drawn anew)")
	c.Flags().BoolVar(&f.strict, "strict", false, "warnings and stale baseline entries gate, too")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "a line for every check")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress, only the verdict")
	c.Flags().BoolVar(&f.noColor, "no-color", os.Getenv("NO_COLOR") != "",
		"no colours (also: the environment variable NO_COLOR)")
}

const serverLong = `Judges an MCP server and its Resource Authorization Server: plays the identity provider and the
client, and sends honest and hostile ID-JAGs and access tokens.

Without --url it judges the reference target that is built in. With --url alone it takes a first look at any MCP server:
what needs no token (metadata, 401, challenge, Origin), and whether enterprise-managed authorization is offered. To
judge the rest, a client and a user of the target have to be named (--client-id, --user, or --config). A target of your
own has to trust the mock IdP; see "How your server learns to trust the mock IdP" in README.md.

Every setting can stand in the file named by --config, in the environment as EMACONFORM_<FLAG> (EMACONFORM_CLIENT_ID),
or in a flag. A flag wins over the environment, the environment over the file.`

func newServer() *cobra.Command {
	f, s := &serverFlags{}, &settings{}
	c := &cobra.Command{
		Use:   "server",
		Short: "Judge an MCP server and its authorization server",
		Long:  serverLong,
		Example: `  emaconform server
  emaconform server --url https://mcp.example/mcp
  emaconform server --url https://mcp.example/mcp --config ema.yaml
  emaconform server --preset posthog --config ema.yaml
  emaconform server --config ema.yaml --check 'RAS-AUD-*' --label '!slow'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("server takes no arguments, but got %q: is it the --url?", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := fromEnvironment(c.Flags(), os.Environ()); err != nil {
				return err
			}
			switch f.preset {
			case "list":
				return preset.List(c.OutOrStdout())
			case "help":
				return preset.Describe(c.OutOrStdout(), terminal.Width(c.OutOrStdout()))
			}
			return f.run(c, s)
		},
	}
	s.add(c.Flags())
	c.Flags().StringVarP(&f.config, "config", "c", "", "configuration file (YAML)")
	c.Flags().StringVar(&f.preset, "preset", "",
		"defaults for a known connector or platform, as public documents had them (list: which; help: all that they say)")
	c.Flags().StringVar(&f.profile, "profile", catalogue.ProfileEMA, profileHelp)
	c.Flags().StringSliceVar(&f.checks, "check", nil, "only these checks or requirements; * and ? match")
	c.Flags().StringVar(&f.labels, "label", "", "only checks with these labels, e.g. 'ras && !slow'")
	c.Flags().IntVar(&f.workers, "workers", 0, "upper bound of requests at a time; the pace within it follows the "+
		"target (default 64)")
	c.Flags().BoolVar(&f.intrusive, "intrusive", false, "also checks that could hurt a target which is not on loopback")
	c.Flags().BoolVar(&f.prove, "prove", false, "show that the target is yours: it serves a proof that this command names")
	c.Flags().StringSliceVar(&f.defects, "defect", nil, "switch defects on in the reference target (see emaconform "+
		"matrix --list)")
	c.Flags().DurationVar(&f.roundTrip, "round-trip", 0, "put the reference target this far away")
	c.Flags().StringVar(&f.disturbed, "disturb", "", "put the reference target behind a disturbance (see emaconform "+
		"matrix --list --disturbances)")
	f.add(c)
	return c
}

const profileHelp = "what to judge by. ema: EMA as published, ID-JAG draft-04, the RFCs, MCP; hardened: the proposed " +
	"security text, RFC 8725 and RFC 9700 as well; id-jag: the base draft alone; next: open proposals as well"

func knownProfile(profile string) error {
	if !slices.Contains(catalogue.Profiles, profile) {
		return fmt.Errorf("--profile %q is none of: %s", profile, strings.Join(catalogue.Profiles, ", "))
	}
	return nil
}

func (f *serverFlags) run(c *cobra.Command, s *settings) error {
	if err := f.makeSense(c); err != nil {
		return err
	}
	config, err := s.load(f.config, c.Flags())
	if err != nil {
		return err
	}
	var expected *run.Expected
	if f.preset != "" {
		known, err := preset.Find(f.preset)
		if err != nil {
			return err
		}
		if expected, err = known.Lay(config); err != nil {
			return err
		}
	}
	options := run.Options{
		Expected: expected,
		Config:   config, Profile: f.profile, Selection: engine.Selection{Checks: f.checks, Labels: f.labels},
		Workers: f.workers, Seed: f.seed, Intrusive: f.intrusive,
	}
	if config.URL == "" && len(config.Setup) == 0 { // a setup command may bring the url
		if f.config != "" {
			return fmt.Errorf("%s names no url, and there is no --url: which MCP server is to be judged?", f.config)
		}
		reference := &demo.Target{Defects: f.defects, RoundTrip: f.roundTrip, Disturbed: f.disturbed}
		defer reference.Close()
		if err := reference.Configure(&options); err != nil {
			return err
		}
	} else if len(f.defects) > 0 || f.roundTrip > 0 || f.disturbed != "" {
		return fmt.Errorf("--defect, --disturb and --round-trip are for the reference target, not for one of yours")
	}
	options.Nonce = provenance.Nonce(f.nonce)
	return f.judge(c, func(ctx context.Context, p engine.Progress) (*reports.Report, error) {
		options.Progress = p
		if !f.prove {
			return run.Run(ctx, options)
		}
		proof, err := prove.New(ctx, c.ErrOrStderr(), config.URL, options.Nonce, config.CAFile)
		if err != nil {
			return nil, err
		}
		report, err := run.Run(ctx, options)
		if err == nil {
			proof.Conclude(ctx, report)
		}
		return report, err
	})
}

// makeSense looks at the flags whose values say by themselves whether they are right.
func (f *serverFlags) makeSense(c *cobra.Command) error {
	if err := knownProfile(f.profile); err != nil {
		return err
	}
	if f.workers < 0 {
		return fmt.Errorf("--workers %d: expected 0 (choose for me) or more", f.workers)
	}
	if f.roundTrip < 0 {
		return fmt.Errorf("--round-trip %s: expected 0 or more", f.roundTrip)
	}
	return timeLimits(c.Flags(), "timeout", "check-timeout", "request-timeout")
}

// judge runs a run with live progress, applies the baseline, writes the reports and prints the verdict. It serves every
// role.
func (f *reportFlags) judge(c *cobra.Command, do func(context.Context,
	engine.Progress) (*reports.Report, error)) error {
	if err := f.prepare(); err != nil {
		return err
	}
	var baseline *reports.BaselineFile
	if f.baseline != "" {
		var err error
		if baseline, err = reports.LoadBaseline(f.baseline); err != nil {
			return err
		}
	}
	out := c.OutOrStdout()
	if f.out == toOutput {
		out = c.ErrOrStderr()
	}
	color := terminal.IsTerminal(out) && !f.noColor
	progress := terminal.NewProgress(c.ErrOrStderr(), terminal.Look{Quiet: f.quiet, Verbose: f.verbose,
		NoColor: f.noColor})
	report, err := do(c.Context(), progress)
	progress.Close()
	if err != nil {
		return err
	}
	if baseline != nil {
		baseline.Apply(report)
	}
	written, writeErr := f.write(c.OutOrStdout(), report)
	if err := reports.WriteText(out, report, color, terminal.Width(out)); err != nil {
		return err
	}
	if err := reports.WritePaths(out, written, color); err != nil {
		return err
	}
	if f.writeBaseline != "" {
		if err := f.keepBaseline(out, report); err != nil {
			return fmt.Errorf("--write-baseline: %w", err)
		}
	}
	if writeErr != nil {
		return writeErr
	}
	if code := report.ExitCode(f.strict); code != exitConformant {
		return exitCode(code)
	}
	return nil
}

// toOutput stands for standard output in place of a directory.
const toOutput = "-"

// write writes the reports. Those that an earlier run left in the folder, in formats that were not asked for now, go:
// they would be taken for this run's.
func (f *reportFlags) write(out io.Writer, report *reports.Report) ([]string, error) {
	if f.out == toOutput {
		return nil, reports.WriteJSON(out, report)
	}
	return reports.ReplaceAll(f.out, report, f.formats)
}

// prepare finds, before a run and not after it, what would keep its results from being written.
func (f *reportFlags) prepare() error {
	for _, name := range f.formats {
		if !slices.Contains(reports.Formats(), name) {
			return fmt.Errorf("--format %q is none of %s", name, strings.Join(reports.Formats(), ", "))
		}
	}
	if f.out == toOutput {
		return nil
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("--out: cannot make the folder for reports: %w", err)
	}
	if f.writeBaseline != "" {
		if err := writable(f.writeBaseline); err != nil {
			return fmt.Errorf("--write-baseline: %w", err)
		}
	}
	return nil
}

// writable tries whether a file can be written, and leaves all as it was: the run may yet fail.
func writable(path string) error {
	_, missing := os.Stat(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = file.Close()
	if missing != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// keepBaseline writes the baseline that was asked for. A run that ended early knows too little to replace one.
func (f *reportFlags) keepBaseline(out io.Writer, report *reports.Report) error {
	if report.Ended != "" {
		fmt.Fprintf(out, "  %s: not written, since the run ended early\n", f.writeBaseline)
		return nil
	}
	var text bytes.Buffer
	if err := reports.WriteBaseline(&text, report); err != nil {
		return err
	}
	if err := os.WriteFile(f.writeBaseline, text.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s: give each entry its reason\n", f.writeBaseline)
	return nil
}
