package wire

import (
	"context"
	"sync"
	"time"
)

// budget is the time that a check may spend. The clock stands still while the check waits for its turn, or for a target
// that went away: a busy machine and a slow target must not change what is found.
type budget struct {
	mu     sync.Mutex
	left   time.Duration
	since  time.Time // when the clock last began to run
	pauses int
	timer  *time.Timer
}

type budgetKey struct{}

// WithBudget returns a context that ends, with this cause, when d was spent outside of pauses.
func WithBudget(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &budget{left: d, since: time.Now()}
	b.timer = time.AfterFunc(d, func() { cancel(cause) })
	return context.WithValue(ctx, budgetKey{}, b), func() { b.timer.Stop(); cancel(nil) }
}

// Pause stops the clock of the context's budget, if it has one, until resume is called.
func Pause(ctx context.Context) (resume func()) {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pauses++; b.pauses == 1 {
		b.timer.Stop()
		b.left -= time.Since(b.since)
	}
	return sync.OnceFunc(b.resume)
}

func (b *budget) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pauses--; b.pauses == 0 {
		b.since = time.Now()
		b.timer.Reset(max(b.left, 0))
	}
}
