package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/fleet"
	"github.com/emaconform/emaconform/suites/run"
)

func newFleet() *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Judge many connectors, in shards, and merge their reports",
		Long: "Judges the connectors of a fleet file:\n\n" +
			"  defaults:                 # as a configuration of emaconform server\n    clients: [{id: suite, secret_env: SECRET}]\n" +
			"  connectors:\n    - name: notes            # the name of its folder of reports\n      url: https://notes.example/mcp\n",
	}
	c.AddCommand(newFleetRun(), newFleetMerge())
	return c
}

func newFleetRun() *cobra.Command {
	var out, shard string
	var tolerate bool
	c := &cobra.Command{
		Use:   "run FLEET.yaml",
		Short: "Judge the connectors of one shard, one after the other",
		Long: "Judges the connectors of one shard and writes OUT/NAME/report.json for each. The shard comes from --shard, or from the\n" +
			"environment: JOB_COMPLETION_INDEX and JOB_COMPLETIONS (Kubernetes), CI_NODE_INDEX and CI_NODE_TOTAL (GitLab).\n\n" +
			"Exit codes: 1 a connector is not conformant (0 with --verdicts-pass), 3 a connector could not be judged.",
		Example: "  emaconform fleet run fleet.yaml --shard 2/5 --out reports --verdicts-pass",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := fleet.Load(args[0])
			if err != nil {
				return err
			}
			index, total, err := shardOf(shard, os.Getenv)
			if err != nil {
				return err
			}
			code := exitConformant
			for _, k := range f.Shard(index, total) {
				verdict := judgeConnector(c, k, out)
				fmt.Fprintf(c.OutOrStdout(), "%-30s %s\n", k.Name, verdict)
				switch verdict {
				case reports.Conformant, reports.ConformantWithWarnings:
				case reports.NotConformant:
					if !tolerate {
						code = max(code, exitNotConformant)
					}
				default:
					code = exitInconclusive
				}
				if c.Context().Err() != nil {
					return exitCode(exitInconclusive)
				}
			}
			if code != exitConformant {
				return exitCode(code)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "emaconform-fleet", "directory for the reports")
	c.Flags().StringVar(&shard, "shard", "", "this shard of how many, from 1, e.g. 2/5")
	c.Flags().BoolVar(&tolerate, "verdicts-pass", false, "a connector that is not conformant is a result, no failure of the job")
	return c
}

// judgeConnector judges one connector and writes its report. What goes wrong is said, and costs this connector alone.
func judgeConnector(c *cobra.Command, k fleet.Connector, out string) reports.Verdict {
	config := k.Config
	config.Name = k.Name
	dir := filepath.Join(out, k.Name)
	err := reports.RemoveOthers(dir, nil) // a report of yesterday must not pass for today's
	var report *reports.Report
	if err == nil {
		report, err = run.Run(c.Context(), run.Options{Config: &config, Progress: engine.Silent{}})
	}
	if err == nil {
		_, err = reports.WriteAll(dir, report, []string{"json"})
	}
	if err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "emaconform: %s: %v\n", k.Name, err)
		return reports.NoVerdict
	}
	return report.Verdict
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
		return 0, 0, fmt.Errorf("%s: there is no such shard: expected 1/N to N/N, or the scheduler's index and number of jobs", named)
	}
	return index, total, nil
}

func newFleetMerge() *cobra.Command {
	var out, metrics, trend string
	c := &cobra.Command{
		Use:   "merge FLEET.yaml DIRECTORY…",
		Short: "Merge the reports of all shards into one result",
		Long: "Reads DIRECTORY/NAME/report.json of each connector of the fleet and writes fleet.json and fleet.md. A connector without\n" +
			"a report that can be read is \"not judged\". Exit code 1: a connector is not conformant; 3: one was not judged.",
		Example: "  emaconform fleet merge fleet.yaml shards/* --openmetrics fleet.prom --trend trend.jsonl",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := fleet.Load(args[0])
			if err != nil {
				return err
			}
			result, err := fleet.Merge(f, args[1:], time.Now())
			if err != nil {
				return err
			}
			if err := result.Write(out, metrics, trend); err != nil {
				return err
			}
			for _, k := range result.Connectors {
				fmt.Fprintf(c.OutOrStdout(), "%-30s %s%s\n", k.Name, k.Verdict, because(k.Problem))
			}
			if code := result.ExitCode(); code != exitConformant {
				return exitCode(code)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", ".", "directory for fleet.json and fleet.md")
	c.Flags().StringVar(&metrics, "openmetrics", "", "file for OpenMetrics")
	c.Flags().StringVar(&trend, "trend", "", "file to which a line of JSON is added")
	return c
}

func because(problem string) string {
	if problem == "" {
		return ""
	}
	return ": " + problem
}
