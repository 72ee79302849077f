package check

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// T is a running check of any role: its bounds in time, the record of what was sent, and what was found so far. The
// vocabulary of a role (what is sent, by whom) is built on it; see packages server and client.
type T struct {
	context.Context
	Check *Check // nil outside of a check, in a preflight
	World any    // what the role brought
	// Attempt counts how often this check has run, from 1: what checks share is made anew when one runs again.
	Attempt int
	// Wake is called at the end of a Rest, and returns when the check may go on: not while others change what it sees.
	// Nil: it may at once.
	Wake func(context.Context)

	rec      *wire.Recorder
	findings findings
	cleanups []func(context.Context)
	doubts   []string
	confirm  func()
	resting  atomic.Pointer[rest]
}

// rest is a wait by design.
type rest struct {
	until string
	over  time.Time
}

// findings are what the body said of the target.
type findings struct {
	ended    reports.Outcome // set when the body ended the check itself
	proved   bool            // see Proven
	message  string
	warnings []string
	notes    []string
}

// New makes a running check. rec keeps its exchanges.
func New(ctx context.Context, c *Check, world any, rec *wire.Recorder) *T {
	return &T{Context: ctx, Check: c, World: world, Attempt: 1, rec: rec}
}

// Recorder keeps the exchanges.
func (t *T) Recorder() *wire.Recorder { return t.rec }

// end is what a body panics with to end its check; Run recovers it.
type end struct{}

// failure is what Gomega's fail handler panics with, on the goroutine of the body that expected something else.
type failure struct {
	message string
	proved  bool // see Provef
}

// Fail is the fail handler for Gomega while checks run: a body's failure ends that body, and no other.
func Fail(message string, _ ...int) { panic(failure{message: message}) }

// Skipf ends the check: the target does not offer what it judges.
func (t *T) Skipf(format string, args ...any) { t.end(reports.Skip, format, args...) }

// Inconclusivef ends the check: nothing was proved, for a reason that is not the target's behaviour under test.
func (t *T) Inconclusivef(format string, args ...any) { t.end(reports.Inconclusive, format, args...) }

func (t *T) end(o reports.Outcome, format string, args ...any) {
	t.findings.ended, t.findings.message = o, fmt.Sprintf(format, args...)
	panic(end{})
}

// Failf ends the check: the requirement is broken. It is for findings that no matcher words well.
func (t *T) Failf(format string, args ...any) { Fail(fmt.Sprintf(format, args...)) }

// Provef is Failf for a finding that is a proof by itself, such as two grants for one assertion: it counts at once,
// whatever disturbed the rest. What happens by chance need not happen again.
func (t *T) Provef(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...), true}) }

// Proven says that what the check finds needs no second look, for it was seen again and again already: an attack that
// was granted twice, say, which no disturbance can bring about.
func (t *T) Proven() { t.findings.proved = true }

// Warnf adds a warning: the check goes on, and its outcome is warn unless it fails.
func (t *T) Warnf(format string, args ...any) {
	t.findings.warnings = append(t.findings.warnings, fmt.Sprintf(format, args...))
}

// Under runs a part of a body. What that finds begins with these words.
func (t *T) Under(words string, part func()) {
	before := len(t.findings.warnings)
	defer func() {
		for i := before; i < len(t.findings.warnings); i++ {
			t.findings.warnings[i] = words + ": " + t.findings.warnings[i]
		}
		switch found := recover().(type) {
		case nil:
		case failure:
			found.message = words + ": " + found.message
			panic(found)
		default:
			panic(found)
		}
	}()
	part()
}

// Notef adds a fact worth reporting that is not judged.
func (t *T) Notef(format string, args ...any) {
	t.findings.notes = append(t.findings.notes, fmt.Sprintf(format, args...))
}

// Doubtf says that something came in between which the target may not be judged by: a connection that was reset, a
// gateway's answer, a pause. The check goes on, and is run again as a whole; what it found counts only when it finds it
// without a doubt, or in spite of the same doubt each time.
func (t *T) Doubtf(format string, args ...any) {
	t.doubts = append(t.doubts, fmt.Sprintf(format, args...))
}

// Doubts lists what was doubted so far.
func (t *T) Doubts() []string { return t.doubts }

// Noted are the notes so far.
func (t *T) Noted() []string { return t.findings.notes }

// BeforeFailing has confirm called when the body has failed, before that counts: it may end the check otherwise, as
// inconclusive.
func (t *T) BeforeFailing(confirm func()) { t.confirm = confirm }

// DeferCleanup has do called when the check is over, whatever its outcome; the last one deferred comes first. The
// context outlives the check's own.
func (t *T) DeferCleanup(do func(context.Context)) { t.cleanups = append(t.cleanups, do) }

// Rest waits for so long or longer, or until the end of the check. The check's clock stands still meanwhile, for
// waiting by design is not the target's time, and who follows the run is told: until completes "waiting until …".
func (t *T) Rest(d time.Duration, until string) {
	resume := wire.Pause(t)
	defer resume()
	t.resting.Store(&rest{until, time.Now().Add(d)})
	defer t.resting.Store(nil)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Done():
		return
	}
	if t.Wake != nil {
		t.Wake(t)
	}
}

// Resting says what the check waits for by design, and when that is over; "" when it does not.
func (t *T) Resting() (until string, over time.Time) {
	if r := t.resting.Load(); r != nil {
		return r.until, r.over
	}
	return "", time.Time{}
}

// Within tries, less and less often, until done or out of time, and reports whether it was done.
func (t *T) Within(limit time.Duration, done func() bool) bool {
	patience := time.NewTimer(limit)
	defer patience.Stop()
	for pause := 50 * time.Millisecond; ; pause = min(pause*3/2, 2*time.Second) {
		if done() {
			return true
		}
		select {
		case <-time.After(pause):
		case <-patience.C:
			return false
		case <-t.Done():
			return false
		}
	}
}
