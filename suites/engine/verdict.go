package engine

import (
	"fmt"
	"slices"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

// mostAttempts is how often a check is run before it is given up as inconclusive.
const mostAttempts = 5

// verdict says what counts after these attempts; ok is false when another one is needed. An attempt in which the target
// could not be judged by what came back is none, and so is one, after a failure or a warning, in which nothing could be
// proved. A pass counts at once, and so does a proof; a failure or a warning when the next attempt agrees.
func verdict(attempts []check.Attempt) (r reports.Check, ok bool) {
	var clear []reports.Check
	for _, a := range attempts {
		lost := a.Result.Outcome == reports.Inconclusive && len(clear) > 0 && isFinding(clear[0])
		if len(a.Doubts) == 0 && !lost {
			clear = append(clear, a.Result)
		}
	}
	last := attempts[len(attempts)-1]
	if last.Proved {
		return last.Result, true
	}
	switch n := len(clear); {
	case n == 0 && len(attempts) < mostAttempts:
		return r, false
	case n == 0:
		return disturbed(last), true
	case n == 1:
		r = clear[0]
		if r.Outcome == reports.Pass || r.Outcome == reports.Skip {
			return r, true
		}
		if len(attempts) < mostAttempts {
			return r, false
		}
		if len(last.Doubts) > 0 {
			last.Result = disturbed(last)
		}
		return unrepeated(r, last.Result), true
	default:
		if a, b := clear[n-2], clear[n-1]; a.Outcome == b.Outcome {
			return b, true
		}
		if first, b := clear[0], clear[n-1]; n > 2 && first.Outcome == b.Outcome {
			return b, true
		}
		if clear[0].Outcome == reports.Inconclusive { // whatever kept it from being judged is over
			if o := clear[n-1].Outcome; o == reports.Pass || o == reports.Skip || n > 2 {
				return clear[n-1], true
			}
			return r, len(attempts) >= mostAttempts
		}
		return unrepeated(clear[0], clear[n-1]), true
	}
}

// isFinding reports whether an attempt found something wrong.
func isFinding(r reports.Check) bool { return r.Outcome == reports.Fail || r.Outcome == reports.Warn }

// disturbed is the result of a check whose attempts were all disturbed.
func disturbed(a check.Attempt) reports.Check {
	r := a.Result
	r.Outcome = reports.Inconclusive
	r.Warnings = nil
	r.Message = fmt.Sprintf("disturbed in each of %d attempts, so nothing is proved: %s", mostAttempts, a.Doubts[0])
	r.Notes = append(slices.Clone(r.Notes), a.Doubts[1:]...)
	return r
}

// unrepeated is the result of a check that did not find the same twice.
func unrepeated(first, again reports.Check) reports.Check {
	r := first
	r.Outcome = reports.Inconclusive
	r.Message = fmt.Sprintf("found once, but not when it was repeated alone: the first time %s (%s); again: %s",
		first.Outcome, first.Message, worded(again))
	r.Exchanges = append(slices.Clone(first.Exchanges), again.Exchanges...)
	return r
}

func worded(r reports.Check) string {
	if r.Message == "" {
		return string(r.Outcome)
	}
	return fmt.Sprintf("%s (%s)", r.Outcome, r.Message)
}
