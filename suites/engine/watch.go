package engine

import (
	"context"
	"sync/atomic"
	"time"
)

// watch notices when this process did not get to run: it was stopped, or the machine slept. What was measured meanwhile
// says nothing of the target.
type watch struct{ lost atomic.Int64 } // nanoseconds

const (
	watchEvery = 250 * time.Millisecond
	watchMiss  = 3 * time.Second // less can happen on a busy machine, and bodies stand it
)

func newWatch(ctx context.Context) *watch {
	w := &watch{}
	go func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for last := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := time.Now()
			if gap := now.Sub(last); gap > watchMiss {
				w.lost.Add(int64(gap))
			}
			last = now
		}
	}()
	return w
}

// stoodStill is for how long, in all, this process did not get to run.
func (w *watch) stoodStill() time.Duration { return time.Duration(w.lost.Load()) }
