package engine

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// TestARunSaysWhatItWaitsForAndHowLong follows a run by a clock of its own.
func TestARunSaysWhatItWaitsForAndHowLong(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	f := newForecast(nil)
	f.now = func() time.Time { return now }
	running := func(id string, body func(*check.T)) *check.T {
		ct := check.New(t.Context(), check.Adhoc(id, body), nil, wire.NewRecorder(nil))
		f.begin(ct)
		return ct
	}
	pass := func(seconds float64) { now = now.Add(time.Duration(seconds * float64(time.Second))) }

	f.enter(200, "")
	for range 20 {
		f.end(running("A/quick", nil))
		pass(0.25)
	}
	f.end(running("A/quick", nil))
	crowd := running("A/quick", nil)
	g.Expect(f.words()).To(Equal("21 checks in 5 s: about 43 s more for the 179 that are left"))
	pass(1)
	g.Expect(f.words()).To(BeEmpty(), "not again at once")
	f.end(crowd)

	f.enter(2, "")
	slow := running("A/slow", nil)
	pass(11)
	g.Expect(f.words()).To(Equal("waiting for A/slow, under way for 11 s"))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resting := check.New(ctx, check.Adhoc("A/resting", nil), nil, wire.NewRecorder(nil))
	f.begin(resting)
	over := make(chan struct{})
	go func() { defer close(over); resting.Rest(time.Hour, "a token has expired") }()
	g.Eventually(func() string { until, _ := resting.Resting(); return until }).ShouldNot(BeEmpty())
	pass(20)
	g.Expect(f.words()).To(MatchRegexp(`^waiting until a token has expired \(A/resting\): (59|60) min$`))
	cancel()
	<-over
	f.end(resting)
	f.end(slow)
	pass(1000)
	g.Expect(f.words()).To(BeEmpty(), "nothing is under way")
}
