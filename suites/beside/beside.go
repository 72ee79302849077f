// Package beside puts attacks between two honest requests that they differ from in one thing alone, and lets the
// attacks of a run share these controls, for every role.
package beside

import (
	"context"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Honest is a kind of honest request. Every attack of a kind differs from it in one thing alone, so that they can share
// their controls: one is taken before an attack, and one after it.
type Honest struct {
	Name   string
	Record func() *wire.Recorder       // makes the record of one, which every check that it stands beside borrows
	Send   func(*check.T) *wire.Answer // sends one, a new one each time, for the T that it gets
	Good   func(*wire.Answer) bool     // whether it was taken
}

// Controls are those of a run. The zero value is ready; it is safe for concurrent use.
type Controls struct {
	mu    sync.Mutex
	kinds map[string]*shared
}

// shared has what became of the honest requests of a kind. Those who wait for one at the same time share the next one
// that begins, as databases share a commit.
type shared struct {
	mu      sync.Mutex
	last    *turn // the last one that was taken
	running *turn
	next    *turn // begins when the running one has ended
}

// turn is one honest request.
type turn struct {
	done      chan struct{}
	answer    *wire.Answer
	exchanges []reports.Exchange
	good      bool
	problem   string
}

func (c *Controls) of(kind string) *shared {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds = map[string]*shared{}
	}
	if c.kinds[kind] == nil {
		c.kinds[kind] = &shared{}
	}
	return c.kinds[kind]
}

// Attack has an attack sent between two honest requests of its kind and returns the answers to the first honest one and
// to the attack. Unless both honest ones are taken, nothing can be said about the attack, and the check ends as
// inconclusive.
func (c *Controls) Attack(t *check.T, kind Honest, attack func() *wire.Answer) (control, attacked *wire.Answer) {
	s := c.of(kind.Name)
	first := s.taken()
	if first == nil {
		first = s.another(t, kind)
	}
	for _, e := range first.exchanges {
		t.Recorder().Borrow(e)
	}
	mustBeGood(t, first)
	attacked = attack()
	if again := s.another(t, kind); !again.good {
		t.Doubtf("honest requests are not taken any more: %s", again.problem)
		mustBeGood(t, again)
	}
	return first.answer, attacked
}

func mustBeGood(t *check.T, c *turn) {
	if !c.good {
		t.Inconclusivef("the control was not granted (%s), so a refusal of the attack would prove nothing: the "+
			"honest request in the exchanges must work first", c.problem)
	}
}

func (s *shared) taken() *turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// another waits for an honest request that begins after this call, and makes it when nobody else does.
func (s *shared) another(t *check.T, kind Honest) *turn {
	defer wire.Pause(t)()
	s.mu.Lock()
	mine, before := s.next, s.running
	if mine != nil {
		s.mu.Unlock()
		return mine.wait(t)
	}
	mine = &turn{done: make(chan struct{}), problem: "it could not be sent"}
	if before == nil {
		s.running = mine
	} else {
		s.next = mine
	}
	s.mu.Unlock()
	if before != nil {
		<-before.done // its maker always ends it
		s.mu.Lock()
		s.running, s.next = mine, nil
		s.mu.Unlock()
	}
	s.make(t, kind, mine)
	return mine
}

// make sends the honest request and ends the turn, whatever happens.
func (s *shared) make(t *check.T, kind Honest, c *turn) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = nil
		if c.good {
			s.last = c
		}
		s.running = nil
		close(c.done)
	}()
	lead := check.New(t.Context, t.Check, t.World, kind.Record())
	if a := sent(lead, kind); a != nil {
		c.answer, c.good, c.problem = a, kind.Good(a), a.Summary()
	}
	c.exchanges = lead.Recorder().Exchanges()
}

// sent is the answer to an honest request, nil when it ended the check that sent it.
func sent(t *check.T, kind Honest) (a *wire.Answer) {
	defer func() {
		if recover() != nil { // how a body ends early
			a = nil
		}
	}()
	return kind.Send(t)
}

func (c *turn) wait(ctx context.Context) *turn {
	select {
	case <-c.done:
		return c
	case <-ctx.Done():
		return &turn{problem: context.Cause(ctx).Error()}
	}
}
