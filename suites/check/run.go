package check

import (
	"fmt"
	"io"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
)

const (
	passed   = types.SpecStatePassed
	failed   = types.SpecStateFailed
	timedOut = types.SpecStateTimedout
	panicked = types.SpecStatePanicked
)

// Listener hears of each check as it begins and as it ends.
type Listener struct {
	Started  func(id string)
	Finished func(reports.Check)
}

// Run runs the checks of these ids as Ginkgo specs, in this order. Ginkgo allows one run in a process, so Run can be
// called once.
func Run(ids []string, w *World, l Listener) error {
	formatter.ColorableStdOut = io.Discard // the results go to the listener, the console belongs to the caller
	gomega.RegisterFailHandler(ginkgo.Fail)
	running := map[string]*T{}
	selected := make([]*Check, len(ids))
	for i, id := range ids {
		c, ok := Find(id)
		if !ok {
			return fmt.Errorf("no check is called %s", id)
		}
		selected[i] = c
	}
	ginkgo.Describe("emaconform", ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		for _, c := range selected {
			ginkgo.It(c.ID, ginkgo.Label(c.Labels...), ginkgo.NodeTimeout(w.Config.Timing.Check), ginkgo.GracePeriod(2*time.Second),
				func(ctx ginkgo.SpecContext) {
					t := &T{Driver: NewDriver(ctx, w), Check: c}
					running[c.ID] = t
					l.Started(c.ID)
					if why := c.Skipped(w); why != "" {
						t.Skipf("%s", why)
					}
					c.body(t)
				})
		}
	})
	ginkgo.ReportAfterEach(func(report ginkgo.SpecReport) {
		if t := running[report.LeafNodeText]; t != nil {
			l.Finished(t.result(report))
		}
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.RandomSeed, suite.RandomizeAllSpecs = 1, false
	reporter.NoColor = true
	ginkgo.RunSpecs(quiet{}, "emaconform", suite, reporter)
	return nil
}

// quiet satisfies Ginkgo: a failing spec is a result, not a failure of this process.
type quiet struct{}

func (quiet) Fail() {}
