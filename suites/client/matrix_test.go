//go:build unix

package client

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
)

// broken are the checks that a defect must break.
func broken(t *testing.T, d fixture.Defect) []string {
	t.Helper()
	var ids []string
	for _, pattern := range d.Breaks {
		before := len(ids)
		for _, c := range check.All(role) {
			if ok, err := path.Match(pattern, c.ID); err != nil {
				t.Fatal(err)
			} else if ok {
				ids = append(ids, c.ID)
			}
		}
		if len(ids) == before {
			t.Errorf("%s: no check matches %q", d.ID, pattern)
		}
	}
	return ids
}

// impatient bounds clients that wait for ever. Those that are only slow get more: see stage.attempt.
const impatient = 6 * time.Second

// TestEveryDefectIsSeen runs each defect against the checks that must see it: the kill matrix.
func TestEveryDefectIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the client hundreds of times")
	}
	for _, d := range fixture.Defects() {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			report := judgeReferenceIn(t, Options{Timeout: impatient, Profile: catalogue.ProfileNext,
				Selection: engine.Selection{Checks: d.Breaks}}, d.ID)
			for _, c := range report.Checks {
				if c.Outcome != reports.Fail && c.Outcome != reports.Warn {
					t.Errorf("%s does not see that the client %s: %s %s", c.ID, d.Title, c.Outcome, c.Message)
				}
			}
		})
	}
}

// TestEveryCheckCanFail wants a defect for each check.
func TestEveryCheckCanFail(t *testing.T) {
	var killed []string
	for _, d := range fixture.Defects() {
		killed = append(killed, broken(t, d)...)
	}
	for _, c := range check.All(role) {
		if !slices.Contains(killed, c.ID) {
			t.Errorf("no defect of the reference client breaks %s", c.ID)
		}
	}
}

// TestEveryRequirementHasChecks wants checks for each requirement, or the reason why there are none.
func TestEveryRequirementHasChecks(t *testing.T) {
	for _, r := range catalogue.ForRole("client") {
		has := slices.ContainsFunc(check.All(role), func(c *check.Check) bool { return strings.HasPrefix(c.ID, r.ID+"/") })
		if has == (r.Untestable != "") {
			t.Errorf("%s: checks: %v, untestable: %q", r.ID, has, r.Untestable)
		}
	}
}

// TestNoHonestVariantFails judges lawful variants of the reference client: the honest matrix.
func TestNoHonestVariantFails(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all scenarios for each variant")
	}
	for _, v := range fixture.Variants() {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			report := judgeReferenceIn(t, Options{RedirectURIs: v.RedirectURIs}, v.ID)
			for _, p := range v.Problems(report) {
				t.Errorf("the client %s (%s): %s", v.Title, v.Basis, p)
			}
		})
	}
}
