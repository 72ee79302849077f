package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// schedule is the order in which checks run in the worker process:
//
//  1. all that leave the others alone, many at a time;
//  2. those that change what others see (keys, faults), one at a time in each lane;
//  3. those that repeat what others sent, many at a time;
//  4. those that use limits of the target up, which recover slowly, alone.
//
// After each part, what needs a second look runs again.
type schedule struct {
	stage   Stage
	checks  []*check.Check
	workers int
	say     func(message)
	found   map[string]chan reports.Check // what each spec waits for
	random  *rand.Rand
	ahead   *forecast

	mu     sync.Mutex
	firsts map[*check.Check]check.Attempt // those that need a second look
}

func newSchedule(stage Stage, checks []*check.Check, workers int, seed uint64, say func(message),
	ahead *forecast) *schedule {
	s := &schedule{
		stage: stage, checks: checks, workers: workers, say: say, ahead: ahead, found: map[string]chan reports.Check{},
		random: rand.New(rand.NewPCG(seed, 0)), firsts: map[*check.Check]check.Attempt{},
	}
	for _, c := range checks {
		s.found[c.ID] = make(chan reports.Check, 1)
	}
	return s
}

func (s *schedule) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := newWatch(ctx)
	go s.ahead.watch(ctx)
	var waiting, free, serial, late, exhausting []*check.Check
	for _, c := range s.checks {
		switch {
		case c.Serial && c.Intrusive:
			exhausting = append(exhausting, c)
		case c.Serial:
			serial = append(serial, c)
		case c.Late:
			late = append(late, c)
		case c.Slow:
			waiting = append(waiting, c)
		default:
			free = append(free, c)
		}
	}
	s.random.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	slices.SortStableFunc(serial, func(a, b *check.Check) int { return a.Season - b.Season })
	one := func(c *check.Check, lane int) { s.first(ctx, watch, c, lane) }
	again := func(c *check.Check, lane int) { s.second(ctx, watch, c, lane) }

	part := func(checks []*check.Check, n int, lanes bool, what string, do func(c *check.Check, lane int)) {
		s.ahead.enter(len(checks), what)
		each(checks, n, lanes, do)
	}

	part(append(waiting, free...), s.bodies(), false, "", one) // what waits begins first, so that the waits overlap
	part(s.open(), s.confirmers(), false, " run once more, alone,", again)
	part(serial, s.stage.Lanes(), true, " that change what others see, one after the other,", one)
	part(s.open(), s.stage.Lanes(), true, " run once more, alone,", again)
	part(late, s.bodies(), false, " that repeat attacks in another way", one)
	part(s.open(), s.confirmers(), false, " run once more, alone,", again)
	part(exhausting, 1, false, " that use limits up", one)
	part(s.open(), 1, false, " run once more, alone,", again)
}

// bodies is how many checks run at a time: more than there may be requests, since many wait for a control that they
// share. The pace of the host is what bounds the requests.
func (s *schedule) bodies() int { return 4 * s.workers }

// each does something with every check, n at a time. With lanes, each of the n is a lane of its own.
func each(checks []*check.Check, n int, lanes bool, do func(c *check.Check, lane int)) {
	queue := make(chan *check.Check, len(checks))
	for _, c := range checks {
		queue <- c
	}
	close(queue)
	var wg sync.WaitGroup
	for i := range max(1, min(n, len(checks))) {
		lane := 0
		if lanes {
			lane = i
		}
		wg.Go(func() {
			for c := range queue {
				do(c, lane)
			}
		})
	}
	wg.Wait()
}

// open lists the checks that need a second look, in the order in which they were selected.
func (s *schedule) open() []*check.Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*check.Check
	for _, c := range s.checks {
		if _, open := s.firsts[c]; open {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *check.Check) int { return a.Season - b.Season })
	return list
}

// confirmers is how many checks have their second look at a time. One, so that nothing else is going on; where very
// many fail it is the target, not its neighbours, and a few at a time will do.
func (s *schedule) confirmers() int {
	const few, many = 10, 6
	if len(s.open()) <= few {
		return 1
	}
	return min(many, s.workers)
}

// first runs a check for the first time. What it found counts when nothing speaks against it.
func (s *schedule) first(ctx context.Context, w *watch, c *check.Check, lane int) {
	a := s.attempt(ctx, w, c, lane, 1)
	if r, ok := verdict([]check.Attempt{a}); ok {
		s.counts(c, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.firsts[c] = a
}

// second runs a check again, until two undisturbed attempts agree or enough were made.
func (s *schedule) second(ctx context.Context, w *watch, c *check.Check, lane int) {
	s.mu.Lock()
	attempts := []check.Attempt{s.firsts[c]}
	delete(s.firsts, c)
	s.mu.Unlock()
	for {
		if r, ok := verdict(attempts); ok {
			s.counts(c, r)
			return
		}
		attempts = append(attempts, s.attempt(ctx, w, c, lane, len(attempts)+1))
	}
}

// attempt runs a check once, within its budget. A body that does not heed the end of its time is left behind.
func (s *schedule) attempt(ctx context.Context, w *watch, c *check.Check, lane, n int) check.Attempt {
	s.say(message{Began: c.ID})
	defer s.say(message{Rests: c.ID})
	budget := s.stage.Budget(c)
	over := fmt.Errorf("not finished within %s (timing.check): the target is slow or hangs", budget)
	ctx, cancel := wire.WithBudget(ctx, budget, over)
	defer cancel()
	t := check.New(ctx, c, s.stage.World(lane), s.stage.Recorder())
	t.Attempt = n
	s.ahead.begin(t)
	defer s.ahead.end(t)
	done := make(chan check.Attempt, 1)
	began := w.stoodStill()
	go func() { done <- t.Run() }()
	var a check.Attempt
	select {
	case a = <-done:
	case <-ctx.Done():
		const grace = 15 * time.Second // for cleaning up
		select {
		case a = <-done:
		case <-time.After(grace):
			a = check.Attempt{Result: c.Unfinished(over.Error()), Doubts: []string{over.Error()}}
		}
	}
	if still := w.stoodStill() - began; still > 0 {
		a.Doubts = append(a.Doubts, fmt.Sprintf("emaconform itself stood still for %s", still.Round(time.Second)))
	}
	return a
}

func (s *schedule) counts(c *check.Check, r reports.Check) {
	s.say(message{Result: &r})
	r.Exchanges = nil // the parent has them
	s.found[c.ID] <- r
}
