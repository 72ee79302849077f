//go:build linux

package program

import (
	"testing"
	"time"
)

// Strangers that keep all processors busy leave no room for more clients at a time, however little the clients do.
func TestGateSeesStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		worked uint64 // of the machine's ticks
		more   bool
	}{"idle": {1, true}, "busy": {100, false}} {
		g := NewGate(0)
		_, total, ok := machineCPU()
		if !ok || total < 100 {
			t.Skip("this machine says nothing of its processors")
		}
		limit := g.limit
		for range 3 {
			g.waiting = []chan struct{}{make(chan struct{})}
			g.since = time.Now().Add(-time.Second)
			busy, total, _ := machineCPU()
			g.machineBusy, g.machineTotal = busy-min(busy, c.worked), total-100
			g.own = ownCPU()
			g.look(0)
		}
		if got := g.limit > limit; got != c.more {
			t.Errorf("%s: from %d to %d clients at a time", name, limit, g.limit)
		}
	}
}
