package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// cover counts how much of the catalogue's roles was judged, and why the MUST checks that were not.
func cover(r *Report) Coverage {
	c := Coverage{Checks: len(r.Checks) + len(r.NotRun)}
	at := map[Gap]int{}
	gap := func(key, reason string) {
		g := Gap{Key: key, Reason: reason}
		i, known := at[g]
		if !known {
			i = len(c.Gaps)
			at[g] = i
			c.Gaps = append(c.Gaps, g)
		}
		c.Gaps[i].Checks++
	}
	for _, k := range r.Checks {
		judged, must := k.judged(), k.Level == "MUST"
		c.Judged += one(judged)
		c.Must += one(must)
		c.MustJudged += one(must && judged)
		switch {
		case !must || judged:
		case k.Outcome == Inconclusive:
			gap("", "inconclusive")
		case k.Key != "":
			gap(k.Key, "not configured or not offered")
		default:
			gap("", line(k.Message))
		}
	}
	for _, k := range r.NotRun {
		c.Must += one(k.Level == "MUST")
		if k.Level == "MUST" {
			gap("", r.whyNotRun())
		}
	}
	slices.SortStableFunc(c.Gaps, func(a, b Gap) int { return cmp.Compare(b.Checks, a.Checks) })
	return c
}

// whyNotRun says why there are checks without a result.
func (r *Report) whyNotRun() string {
	if r.Ended != "" {
		return "the run ended early"
	}
	return "not selected"
}

// judged reports whether the check found anything out.
func (c Check) judged() bool { return c.Outcome == Pass || c.Outcome == Warn || c.Outcome == Fail }

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

const namedGaps = 6 // of a coverage in one sentence

// String is the coverage in a sentence or two: how much was judged, and what would let the rest be judged.
func (c Coverage) String() string {
	said := fmt.Sprintf("Judged %d of %s", c.Judged, count(c.Checks, "check"))
	missing := c.Must - c.MustJudged
	if missing == 0 {
		return said + "."
	}
	return fmt.Sprintf("%s; %s not judged: %s.", said, count(missing, "MUST check"), c.gaps())
}

// gaps names the keys that would let checks be judged, and the reasons that no key would change.
func (c Coverage) gaps() string {
	var keys, others []string
	for _, g := range c.Gaps {
		switch {
		case g.Key == "":
			others = append(others, fmt.Sprintf("%d %s", g.Checks, cut(g.Reason, 80)))
		case !slices.Contains(keys, g.Key):
			keys = append(keys, g.Key)
		}
	}
	more := ""
	if len(keys) > namedGaps {
		more = fmt.Sprintf(" and %d more", len(keys)-namedGaps)
		keys = keys[:namedGaps]
	}
	if len(keys) > 0 {
		others = append([]string{"set " + strings.Join(keys, ", ") + more}, others[:min(len(others), 3)]...)
	}
	return strings.Join(others[:min(len(others), 4)], "; ")
}

// Complete lists as not run what of these checks, all of the roles under test, has no result in the report.
func Complete(r *Report, all []NotRun) {
	has := map[string]bool{}
	for _, c := range r.Checks {
		has[c.ID] = true
	}
	r.NotRun = nil
	for _, k := range all {
		if !has[k.ID] {
			r.NotRun = append(r.NotRun, k)
		}
	}
}

// explainFollowers sets the cause of each failed check that follows from another failure: of the failed checks that its
// declaration names, by themselves or by their requirement, the first, or what that one follows from.
func explainFollowers(checks []Check) {
	failed := map[string]int{} // check, or requirement: its first one
	for i, c := range checks {
		checks[i].Cause = ""
		if c.Outcome != Fail {
			continue
		}
		failed[c.ID] = i
		if _, known := failed[c.Requirement]; !known {
			failed[c.Requirement] = i
		}
	}
	cause := func(c Check) (int, bool) {
		for _, id := range c.Follows {
			if i, ok := failed[id]; ok && checks[i].ID != c.ID {
				return i, true
			}
		}
		return 0, false
	}
	const depth = 5 // of causes of causes; two that name each other end here
	for i, c := range checks {
		at, ok := cause(c)
		for n := 0; ok && n < depth && c.Outcome == Fail; n++ {
			checks[i].Cause = checks[at].ID
			at, ok = cause(checks[at])
		}
		if checks[i].Cause == c.ID {
			checks[i].Cause = ""
		}
	}
}
