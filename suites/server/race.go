package server

import (
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// Race presents one assertion n times at the same instant, each time with its own client authentication, and returns
// the answers. It judges nothing.
func (t *T) Race(n int, assertion any, options ...RedeemOption) []*wire.Answer {
	compact := t.compact(assertion)
	requests := make([]*wire.Request, n)
	for i := range requests {
		requests[i] = t.TokenRequest(compact, options...)
	}
	return t.SendAll(requests)
}

// SendAll sends all requests at the same instant, as attacks, and returns the answers in their order.
func (t *T) SendAll(requests []*wire.Request) []*wire.Answer {
	answers := t.Together(requests)
	lost, doubt := 0, ""
	for _, a := range answers {
		if d := a.Doubt(); d != "" {
			lost, doubt = lost+1, d
		}
	}
	if lost > len(requests)/4 { // fewer do not change what a crowd shows
		t.Doubtf("%d of %d at the same instant: %s", lost, len(requests), doubt)
	}
	return answers
}

// Together is SendAll for a check that a 429 tells something.
func (t *T) Together(requests []*wire.Request) []*wire.Answer {
	answers := make([]*wire.Answer, len(requests))
	start := make(chan struct{})
	var done sync.WaitGroup
	for i, r := range requests {
		r.Rush = true
		done.Go(func() {
			<-start
			answers[i] = t.Wire.Do(t, r, t.Recorder(), reports.Attack, "one of many at the same instant")
		})
	}
	close(start)
	done.Wait()
	return answers
}
