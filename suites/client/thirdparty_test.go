//go:build unix

package client

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/reports"
)

// missing skips a test when the machine lacks what a driver runs with.
func missing(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, thirdparty.ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestThirdPartyClients judges clients that were not written for this project, and compares with what is known of them.
func TestThirdPartyClients(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	for _, kind := range thirdparty.Clients() {
		t.Run(string(kind), func(t *testing.T) {
			argv, cleanup, err := thirdparty.PrepareClient(context.Background(), kind)
			missing(t, err)
			defer cleanup()
			report, err := Run(context.Background(), Options{
				Command: argv, Confidential: thirdparty.Confidential(kind),
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range report.Preflight {
				if !step.OK {
					t.Errorf("%s: %s", step.Name, step.Saw)
				}
			}
			path, err := thirdparty.BaselineOf(kind)
			if err != nil {
				t.Fatal(err)
			}
			baseline, err := reports.LoadBaseline(path)
			if err != nil {
				t.Fatal(err)
			}
			baseline.Apply(report)
			for _, c := range report.Checks {
				if slices.Contains(report.Baseline.Unexpected, c.ID) {
					t.Errorf("%s: %s, which the baseline does not have: %s", c.ID, c.Outcome, c.Message)
				}
			}
			for _, id := range append(report.Baseline.Stale, report.Baseline.Unknown...) {
				t.Errorf("the baseline has %s, which does not fail any more", id)
			}
		})
	}
}

// officialScenario is what the official runner calls it.
const officialScenario = "auth/enterprise-managed-authorization"

// TestOfficialRunner lets the official MCP conformance runner judge the reference client by its scenario of
// Enterprise-Managed Authorization.
func TestOfficialRunner(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	argv, err := thirdparty.ConformanceRunner(context.Background())
	missing(t, err)
	args, environment, err := fixture.Command()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], "client", "--command", strings.Join(args, " "),
		"--scenario", officialScenario)...)
	cmd.Env = append(cmd.Environ(), environment...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || !strings.Contains(out.String(), "OVERALL: PASSED") {
		t.Errorf("the official runner is not content (%v):\n%s", err, out.String())
	}
}
