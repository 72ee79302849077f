package engine

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

func found(o reports.Outcome, doubts ...string) check.Attempt {
	return check.Attempt{Result: reports.Check{Outcome: o, Message: "seen"}, Doubts: doubts}
}

func TestWhatCountsAfterSeveralAttempts(t *testing.T) {
	const pass, fail, warn, skip, none = reports.Pass, reports.Fail, reports.Warn, reports.Skip, reports.Inconclusive
	disturbed := found(pass, "the connection was reset")
	proved := func(a check.Attempt) check.Attempt { a.Proved = true; return a }
	for name, c := range map[string]struct {
		attempts []check.Attempt
		want     reports.Outcome // "": another attempt is needed
	}{
		"a failure once":                     {[]check.Attempt{found(fail)}, ""},
		"a failure twice":                    {[]check.Attempt{found(fail), found(fail)}, fail},
		"a proof once":                       {[]check.Attempt{proved(found(fail))}, fail},
		"a disturbed proof":                  {[]check.Attempt{proved(found(fail, "reset"))}, fail},
		"a proof after a disturbed pass":     {[]check.Attempt{disturbed, proved(found(fail))}, fail},
		"a proof of what a profile warns of": {[]check.Attempt{proved(found(warn))}, warn},
		"a warning twice":                    {[]check.Attempt{found(warn), found(warn)}, warn},
		"a failure that does not repeat":     {[]check.Attempt{found(fail), found(pass)}, none},
		"a failure that becomes a warning":   {[]check.Attempt{found(fail), found(warn)}, none},
		"disturbed once":                     {[]check.Attempt{disturbed}, ""},
		"disturbed, then clear":              {[]check.Attempt{disturbed, found(pass)}, pass},
		"disturbed, then a failure":          {[]check.Attempt{disturbed, found(fail)}, ""},
		"disturbed, then a failure twice":    {[]check.Attempt{disturbed, found(fail), found(fail)}, fail},
		"a failure, disturbed, a failure":    {[]check.Attempt{found(fail), disturbed, found(fail)}, fail},
		"a disturbed failure is none":        {[]check.Attempt{found(fail, "reset"), found(pass)}, pass},
		"always disturbed": {[]check.Attempt{disturbed, disturbed, disturbed, disturbed, disturbed},
			none},
		"nothing proved, then skipped":         {[]check.Attempt{found(none), found(skip)}, skip},
		"nothing proved, then a failure":       {[]check.Attempt{found(none), found(fail)}, ""},
		"nothing proved, then a failure twice": {[]check.Attempt{found(none), found(fail), found(fail)}, fail},
		"a failure, then nothing proved":       {[]check.Attempt{found(fail), found(none)}, ""},
		"a failure twice, nothing between":     {[]check.Attempt{found(fail), found(none), found(fail)}, fail},
		"a failure, then never anything": {
			[]check.Attempt{found(fail), found(none), found(none), found(none), found(none)}, none},
		"nothing proved twice": {[]check.Attempt{found(none), found(none)}, none},
		"one failure among disturbed attempts": {[]check.Attempt{found(fail), disturbed, disturbed, disturbed, disturbed},
			none},
		"a failure in spite of one disturbance": {[]check.Attempt{disturbed, disturbed, found(fail), found(fail)}, fail},
		"a pass in spite of many disturbances": {[]check.Attempt{disturbed, disturbed, disturbed, disturbed, found(pass)},
			pass},
		"a skip needs no second look":             {[]check.Attempt{found(skip)}, skip},
		"a pass after a failure was not repeated": {[]check.Attempt{found(pass)}, pass},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r, ok := verdict(c.attempts)
			if c.want == "" {
				g.Expect(ok).To(BeFalse(), "%s", r.Outcome)
				return
			}
			g.Expect(ok).To(BeTrue())
			g.Expect(r.Outcome).To(Equal(c.want))
		})
	}
}

func TestAFailureThatDoesNotRepeatHasBothOnRecord(t *testing.T) {
	g := NewWithT(t)
	one, two := found(reports.Fail), found(reports.Pass)
	one.Result.Exchanges, two.Result.Exchanges = make([]reports.Exchange, 2), make([]reports.Exchange, 3)
	r, ok := verdict([]check.Attempt{one, two})
	g.Expect(ok).To(BeTrue())
	g.Expect(r.Exchanges).To(HaveLen(5))
	g.Expect(r.Message).To(ContainSubstring("found once"))
}
