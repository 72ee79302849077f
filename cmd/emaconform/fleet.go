package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/fleet"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/wire"
)

func newFleet() *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Judge many connectors, in shards, and merge their reports",
		Long: `Judges the connectors of a fleet file:

  defaults:                 # as a configuration of emaconform server
    clients: [{id: suite, secret_env: SECRET}]
  connectors:
    - name: notes            # the name of its folder of reports
      url: https://notes.example/mcp

or of a directory with a configuration for each, called by its file's name, and defaults.yaml for what they share.`,
	}
	c.AddCommand(newFleetRun(), newFleetMerge())
	return c
}

// fleetRun is `emaconform fleet run`.
type fleetRun struct {
	out, shard string
	tolerate   bool
	parallel   int
	selection  engine.Selection
	profile    string

	mu   sync.Mutex // of what follows, and of what is printed
	code int
}

func newFleetRun() *cobra.Command {
	f := &fleetRun{}
	c := &cobra.Command{
		Use:   "run FLEET",
		Short: "Judge the connectors of one shard",
		Long: `Judges the connectors of one shard and writes OUT/NAME/report.json for each. FLEET is a file, or a directory of
configurations. The shard comes from --shard, or from the environment: JOB_COMPLETION_INDEX and JOB_COMPLETIONS
(Kubernetes), CI_NODE_INDEX and CI_NODE_TOTAL (GitLab). Connectors of one host, or with one port or file of ours, are
judged one after the other.

Exit codes: 1 a connector is not conformant (0 with --verdicts-pass), 3 a connector could not be judged.`,
		Example: "  emaconform fleet run fleet.yaml --shard 2/5 --out reports --verdicts-pass",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringVarP(&f.out, "out", "o", "emaconform-fleet", "directory for the reports")
	c.Flags().StringVar(&f.shard, "shard", "", "this shard of how many, from 1, e.g. 2/5")
	c.Flags().BoolVar(&f.tolerate, "verdicts-pass", false, "a connector that is not conformant is a result, no "+
		"failure of the job")
	c.Flags().IntVar(&f.parallel, "parallel", runtime.GOMAXPROCS(0), "how many connectors to judge at a time")
	c.Flags().StringSliceVar(&f.selection.Checks, "check", nil, "only these checks or requirements (* and ? match)")
	c.Flags().StringVar(&f.selection.Labels, "label", "", "only checks with these labels, e.g. '!serial'")
	c.Flags().StringVar(&f.profile, "profile", catalogue.ProfileEMA, profileHelp)
	return c
}

func (f *fleetRun) run(c *cobra.Command, path string) error {
	list, err := fleet.Load(path)
	if err != nil {
		return err
	}
	index, total, err := shardOf(f.shard, os.Getenv)
	if err != nil {
		return err
	}
	if f.parallel < 1 {
		return fmt.Errorf("--parallel %d: expected 1 or more", f.parallel)
	}
	if err := knownProfile(f.profile); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(f.parallel)
	for _, connectors := range fleet.Groups(list.Shard(index, total)) {
		group.Go(func() error {
			for _, k := range connectors {
				if c.Context().Err() == nil {
					f.judge(c, k)
				} else { // what is not judged is no crash of those that were
					f.note(exitInconclusive)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if f.code != exitConformant {
		return exitCode(f.code)
	}
	return nil
}

// judge judges one connector and says what came of it.
func (f *fleetRun) judge(c *cobra.Command, k fleet.Connector) {
	verdict, problem := f.report(c.Context(), k)
	switch verdict {
	case reports.Conformant, reports.ConformantWithWarnings:
	case reports.NotConformant:
		if !f.tolerate {
			f.note(exitNotConformant)
		}
	default:
		f.note(exitInconclusive)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintf(c.OutOrStdout(), "%-30s %s%s\n", k.Name, verdict, because(wire.Printable(problem, 300)))
}

func (f *fleetRun) note(code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code = max(f.code, code)
}

// report judges one connector and writes its report. What goes wrong costs this connector alone.
func (f *fleetRun) report(ctx context.Context, k fleet.Connector) (reports.Verdict, string) {
	config := k.Config
	config.Name = k.Name
	dir := filepath.Join(f.out, k.Name)
	err := reports.Remove(dir)
	var report *reports.Report
	if err == nil {
		report, err = run.Run(ctx, run.Options{Config: &config, Profile: f.profile, Selection: f.selection,
			Progress: engine.Silent{}})
	}
	if err == nil {
		_, err = reports.WriteAll(dir, report, []string{"json"})
	}
	if err != nil {
		return reports.NoVerdict, err.Error()
	}
	return report.Verdict, report.Problem
}

// shardOf is the shard to run, from 0, of how many: as the flag says, or as the scheduler does.
func shardOf(flag string, env func(string) string) (index, total int, err error) {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			return -1
		}
		return n
	}
	named := "--shard " + flag
	switch {
	case flag != "":
		i, n, _ := strings.Cut(flag, "/")
		index, total = number(i)-1, number(n)
	case env("JOB_COMPLETION_INDEX") != "":
		named = "JOB_COMPLETION_INDEX"
		index, total = number(env("JOB_COMPLETION_INDEX")), number(env("JOB_COMPLETIONS"))
	case env("CI_NODE_INDEX") != "":
		named = "CI_NODE_INDEX"
		index, total = number(env("CI_NODE_INDEX"))-1, number(env("CI_NODE_TOTAL"))
	default:
		return 0, 1, nil
	}
	if total < 1 || index < 0 || index >= total {
		return 0, 0, fmt.Errorf("%s: there is no such shard: expected 1/N to N/N, or the scheduler's index and "+
			"number of jobs", named)
	}
	return index, total, nil
}

func newFleetMerge() *cobra.Command {
	var out, metrics, trend, since string
	var maxAge time.Duration
	c := &cobra.Command{
		Use:   "merge FLEET DIRECTORY…",
		Short: "Merge the reports of all shards into one result",
		Long: `Reads DIRECTORY/NAME/report.json of each connector of the fleet and writes fleet.json, fleet.md, fleet.html
(connectors by requirements) and junit.xml (a suite for each connector). A connector without a report that can be read
is "not judged", one with several reports has the verdict of the newest. Exit code 1: a connector is not conformant; 3:
one was not judged.`,
		Example: "  emaconform fleet merge fleet.yaml shards/* --since yesterday/fleet.json --openmetrics fleet.prom " +
			"--trend trend.jsonl",
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := fleet.Load(args[0])
			if err != nil {
				return err
			}
			result, err := fleet.Merge(f, args[1:], time.Now(), maxAge)
			if err != nil {
				return err
			}
			if since != "" {
				earlier, err := fleet.ReadResult(since)
				if err != nil {
					return err
				}
				if earlier == nil { // the first night
					fmt.Fprintf(c.OutOrStdout(), "There is no %s yet: nothing is compared.\n", since)
				} else {
					result.Compare(earlier)
				}
			}
			if err := result.Write(out, metrics, trend); err != nil {
				return err
			}
			for _, k := range result.Connectors {
				fmt.Fprintf(c.OutOrStdout(), "%-30s %s%s\n", k.Name, k.Said(), because(k.Problem))
			}
			for _, change := range result.Changes {
				fmt.Fprintf(c.OutOrStdout(), "changed: %s: %s\n", change.Name, change)
			}
			fmt.Fprintln(c.OutOrStdout(), strings.Join(result.Summary(), "\n"))
			if code := result.ExitCode(); code != exitConformant {
				return exitCode(code)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", ".", "directory for the results")
	c.Flags().StringVar(&since, "since", "", "the fleet.json of an earlier merge: what changed? (the first time "+
		"there is none)")
	c.Flags().DurationVar(&maxAge, "max-age", 0, "older reports count as missing, e.g. 20h; 0: any age will do")
	c.Flags().StringVar(&metrics, "openmetrics", "", "file for OpenMetrics")
	c.Flags().StringVar(&trend, "trend", "", "file to which a line of JSON is added, and trend.sql beside it, "+
		"which reads it")
	return c
}

func because(problem string) string {
	if problem == "" {
		return ""
	}
	return ": " + problem
}
