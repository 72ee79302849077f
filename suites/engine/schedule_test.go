package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// scene is a stage without a target.
type scene struct{ budget time.Duration }

func (scene) Lanes() int                          { return 1 }
func (scene) World(int) any                       { return nil }
func (scene) Settle(context.Context, int)         {}
func (scene) Recorder() *wire.Recorder            { return wire.NewRecorder(nil) }
func (s scene) Budget(*check.Check) time.Duration { return s.budget }
func (scene) Close()                              {}

// play runs bodies through a schedule and returns the results, and the order in which attempts began.
func play(t *testing.T, budget time.Duration, bodies map[string]func(*check.T),
	options ...check.Option) (map[string]reports.Check, []string) {
	t.Helper()
	var checks []*check.Check
	for id, body := range bodies {
		checks = append(checks, check.Adhoc(id, body, options...))
	}
	var mu sync.Mutex
	results, began := map[string]reports.Check{}, []string{}
	s := newSchedule(scene{budget}, checks, 8, 1, func(m message) {
		mu.Lock()
		defer mu.Unlock()
		if m.Began != "" {
			began = append(began, m.Began)
		}
		if m.Result != nil {
			results[m.Result.ID] = *m.Result
		}
	}, newForecast(func(string) {}))
	s.run(t.Context())
	return results, began
}

func TestAFailureCountsWhenItRepeats(t *testing.T) {
	g := NewWithT(t)
	var flaky atomic.Int32
	results, began := play(t, time.Minute, map[string]func(*check.T){
		"fails": func(t *check.T) { t.Failf("broken") },
		"flakes": func(t *check.T) {
			if flaky.Add(1) == 1 {
				t.Failf("once")
			}
		},
		"passes": func(*check.T) {},
		"disturbed": func(t *check.T) {
			if t.Attempt == 1 {
				t.Doubtf("a reset")
				t.Failf("because of it")
			}
		},
	})
	g.Expect(results["fails"].Outcome).To(Equal(reports.Fail))
	g.Expect(results["flakes"].Outcome).To(Equal(reports.Inconclusive))
	g.Expect(results["passes"].Outcome).To(Equal(reports.Pass))
	g.Expect(results["disturbed"].Outcome).To(Equal(reports.Pass))
	g.Expect(began).To(HaveLen(7), "what passes at once does not run again")
}

func TestABodyThatDoesNotComeToAnEndIsInconclusive(t *testing.T) {
	g := NewWithT(t)
	results, _ := play(t, 10*time.Millisecond, map[string]func(*check.T){
		"hangs": func(t *check.T) { <-t.Done(); t.Failf("too late to count") },
	})
	g.Expect(results["hangs"].Outcome).To(Equal(reports.Inconclusive))
	g.Expect(results["hangs"].Message).To(ContainSubstring("timing.check"))
}

func TestWaitingCostsNothingOfTheBudget(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := wire.WithBudget(context.Background(), 50*time.Millisecond, context.DeadlineExceeded)
	defer cancel()
	resume := wire.Pause(ctx)
	time.Sleep(200 * time.Millisecond) // longer than the budget
	g.Expect(ctx.Err()).NotTo(HaveOccurred())
	resume()
	<-ctx.Done()
	g.Expect(context.Cause(ctx)).To(MatchError(context.DeadlineExceeded))
}

func TestAPanicIsOurOwnError(t *testing.T) {
	g := NewWithT(t)
	results, _ := play(t, time.Minute, map[string]func(*check.T){"panics": func(*check.T) { panic("oops") }})
	g.Expect(results["panics"].Outcome).To(Equal(reports.Inconclusive))
	g.Expect(results["panics"].Message).To(ContainSubstring("please report it"))
}

// A check that waits by design is not waited for, and does not go on while others change what it sees.
func TestTheRunGoesOnWhileChecksSleep(t *testing.T) {
	g := NewWithT(t)
	var changing, woke atomic.Bool
	slept := make(chan bool)
	sleeper := check.Adhoc("sleeps", func(t *check.T) {
		wake := t.Wake
		t.Wake = func(ctx context.Context) { close(slept); wake(ctx) }
		t.Rest(500*time.Millisecond, "it is late")
		woke.Store(true)
		if changing.Load() {
			t.Failf("woke up while others changed what it sees")
		}
	}, check.Slow())
	changer := check.Adhoc("changes", func(t *check.T) {
		changing.Store(true)
		defer changing.Store(false)
		<-slept // the other one has slept enough, and is to wait for this one
		if woke.Load() {
			t.Failf("ran when the other one was over")
		}
	}, check.Serial())
	var mu sync.Mutex
	results := map[string]reports.Check{}
	ahead := newForecast(func(string) {})
	ahead.least = 50 * time.Millisecond
	newSchedule(scene{time.Minute}, []*check.Check{sleeper, changer}, 8, 1, func(m message) {
		mu.Lock()
		defer mu.Unlock()
		if m.Result != nil {
			results[m.Result.ID] = *m.Result
		}
	}, ahead).run(t.Context())
	g.Expect(results["sleeps"].Outcome).To(Equal(reports.Pass), results["sleeps"].Message)
	g.Expect(results["changes"].Outcome).To(Equal(reports.Pass), results["changes"].Message)
}

// The checks of a course stay in one lane, in the order of their seasons, whatever else there is.
func TestACourseStaysInOneLane(t *testing.T) {
	g := NewWithT(t)
	of := func(id, course string) *check.Check {
		if course == "" {
			return check.Adhoc(id, nil, check.Serial())
		}
		return check.Adhoc(id, nil, check.InCourse(course))
	}
	var ids [][]string
	for _, course := range courses([]*check.Check{of("a", ""), of("b1", "b"), of("c", ""), of("b2", "b"), of("d1", "d")}) {
		list := []string{}
		for _, c := range course {
			list = append(list, c.ID)
		}
		ids = append(ids, list)
	}
	g.Expect(ids).To(Equal([][]string{{"a"}, {"b1", "b2"}, {"c"}, {"d1"}}))
}
