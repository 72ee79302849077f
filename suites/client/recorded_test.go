//go:build unix

package client

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/fixtures/client/recorded"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
)

// lawful are warnings about requests as recorded that no text forbids, by sequence and check.
var lawful = map[string][]string{
	"vscode":               {"CL-OIDC/nonce"},
	"vscode-without-scope": {"CL-OIDC/nonce"},
	"okta-sdk":             {"CL-OIDC/nonce", "CL-OIDC/pkce", "CL-EXCHANGE-REQ/resource-sent"},
	"okta-sdk-empty-scope": {"CL-OIDC/nonce", "CL-OIDC/pkce", "CL-EXCHANGE-REQ/resource-sent"},
}

// TestRecordedRequestsAreAccepted plays requests of well-known clients in every honest world that they are for: each
// gets through, and no check finds fault with what is lawful.
func TestRecordedRequestsAreAccepted(t *testing.T) {
	var honest []string
	for _, c := range check.All(role) {
		if scenario.Of(c.ID).Hostile == nil && !c.Serial {
			honest = append(honest, c.ID)
		}
	}
	for _, name := range recorded.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args, environment, err := recorded.Command(name)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Run(context.Background(), Options{
				Command: args, Environment: environment, Confidential: true, LogsIn: true, Revision: world.Revision2025,
				RedirectURIs: []string{"http://127.0.0.1:33418/"}, Selection: engine.Selection{Checks: honest},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range report.Preflight {
				if !step.OK {
					t.Errorf("%s: %s", step.Name, step.Saw)
				}
			}
			passed := map[string]bool{}
			for _, c := range report.Checks {
				requirement, _, _ := strings.Cut(c.ID, "/")
				passed[requirement] = passed[requirement] || c.Outcome == reports.Pass
				bad := c.Outcome == reports.Fail || c.Outcome == reports.Inconclusive
				if bad || c.Outcome == reports.Warn && !slices.Contains(lawful[name], c.ID) {
					t.Errorf("%s: %s %s", c.ID, c.Outcome, c.Message)
				}
			}
			for _, requirement := range []string{"CL-OIDC", "CL-EXCHANGE-REQ", "CL-EXCHANGE-AUTH", "CL-REDEEM-REQ",
				"CL-BEARER"} {
				if !passed[requirement] {
					t.Errorf("nothing of %s was judged", requirement)
				}
			}
		})
	}
}
