package wire

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A target that answers late is not lost, and neither is one of which a connection died: a second probe goes its own
// way.
func TestAwaitHearsTheFirstProbeThatIsAnswered(t *testing.T) {
	var probes atomic.Int32
	h := &Health{
		Outage: time.Minute, Say: func(string) {}, Lose: func(why string) { t.Errorf("given up: %s", why) },
		Probe: func(context.Context) string {
			switch probes.Add(1) {
			case 1:
				return "connection refused"
			default:
				return ""
			}
		},
	}
	if err := h.Await(t.Context()); err != nil || probes.Load() != 2 {
		t.Errorf("%v after %d probes", err, probes.Load())
	}
}

func TestAwaitGivesATargetUp(t *testing.T) {
	lost := make(chan string, 1)
	h := &Health{
		Outage: 100 * time.Millisecond, Say: func(string) {}, Lose: func(why string) { lost <- why },
		Probe: func(ctx context.Context) string { <-ctx.Done(); return "never seen" },
	}
	for range 2 { // once given up, nobody waits again
		if err := h.Await(t.Context()); err == nil ||
			!strings.Contains(err.Error(), "did not answer for 100ms (timing.outage): it is silent") {
			t.Errorf("%v", err)
		}
	}
	<-lost
}

// The more we ask at a time, the longer one answer may take.
func TestOurOwnCrowdIsAllowedFor(t *testing.T) {
	p := &pace{limit: 64, most: 64, kinds: map[string]*kind{"/token": {best: 400 * time.Millisecond}}, now: time.Now}
	for range 16 {
		if err := p.enter(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.crowd("/token"); got != 6400*time.Millisecond {
		t.Errorf("crowd is %s", got)
	}
	if got := p.crowd("/other"); got != 0 {
		t.Errorf("of an endpoint that nothing is known of: %s", got)
	}
}
