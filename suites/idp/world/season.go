package world

import (
	"context"
	"fmt"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Seasons are what is done to the identity provider once for all checks that look at what came of it. The zero value is
// ready.
type Seasons struct {
	mu    sync.Mutex
	known map[string]*season
}

type season struct {
	busy chan struct{} // holds one: whoever makes it happen
	came any
	seen map[string]bool // the checks that looked at it
}

func (s *Seasons) of(name string) *season {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]*season{}
	}
	if s.known[name] == nil {
		s.known[name] = &season{busy: make(chan struct{}, 1)}
	}
	return s.known[name]
}

// Season is what came of the season of this name: happen makes it happen for the first check that asks, and once more
// for one that asks again.
func Season[C any](t *T, name string, happen func() C) C {
	s := t.Seasons.of(name)
	defer wire.Pause(t)() // what happens has bounds of its own, and many look at it
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-t.Done():
		t.Inconclusivef("%v", context.Cause(t))
	}
	if s.seen == nil || s.seen[t.Check.ID] {
		s.came, s.seen = happen(), map[string]bool{}
	}
	s.seen[t.Check.ID] = true
	came, _ := s.came.(C)
	return came
}

// Chapter is a part of a season, for the checks that judge it: the answers to an honest request before a change, and to
// the same one after it.
type Chapter struct {
	Before, After *wire.Answer
	Problem       string // why nothing can be said of it, "" when something can
	Notes         []string
	doubts        []string
	exchanges     []reports.Exchange
}

// Tell does what a chapter consists of, with a T of its own. What ends that early is the chapter's problem.
func (t *T) Tell(c *Chapter, what func(*T)) {
	lead := &T{T: check.New(t.Context, t.Check, t.World, t.record()), World: t.World}
	defer func() {
		if recover() != nil { // how a body ends early
			c.Problem = "the identity provider did not answer all of it"
		}
		c.Notes = append(c.Notes, lead.Noted()...)
		c.doubts = append(c.doubts, lead.Doubts()...)
		c.exchanges = append(c.exchanges, lead.Recorder().Exchanges()...)
	}()
	if c.Problem == "" {
		what(lead)
	}
}

// Follow makes what came last of another chapter the honest request of this one.
func (c *Chapter) Follow(other *Chapter) {
	c.Before = other.After
	if last := len(other.exchanges) - 1; last >= 0 {
		c.exchanges = append(c.exchanges, other.exchanges[last])
	}
}

// Stopf says why nothing can be said of a chapter.
func (c *Chapter) Stopf(format string, args ...any) { c.Problem = fmt.Sprintf(format, args...) }

// Look shows a chapter in the check's own record. Where there is nothing to judge, the check ends as inconclusive.
func (t *T) Look(c *Chapter) {
	for _, e := range c.exchanges {
		t.Recorder().Borrow(e)
	}
	for _, d := range c.doubts {
		t.Doubtf("%s", d)
	}
	for _, n := range c.Notes {
		t.Notef("%s", n)
	}
	if c.Problem != "" {
		t.Inconclusivef("%s", c.Problem)
	}
}
