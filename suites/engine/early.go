package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// How a run can end before its time; see reports.Report.Ended.
const (
	EndedPreflight   = "preflight"
	EndedInterrupted = "interrupted"
	EndedTimeLimit   = "time limit"
	EndedTargetLost  = "target lost"
)

// earlyEnd is the cause with which a run's context is cancelled.
type earlyEnd struct{ ended, problem string }

func (e *earlyEnd) Error() string { return e.problem }

// Bounded is the context of a run that ends when its time is over.
func Bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	over := &earlyEnd{EndedTimeLimit, fmt.Sprintf("the run's time limit of %s (--timeout, timing.run) is over", limit)}
	return context.WithTimeoutCause(ctx, limit, over)
}

// Ended says how and why a run's context ended before its time, for the report; both are "" when it did not.
func Ended(ctx context.Context) (ended, problem string) {
	if ctx.Err() == nil {
		return "", ""
	}
	var early *earlyEnd
	if errors.As(context.Cause(ctx), &early) {
		return early.ended, early.problem
	}
	return EndedInterrupted, "Checks that had not ended are inconclusive."
}

// Version is the version of this program, as the go command stamped it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
