package check

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Driver is a world to act on, within a bound in time, and a record of what was sent.
type Driver struct {
	context.Context
	*World
	rec *wire.Recorder
}

// NewDriver makes a driver whose exchanges are recorded, without any secret of the configuration.
func NewDriver(ctx context.Context, w *World) *Driver {
	return &Driver{Context: ctx, World: w, rec: wire.NewRecorder(w.secrets())}
}

// Recorder keeps the exchanges.
func (d *Driver) Recorder() *wire.Recorder { return d.rec }

// T is a running check: a driver and what was found so far.
type T struct {
	*Driver
	Check *Check
	// DPoPNonce is the nonce that the target last gave out for DPoP proofs (RFC 9449 section 8), "" when it gave none.
	DPoPNonce string

	outcome  reports.Outcome // set when the body ended the check itself
	message  string
	warnings []string
	notes    []string
}

// Skipf ends the check: the target does not offer what it judges.
func (t *T) Skipf(format string, args ...any) {
	t.end(reports.Skip, format, args...)
}

// Inconclusivef ends the check: nothing was proved, for a reason that is not the target's behaviour under test.
func (t *T) Inconclusivef(format string, args ...any) {
	t.end(reports.Inconclusive, format, args...)
}

func (t *T) end(o reports.Outcome, format string, args ...any) {
	t.outcome, t.message = o, fmt.Sprintf(format, args...)
	ginkgo.Skip(t.message)
}

// Failf ends the check: the requirement is broken. It is for findings that no matcher words well.
func (t *T) Failf(format string, args ...any) {
	ginkgo.Fail(fmt.Sprintf(format, args...), 1)
}

// Warnf adds a warning: the check goes on, and its outcome is warn unless it fails.
func (t *T) Warnf(format string, args ...any) {
	t.warnings = append(t.warnings, fmt.Sprintf(format, args...))
}

// Notef adds a fact worth reporting that is not judged.
func (t *T) Notef(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
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

// Send sends any request and records it.
func (t *T) Send(r *wire.Request, part reports.Part, note string) *wire.Answer {
	a := t.Wire.Do(t, r, t.rec, part, note)
	t.mustNotBeThrottled(a)
	if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" {
		t.DPoPNonce = nonce
	}
	return a
}

func (t *T) mustNotBeThrottled(a *wire.Answer) {
	if a.Throttled() {
		t.Inconclusivef("the target answers 429 Too Many Requests: run with fewer --workers, or raise its limit for the test client")
	}
}

// Get fetches a JSON document, following a few redirects.
func (d *Driver) Get(url string) (map[string]any, *wire.Answer, error) {
	return target.Fetch(d, d.Wire, d.rec, url)
}

// result is what the check found, given what Ginkgo says about the spec.
func (t *T) result(report ginkgo.SpecReport) reports.Check {
	c := t.Check
	r := describe(c)
	r.Seconds = report.RunTime.Seconds()
	r.Exchanges = t.rec.Exchanges()
	r.Outcome, r.Message = t.judge(report)
	if n := len(r.Exchanges); r.Outcome == reports.Fail && n > 0 && r.Exchanges[n-1].Response == nil && t.gone() {
		r.Outcome, r.Message = reports.Inconclusive, "the target does not answer any more: "+r.Exchanges[n-1].Error
	}
	r.Message = t.clean(r.Message)
	for _, w := range t.warnings {
		r.Warnings = append(r.Warnings, t.clean(w))
	}
	for _, n := range t.notes {
		r.Notes = append(r.Notes, t.clean(n))
	}
	return r
}

// gone reports whether the target answers nothing at all, so that its silence says nothing about the requirement.
func (t *T) gone() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t), t.Config.Timing.Request)
	defer cancel()
	return t.Wire.Do(ctx, Initialize(t.Config.URL, ""), nil, reports.Setup, "").Err != nil
}

func (t *T) judge(report ginkgo.SpecReport) (reports.Outcome, string) {
	switch {
	case report.State.Is(passed):
		if len(t.warnings) > 0 {
			return reports.Warn, t.warnings[0]
		}
		return reports.Pass, ""
	case t.outcome != "":
		return t.outcome, t.message
	case report.State.Is(failed):
		if t.Check.Level == "SHOULD" { // what a MAY offers, it must do right
			return reports.Warn, report.Failure.Message
		}
		return reports.Fail, report.Failure.Message
	case report.State.Is(timedOut):
		return reports.Inconclusive, fmt.Sprintf("not finished within %s: the target is slow or hangs", t.Config.Timing.Check)
	case report.State.Is(panicked):
		return reports.Inconclusive, "an error in the check itself, please report it: " + report.Failure.ForwardedPanic
	default:
		return reports.Inconclusive, "the check was " + report.State.String()
	}
}

// clean hides every token in a message and makes a sentence of what Gomega laid out in lines.
func (t *T) clean(message string) string {
	return sentence(t.rec.Scrub(message))
}

// describe starts a result with the check's declaration.
func describe(c *Check) reports.Check {
	return reports.Check{
		ID: c.ID, Requirement: c.Requirement.ID, Role: c.Requirement.Role, Level: c.Level, Title: c.Title,
		Sends: c.Sends, Expects: c.Expects, Labels: c.Labels,
	}
}

// Unfinished is the result of a check that did not come to an end: why says what happened.
func (c *Check) Unfinished(why string) reports.Check {
	r := describe(c)
	r.Outcome, r.Message = reports.Inconclusive, why
	return r
}

// SkippedResult is the result of a check that was not run: why says what would enable it.
func (c *Check) SkippedResult(why string) reports.Check {
	r := describe(c)
	r.Outcome, r.Message = reports.Skip, why
	return r
}
