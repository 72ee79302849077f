package engine

import (
	"context"
	"sync"
	"time"
)

// sleepers are checks that wait by design, some for a minute, while all others of the first part are over. The run goes
// on meanwhile, and who wakes up waits until nobody changes what others see any more.
type sleepers struct {
	mu   sync.Mutex
	open chan struct{} // closed when they may go on; nil: they may
}

// worthLeaving is how long all have to sleep yet for the run to go on without them.
const worthLeaving = 2 * time.Second

// hold keeps those that wake up from going on, until release.
func (s *sleepers) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := make(chan struct{})
	s.open = open
	return func() { close(open) }
}

// wake returns when the check may go on.
func (s *sleepers) wake(ctx context.Context) {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	if open == nil {
		return
	}
	select {
	case <-open:
	case <-ctx.Done():
	}
}

// asleep waits until all that is left of a part sleeps, or the part is over; then it is false.
func (f *forecast) asleep(over <-chan struct{}) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return false
		case <-tick.C:
			if f.onlySleepers() {
				return true
			}
		}
	}
}

func (f *forecast) onlySleepers() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.running) == 0 || f.done+len(f.running) < f.all {
		return false
	}
	for t := range f.running {
		if until, over := t.Resting(); until == "" || over.Sub(f.now()) < f.least {
			return false
		}
	}
	return true
}
