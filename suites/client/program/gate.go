package program

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Gate decides how many clients run at a time. It begins with one for each processor and lets in more as long as
// processors stand idle, fewer when they do not. A client that does nothing because a world makes it wait gives its
// place to another.
type Gate struct {
	cores, most int

	mu      sync.Mutex
	limit   int
	inside  int // clients that run and do not rest
	waiting []chan struct{}

	spent time.Duration // processor time of clients since the last look
	own   time.Duration // that of this process, then
	since time.Time
	// what the machine's processors had done by then, for whomever
	machineBusy, machineTotal uint64
}

const (
	placesPerCore = 6 // at most, unless the user says otherwise
	lookEvery     = 200 * time.Millisecond
	idle, full    = 0.8, 0.97 // shares of the processors' time
)

// NewGate makes a gate for at most this many clients at a time; 0 leaves it to the machine.
func NewGate(most int) *Gate {
	cores := runtime.NumCPU()
	if most <= 0 {
		most = placesPerCore * cores
	}
	g := &Gate{cores: cores, most: most, limit: min(cores, most), since: time.Now(), own: ownCPU()}
	g.machineBusy, g.machineTotal, _ = machineCPU()
	return g
}

// Turn is a place behind the gate.
type Turn struct {
	gate *Gate

	mu     sync.Mutex
	rests  int
	absent bool // gave its place away, or left
	left   bool
}

// Enter waits for a place.
func (g *Gate) Enter(ctx context.Context) (*Turn, error) {
	g.mu.Lock()
	if g.inside < g.limit {
		g.inside++
		g.mu.Unlock()
		return &Turn{gate: g}, nil
	}
	called := make(chan struct{})
	g.waiting = append(g.waiting, called)
	g.mu.Unlock()
	select {
	case <-called:
		return &Turn{gate: g}, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, called); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else { // called at the same moment
		g.inside--
		g.call()
	}
	return nil, ctx.Err()
}

// call lets in who waits, as far as there is room. The lock is held.
func (g *Gate) call() {
	for g.inside < g.limit && len(g.waiting) > 0 {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.inside++
	}
}

// Rest gives the place to another client until back is called: this one waits, as the world wants it to.
func (t *Turn) Rest() (back func()) {
	t.move(1)
	return sync.OnceFunc(func() { t.move(-1) })
}

func (t *Turn) move(rests int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rests += rests
	absent := t.rests > 0 || t.left
	if absent == t.absent {
		return
	}
	t.absent = absent
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	if absent {
		t.gate.inside--
	} else {
		t.gate.inside++ // it goes on at once, be it one too many
	}
	t.gate.call()
}

// Leave gives the place back, after a client that took this much of the processors' time.
func (t *Turn) Leave(cpu time.Duration) {
	t.mu.Lock()
	t.left = true
	t.mu.Unlock()
	t.gate.look(cpu)
	t.move(0)
}

// look adjusts the limit to what the processors had to do.
func (g *Gate) look(cpu time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent += cpu
	passed := time.Since(g.since)
	if passed < lookEvery {
		return
	}
	own := ownCPU()
	busy := max(float64(g.spent+own-g.own)/float64(passed)/float64(g.cores), g.others())
	switch {
	case busy < idle && len(g.waiting) > 0:
		g.limit = min(g.limit+1, g.most)
	case busy > full:
		g.limit = max(g.limit-1, min(g.cores, g.most))
	}
	g.spent, g.own, g.since = 0, own, time.Now()
}

// others is the share of the machine's time that went into work since the last look, that of strangers too: where they
// leave nothing, more clients at a time would only be slower. 0 where that is not known.
func (g *Gate) others() float64 {
	busy, total, ok := machineCPU()
	if !ok || total <= g.machineTotal {
		return 0
	}
	share := float64(busy-g.machineBusy) / float64(total-g.machineTotal)
	g.machineBusy, g.machineTotal = busy, total
	return share
}
