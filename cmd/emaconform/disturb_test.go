package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/disturb"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
)

// disturbedChecks are of every kind: attacks on claims, signatures and replay, races, answers, metadata, the MCP
// server, keys.
var disturbedChecks = engine.Selection{Checks: []string{
	"RAS-HAPPY", "RAS-AUD-EXACT/[a-e]*", "RAS-EXP/expired-*", "RAS-JTI-REPLAY",
	"RAS-SIG-ALG/forged-un*", "RAS-SIG-ALG/forged-none*", "RAS-META-ISSUER",
	"RAS-CLIENT-AUTH/w*",
	"RAS-CLIENT-BINDING", "RS-TOKEN-AUD", "RS-SCOPE-403", "RAS-JWKS-ROTATION/new-key", "RAS-JWKS-FAULTS/500",
}}

// fewChecks are enough for a target that needs half a second of processor for each token request.
var fewChecks = engine.Selection{Checks: []string{"RAS-HAPPY", "RAS-AUD-EXACT/aud-[a-b]*",
	"RAS-JTI-REPLAY/race", "RAS-JTI-REPLAY/twice", "RAS-CLIENT-AUTH/w*", "RS-TOKEN-AUD/expired",
	"RAS-JWKS-ROTATION/new-key"}}

// disturbedDefects are mistakes of different kinds; "" is the correct target.
var disturbedDefects = []string{"", "aud/begins", "replay-race", "id-jag-forged/unsigned", "rs-aud-unchecked",
	"client-unchecked"}

// TestNoDisturbanceChangesAVerdict is the disturbance matrix: whatever comes between suite and target, verdict and
// failing checks are those without it, and next to nothing is left undecided.
func TestNoDisturbanceChangesAVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	calm := map[string]*reports.Report{} // by defect and checks
	for _, d := range disturb.All() {
		defects, checks := disturbedDefects, disturbedChecks
		if d.ID == "pbkdf2" {
			defects, checks = []string{"", "aud/begins"}, fewChecks
		}
		for _, defect := range defects {
			key := fmt.Sprint(defect, len(checks.Checks))
			if calm[key] == nil {
				calm[key] = decided(func() *reports.Report { return disturbedRun(t, defect, "", checks) }, defect)
			}
			calm := calm[key]
			t.Run(d.ID+"/"+defect, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				r := disturbedRun(t, defect, d.ID, checks)
				g.Expect(r.Ended).To(BeEmpty(), r.Problem)
				g.Expect(of(r, reports.Fail)).To(Equal(of(calm, reports.Fail)), "the failing checks: %v", said(r))
				g.Expect(r.Verdict).To(Equal(calm.Verdict), "%v", said(r))
				undecided := of(r, reports.Inconclusive)
				// One in a hundred, and one where fewer are selected, as for slow targets.
				most := max(1, len(r.Checks)/100) + len(of(calm, reports.Inconclusive))
				g.Expect(len(undecided)).To(BeNumerically("<=", most), "%v", undecided)
			})
		}
	}
}

// decided is a run without a disturbance. A busy machine disturbs as well, and some mistakes show by chance: where it
// left something undecided, or a mistake unseen, it is made again.
func decided(judged func() *reports.Report, defect string) *reports.Report {
	r := judged()
	for range 2 {
		if len(of(r, reports.Inconclusive)) == 0 && (defect == "" || r.Verdict != reports.Conformant) {
			break
		}
		r = judged()
	}
	return r
}

// disturbedClientChecks are of every kind: metadata, sign-in, grants, what is used in spite of all.
var disturbedClientChecks = []string{"CL-PRM", "CL-AS-DISCOVERY", "CL-PROFILE", "CL-IDTOKEN-VALIDATE", "CL-REDEEM-REQ",
	"CL-OIDC/[r-w]*"}

// disturbedClientDefects are mistakes of different kinds with the checks that are to notice them; "" is the correct
// client.
var disturbedClientDefects = map[string][]string{
	"":                   disturbedClientChecks,
	"takes-any-resource": {"CL-PRM"},
	"takes-any-issuer":   {"CL-AS-DISCOVERY"},
	"uses-grant-anyway":  {"CL-PROFILE"},
	"skips-audience":     {"CL-IDTOKEN-VALIDATE/[a-b]*"},
	"takes-any-state":    {"CL-OIDC/[s-w]*"},
}

// TestNoDisturbanceChangesWhatIsFoundOfAClient is the disturbance matrix of clients: what comes between a client and
// everybody that it meets.
func TestNoDisturbanceChangesWhatIsFoundOfAClient(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	for defect, checks := range disturbedClientDefects {
		calm := sync.OnceValue(func() *reports.Report {
			return decided(func() *reports.Report { return disturbedClient(t, defect, "", checks) }, defect)
		})
		for _, d := range disturb.All() {
			if d.Between == nil { // it is in the client's clock
				continue
			}
			// A client that gives up while everybody stands still is not always told from one that stops by itself: a
			// weakness of the client role, which shows in one of some fifty runs.
			if d.ID == "stall" && defect != "" {
				continue
			}
			if d.ID == "pbkdf2" && defect != "takes-any-resource" { // half a second of processor for each token
				continue
			}
			t.Run(d.ID+"/"+defect, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				r, calm := disturbedClient(t, defect, d.ID, checks), calm()
				g.Expect(of(r, reports.Fail)).To(Equal(of(calm, reports.Fail)), "the failing checks: %v", said(r))
				g.Expect(of(r, reports.Skip)).To(Equal(of(calm, reports.Skip)), "what is not offered: %v", said(r))
				g.Expect(r.Verdict).To(Equal(calm.Verdict), "%v", said(r))
				undecided := of(r, reports.Inconclusive)
				g.Expect(len(undecided)).To(BeNumerically("<=", len(r.Checks)/100), "%v", undecided)
			})
		}
	}
}

// disturbedClient judges the reference client with a defect and behind a disturbance, "" for none.
func disturbedClient(t *testing.T, defect, disturbance string, checks []string) *reports.Report {
	t.Helper()
	f := &clientFlags{defects: some(defect), disturbed: disturbance}
	o := client.Options{Selection: engine.Selection{Checks: checks}}
	if err := f.embed(&o); err != nil {
		t.Fatal(err)
	}
	r, err := client.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// disturbedRun judges the reference target with a defect and behind a disturbance, "" for none.
func disturbedRun(t *testing.T, defect, disturbance string, checks engine.Selection) *reports.Report {
	t.Helper()
	e := &demo.Target{Disturbed: disturbance}
	if defect != "" {
		e.Defects = []string{defect}
	}
	return judge(t.Context(), t, e, func(o *run.Options) {
		o.Selection, o.Seed, o.Profile = checks, 1, catalogue.ProfileHardened // in which each of the mistakes fails
	})
}

// said is what was said of the checks that did not pass.
func said(r *reports.Report) (list []string) {
	for _, c := range r.Checks {
		if c.Outcome != reports.Pass {
			list = append(list, fmt.Sprintf("%s: %s %s", c.ID, c.Outcome, c.Message))
		}
	}
	return list
}

// of lists the checks with this outcome.
func of(r *reports.Report, o reports.Outcome) (ids []string) {
	for _, c := range r.Checks {
		if c.Outcome == o {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
