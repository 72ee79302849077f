//go:build unix

package client

import (
	"context"
	"os"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/fixtures/client/recorded"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
)

func TestMain(m *testing.M) {
	engine.WorkerMain()
	fixture.Main()
	recorded.Main()
	if bad, ok := badClients[os.Getenv(badClient)]; ok {
		bad(os.Args[len(os.Args)-1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// judgeReferenceIn judges the reference client with these defects.
func judgeReferenceIn(t *testing.T, o Options, defects ...string) *reports.Report {
	t.Helper()
	args, environment, err := fixture.Command(defects...)
	if err != nil {
		t.Fatal(err)
	}
	o.Command, o.Environment = args, environment
	o.Document = fixture.Document(DefaultClientID, defects...)
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestReferenceClientPasses(t *testing.T) {
	for name, confidential := range map[string]bool{"public": false, "confidential": true} {
		t.Run(name, func(t *testing.T) {
			if confidential && testing.Short() {
				t.Skip("runs all scenarios a second time")
			}
			report := judgeReferenceIn(t, Options{Confidential: confidential})
			for _, c := range report.Checks {
				if c.Outcome != reports.Pass {
					t.Errorf("%s: %s: %s", c.ID, c.Outcome, c.Message)
				}
			}
			if report.Verdict != reports.Conformant || len(report.Checks) != len(check.AllIn("ema", role)) {
				t.Errorf("verdict %s with %d of %d checks", report.Verdict, len(report.Checks), len(check.AllIn("ema", role)))
			}
			if report.Target.Confidential != confidential {
				t.Errorf("the report says confidential: %v", report.Target.Confidential)
			}
		})
	}
}

// TestConfidentialWithoutSecret makes sure that the secret is wanted in every scenario.
func TestConfidentialWithoutSecret(t *testing.T) {
	o := Options{Confidential: true, Selection: engine.Selection{Checks: []string{"CL-REDEEM-REQ/grant"}}}
	report := judgeReferenceIn(t, o, "exchanges-unauthenticated")
	if got := report.Checks[0].Outcome; got != reports.Inconclusive {
		t.Errorf("a client that does not authenticate at the IdP: %s, want inconclusive", got)
	}
}
