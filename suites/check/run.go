package check

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// Attempt is what one run of a check's body found.
type Attempt struct {
	Result reports.Check
	// Doubts says what came in between that the target may not be judged by; empty when all was proved.
	Doubts []string
	// Proved says that the finding needs no second look: see T.Provef and T.Proven.
	Proved bool
}

// cleanupTime bounds what a check leaves to be done at its end.
const cleanupTime = 10 * time.Second

// Run runs the check's body once, on the calling goroutine, and says what it found. It never panics.
func (t *T) Run() Attempt {
	started := time.Now()
	ended := t.protect(func() { t.Check.body(t) })
	f, failed := ended.(failure)
	if failed && !f.proved && t.confirm != nil {
		if otherwise := t.protect(t.confirm); otherwise != nil {
			ended = otherwise
		}
	}
	outcome, message := t.outcome(ended)
	t.cleanUp()
	r := t.Check.describe()
	r.Seconds = time.Since(started).Seconds()
	r.Exchanges = t.rec.Exchanges()
	r.Outcome, r.Message = outcome, t.clean(message)
	for _, w := range t.findings.warnings {
		r.Warnings = append(r.Warnings, t.clean(w))
	}
	for _, n := range t.findings.notes {
		r.Notes = append(r.Notes, t.rec.Scrub(n)) // in the lines that it has
	}
	found := outcome == reports.Fail || outcome == reports.Warn
	return Attempt{Result: r, Doubts: t.Doubts(), Proved: f.proved || t.findings.proved && found}
}

// protect runs a part of the check and returns what it panicked with, nil when it came to its end.
func (t *T) protect(part func()) (ended any) {
	defer func() {
		ended = recover()
		switch ended.(type) {
		case nil, end, failure:
		default:
			ended = fmt.Sprintf("%v\n%s", ended, debug.Stack())
		}
	}()
	part()
	return nil
}

func (t *T) outcome(ended any) (reports.Outcome, string) {
	if f, _ := ended.(failure); t.Err() != nil && !f.proved { // whatever the body made of it
		t.Doubtf("%s", context.Cause(t))
		return reports.Inconclusive, context.Cause(t).Error()
	}
	switch e := ended.(type) {
	case nil:
		if len(t.findings.warnings) > 0 {
			return reports.Warn, t.findings.warnings[0]
		}
		return reports.Pass, ""
	case end:
		return t.findings.ended, t.findings.message
	case failure:
		if t.Check.Level == "SHOULD" { // what a MAY offers, it must do right
			return reports.Warn, t.Check.Warning(e.message)
		}
		return reports.Fail, e.message
	default:
		return reports.Inconclusive, fmt.Sprintf("an error in the check itself, please report it: %v", ended)
	}
}

func (t *T) cleanUp() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t), cleanupTime)
	defer cancel()
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i](ctx)
	}
}

// clean hides every token in a message and makes a sentence of what Gomega laid out in lines.
func (t *T) clean(message string) string { return said(t.rec.Scrub(message)) }

// describe starts a result with the check's declaration.
func (c *Check) describe() reports.Check {
	r := reports.Check{
		ID: c.ID, Requirement: c.Requirement.ID, Role: c.Requirement.Role, Level: c.Level, Title: c.Title,
		Sends: c.Sends, Expects: c.Expects, Labels: c.Labels, Follows: catalogue.Causes(c.Requirement.ID, c.ID),
	}
	if a := c.Attack; a != nil {
		r.Identifier, r.Way, r.Severity = a.Identifier.Name, a.Way.Said(), a.Severity
	}
	return r
}

// Unfinished is the result of a check that did not come to an end: why says what happened.
func (c *Check) Unfinished(why string) reports.Check {
	r := c.describe()
	r.Outcome, r.Message = reports.Inconclusive, why
	return r
}

// SkippedResult is the result of a check that was not run: why says the reason, key what would let it run.
func (c *Check) SkippedResult(why, key string) reports.Check {
	r := c.describe()
	r.Outcome, r.Message, r.Key = reports.Skip, why, key
	return r
}

// Adhoc makes a check that stands in no list, for tests of what runs checks.
func Adhoc(id string, body func(*T), options ...Option) *Check {
	c := &Check{ID: id, Level: "MUST", body: body}
	for _, o := range options {
		o(c)
	}
	return c
}
