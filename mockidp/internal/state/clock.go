package state

import (
	"sync"
	"sync/atomic"
	"time"
)

// Leeway is what clocks may differ by.
const Leeway = 30 * time.Second

// Clock is the time, moved by an offset.
type Clock struct {
	base   func() time.Time
	Offset atomic.Int64 // in nanoseconds
}

func (c *Clock) now() time.Time {
	t := time.Now()
	if c.base != nil {
		t = c.base()
	}
	return t.Add(time.Duration(c.Offset.Load()))
}

// Rate counts requests in windows of a minute, for the rate limit headers. It refuses nobody: faults do.
type Rate struct {
	mu     sync.Mutex
	window int64
	n      int
}

const rateLimit = 6000

// Count counts a request, and says how many there may be in its window, how many are left, and when it ends (Unix
// time).
func (l *Rate) Count(now time.Time) (limit, remaining int, reset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if window := now.Unix() / 60; window != l.window {
		l.window, l.n = window, 0
	}
	l.n++
	return rateLimit, max(0, rateLimit-l.n), (l.window + 1) * 60
}
