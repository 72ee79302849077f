package wire

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Health waits for a target that went away, for all checks together.
type Health struct {
	Probe  func(context.Context) string // why the target does not answer, or ""; it may take as long as the context lasts
	Outage time.Duration                // how long a target may be away
	Say    func(string)
	Lose   func(string)

	mu     sync.Mutex
	asking chan struct{} // closed when the answer of whoever asks is there; nil when nobody does
	gone   error         // the target was given up
}

// Await returns when the target answers, with an error when it does not within the time that it may be away.
func (h *Health) Await(ctx context.Context) error {
	h.mu.Lock()
	if h.gone != nil {
		h.mu.Unlock()
		return h.gone
	}
	if h.asking == nil {
		h.asking = make(chan struct{})
		go h.ask()
	}
	asking := h.asking
	h.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone
}

// another is when a target that is silent is probed once more: the answer to the first probe may be on its way behind a
// crowd of others, or its connection dead.
const another = 10 * time.Second

// ask probes the target until it answers or is given up.
func (h *Health) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), h.Outage)
	defer cancel()
	began := time.Now()
	why, last, told := "it is silent", "it is silent", false
	heard := make(chan string)
	probe := func() {
		found := h.Probe(ctx)
		select {
		case heard <- found:
		case <-ctx.Done():
		}
	}
	go probe()
	silent := time.NewTicker(another)
	defer silent.Stop()
	tell := time.After(time.Second)
	for pause := 50 * time.Millisecond; why != "" && ctx.Err() == nil; {
		select {
		case why = <-heard:
			if why != "" {
				last = why
				time.AfterFunc(pause, probe)
				pause = min(2*pause, time.Second)
			}
		case <-silent.C:
			go probe()
		case <-tell:
			told = true
			h.Say(fmt.Sprintf("the target does not answer (%s): waiting for it, up to %s (timing.outage)", last, h.Outage))
		case <-ctx.Done():
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if why != "" {
		h.gone = fmt.Errorf("the target did not answer for %s (timing.outage): %s", h.Outage, last)
		h.Lose(h.gone.Error())
	} else if told {
		h.Say(fmt.Sprintf("the target answers again after %s; going on", time.Since(began).Round(time.Second)))
	}
	close(h.asking)
	h.asking = nil
}
