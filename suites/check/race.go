package check

import (
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// Race presents one assertion n times at the same instant, each time with its own client authentication, and returns
// the answers. It judges nothing.
func (t *T) Race(n int, assertion any, options ...RedeemOption) []*wire.Answer {
	compact := t.compact(assertion)
	answers := make([]*wire.Answer, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range answers {
		r := t.TokenRequest(compact, options...)
		done.Go(func() {
			<-start
			answers[i] = t.Wire.Do(t, r, t.rec, reports.Attack, "one of many at the same instant")
		})
	}
	close(start)
	done.Wait()
	for _, a := range answers {
		t.mustNotBeThrottled(a)
	}
	return answers
}
