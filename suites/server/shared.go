package server

import (
	"context"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Kind is a kind of honest request. Every attack of a kind differs from it in one thing alone, so that they can share their
// controls: one is granted before an attack, and one after it.
type Kind struct {
	Name string
	Send func(*T) *wire.Answer   // sends an honest request, a new one each time
	Good func(*wire.Answer) bool // nil: Granted
}

// good reports whether the honest request was taken.
func (k Kind) good(a *wire.Answer) bool {
	if k.Good == nil {
		return Granted(a)
	}
	return k.Good(a)
}

// sharedControl has what became of the honest requests of a kind. Those who wait for one at the same time share the next one
// that begins, as databases share a commit.
type sharedControl struct {
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

// Beside sends an attack between two honest requests of its kind and returns the answers to the first honest one and to the
// attack. Unless both honest ones are taken, nothing can be said about the attack, and the check ends as inconclusive.
func (t *T) Beside(kind Kind, attack func() *wire.Answer) (control, attacked *wire.Answer) {
	t.known.mu.Lock()
	shared := t.known.controls[kind.Name]
	if shared == nil {
		shared = &sharedControl{}
		t.known.controls[kind.Name] = shared
	}
	t.known.mu.Unlock()

	first := shared.taken()
	if first == nil {
		first = shared.another(t, kind)
	}
	for _, e := range first.exchanges {
		t.Recorder().Borrow(e)
	}
	t.mustBeGood(first)
	attacked = attack()
	if again := shared.another(t, kind); !again.good {
		t.Doubtf("honest requests are not taken any more: %s", again.problem)
		t.mustBeGood(again)
	}
	return first.answer, attacked
}

func (t *T) mustBeGood(c *turn) {
	if !c.good {
		t.Inconclusivef("the control was not granted (%s), so a refusal of the attack would prove nothing: the honest request in the "+
			"exchanges must work first", c.problem)
	}
}

func (s *sharedControl) taken() *turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// another waits for an honest request that begins after this call, and makes it when nobody else does.
func (s *sharedControl) another(t *T, kind Kind) *turn {
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
func (s *sharedControl) make(t *T, kind Kind, c *turn) {
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
	// A record of its own, for every check that it stands beside.
	lead := &T{T: check.New(t.Context, t.Check, t.World, wire.NewRecorder(t.Secrets)), World: t.World}
	if a := lead.sent(kind); a != nil {
		c.answer, c.good, c.problem = a, kind.good(a), a.Summary()
		c.exchanges = lead.Recorder().Exchanges()
	}
}

// sent is the answer to an honest request, nil when it ended the check that sent it.
func (t *T) sent(kind Kind) (a *wire.Answer) {
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

// Honest redeems an honest assertion, as the control of a Kind.
func (t *T) Honest(assertion any, options ...RedeemOption) *wire.Answer {
	return t.present(assertion, reports.Control, "the honest twin of many attacks: must be granted", options)
}

// Cheap is a key of this trusted issuer for honest ID-JAGs whose key is not what is under test: an ES256 one, which signs in a
// thirtieth of the time of RSA, where the issuer has one and the target takes it.
func (t *T) Cheap(idp *mockidp.Issuer, user func() *Token) *mockidp.Key {
	t.known.mu.Lock()
	defer t.known.mu.Unlock()
	if key := t.known.cheap[idp]; key != nil {
		return key
	}
	found := idp.Keys.Signing()
	for _, key := range idp.Keys.Keys {
		if key == found || key.Algorithm != string(jose.ES256) {
			continue
		}
		try := user()
		SignedBy(key)(try)
		if Granted(t.present(try, reports.Setup, "does it take ES256?", nil)) {
			found = key
		}
	}
	t.known.cheap[idp] = found
	return found
}

// SignedBy lets another key sign, under its own name.
func SignedBy(key *mockidp.Key) Edit {
	return func(j *Token) {
		j.Key = key
		j.Header["alg"], j.Header["kid"] = key.Algorithm, key.KeyID
	}
}
