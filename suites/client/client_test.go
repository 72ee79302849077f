//go:build unix

package client

import (
	"context"
	"os"
	"testing"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/run"
)

func TestMain(m *testing.M) {
	fixture.Main()
	if bad, ok := badClients[os.Getenv(badClient)]; ok {
		bad(os.Args[len(os.Args)-1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// judgeReference judges the reference client with these defects by these checks.
func judgeReference(t *testing.T, checks []string, defects ...string) *reports.Report {
	t.Helper()
	args, environment, err := fixture.Command(defects...)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), Options{
		Command: args, Environment: environment, Timeout: 6 * time.Second, Selection: run.Selection{Checks: checks},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestReferenceClientPasses(t *testing.T) {
	report := judgeReference(t, nil)
	for _, c := range report.Checks {
		if c.Outcome != reports.Pass {
			t.Errorf("%s: %s: %s", c.ID, c.Outcome, c.Message)
		}
	}
	if report.Verdict != reports.Conformant || len(report.Checks) != len(Checks()) {
		t.Errorf("verdict %s with %d of %d checks", report.Verdict, len(report.Checks), len(Checks()))
	}
}
