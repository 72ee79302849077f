package engine

import (
	"context"
	"io"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

// runSpecs runs a schedule, each check as a Ginkgo spec. Ginkgo runs one spec at a time, so the bodies run ahead of it:
// a spec waits for what its body found and says so to Ginkgo. Ginkgo allows one run in a process.
func runSpecs(ctx context.Context, s *schedule) {
	formatter.ColorableStdOut = io.Discard // the results go to the parent, the console belongs to it
	gomega.RegisterFailHandler(check.Fail)
	ginkgo.Describe("emaconform", ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		for _, c := range s.checks {
			ginkgo.It(c.ID, ginkgo.Label(c.Labels...), func() { tell(<-s.found[c.ID]) })
		}
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.RandomSeed, suite.RandomizeAllSpecs, suite.Timeout = 1, false, 24*time.Hour // the run has bounds of its own
	reporter.NoColor = true
	go s.run(ctx)
	ginkgo.RunSpecs(quiet{}, "emaconform", suite, reporter)
}

// tell gives Ginkgo the outcome of a check.
func tell(r reports.Check) {
	switch r.Outcome {
	case reports.Fail:
		ginkgo.Fail(r.Message, 1)
	case reports.Skip, reports.Inconclusive:
		ginkgo.Skip(r.Message)
	case reports.Warn:
		ginkgo.AddReportEntry("warning", r.Message)
	}
}

// quiet satisfies Ginkgo: a failing spec is a result, not a failure of this process.
type quiet struct{}

func (quiet) Fail() {}
