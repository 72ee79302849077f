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
//  2. those that change what others see (keys, faults), one at a time in each lane; those of one course stay in one;
//  3. those that repeat what others sent, many at a time;
//  4. those that use limits of the target up, which recover slowly, alone.
//
// After each part, what needs a second look runs again. What is left of the first part and waits by design is not
// waited for: it goes on when the second part is over.
type schedule struct {
	stage   Stage
	checks  []*check.Check
	workers int
	say     func(message)
	found   map[string]chan reports.Check // what each spec waits for
	random  *rand.Rand
	ahead   *forecast

	sleepers sleepers
	lanes    sync.RWMutex // held, for writing, by a check that needs all lanes

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
	part := func(checks []*check.Check, n int, lanes bool, what string, do func(c *check.Check, lane int)) {
		s.ahead.enter(len(checks), what)
		s.each(ctx, checks, n, lanes, do)
	}
	again := func(n int, lanes bool) {
		part(s.open(), n, lanes, " run once more, alone,", func(c *check.Check, lane int) { s.second(ctx, watch, c, lane) })
	}

	over := make(chan struct{})
	waiting = append(waiting, free...) // what waits begins first, so that the waits overlap
	s.ahead.enter(len(waiting), "")
	go func() {
		defer close(over)
		s.each(ctx, waiting, s.bodies(), false, one)
	}()
	release := func() {}
	if s.ahead.asleep(over) {
		release = s.sleepers.hold()
	}
	again(s.confirmers(), false)
	part(serial, s.stage.Lanes(), true, " that change what others see, one after the other,", one)
	again(s.stage.Lanes(), true)
	release()
	part(late, s.bodies(), false, " that repeat attacks in another way", one)
	<-over
	again(s.confirmers(), false)
	part(exhausting, 1, false, " that use limits up", one)
	again(1, false)
}

// bodies is how many checks run at a time: more than there may be requests, since many wait for a control that they
// share, but not many more, since each holds what the target wrote to it. The pace of the host bounds the requests.
func (s *schedule) bodies() int { return s.workers + s.workers/2 }

// courses are what lanes are given as a whole: the checks of one course, where the first of them stands, and each other
// check by itself.
func courses(checks []*check.Check) (list [][]*check.Check) {
	at := map[string]int{}
	for _, c := range checks {
		if i, begun := at[c.Course]; begun && c.Course != "" {
			list[i] = append(list[i], c)
			continue
		}
		at[c.Course] = len(list)
		list = append(list, []*check.Check{c})
	}
	return list
}

// each does something with every check, n courses at a time. With lanes, each of the n is a lane of its own.
func (s *schedule) each(ctx context.Context, checks []*check.Check, n int, lanes bool,
	do func(c *check.Check, lane int)) {
	list := courses(checks)
	queue := make(chan []*check.Check, len(list))
	for _, c := range list {
		queue <- c
	}
	close(queue)
	var wg sync.WaitGroup
	for i := range max(1, min(n, len(list))) {
		lane := 0
		if lanes {
			lane = i
		}
		wg.Go(func() {
			for course := range queue {
				for _, c := range course {
					s.inLane(c, lanes, func() { do(c, lane) })
				}
				if course[0].Course != "" {
					s.stage.Settle(context.WithoutCancel(ctx), lane)
				}
			}
		})
	}
	wg.Wait()
}

// inLane runs a check of a lane beside those of the others, unless it needs all lanes.
func (s *schedule) inLane(c *check.Check, lanes bool, do func()) {
	switch {
	case !lanes:
	case c.AllLanes:
		s.lanes.Lock()
		defer s.lanes.Unlock()
	default:
		s.lanes.RLock()
		defer s.lanes.RUnlock()
	}
	do()
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
	t.Attempt, t.Wake = n, s.sleepers.wake
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
