package provenance

import (
	"strconv"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/engine"
)

// Run is what a report says of how it was asked for.
type Run struct {
	Roles     []string // whose requirements are judged
	Profile   string
	Selection engine.Selection
	Seed      uint64 // of the order of the checks; 0: there was none
	Nonce     string // "" draws one
}

// Begin is the report of a run that has judged nothing yet.
func (r Run) Begin() *reports.Report {
	report := &reports.Report{
		Tool: Tool(), Catalogue: Catalogue(), Nonce: Nonce(r.Nonce), Profile: r.Profile,
		Selection: r.Selection.String(), Requirements: engine.Requirements(r.Profile, r.Roles...), Started: time.Now(),
	}
	if r.Seed != 0 {
		report.Seed = strconv.FormatUint(r.Seed, 10)
	}
	return report
}

// Finish ends the report of a run: bounded, without the secrets that came to be known, and with what follows from its
// results and from the checks that did not run.
func (r Run) Finish(report *reports.Report, secrets *redact.Set) {
	reports.Bound(report)
	reports.Redact(report, secrets)
	report.Finished = time.Now()
	report.Seconds = report.Finished.Sub(report.Started).Seconds()
	report.MCPRevisions = Revisions(report)
	reports.Complete(report, Checks(r.Roles...))
	reports.Finish(report)
}
