package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SchemaURL is where the JSON Schema of this version is published; every JSON report names it.
const SchemaURL = "https://emaconform.dev/schema/report-v" + SchemaVersion + ".schema.json"

// Exit codes of a run, as ExitCode gives them. 2 belongs to the command line: usage or configuration error.
const (
	ExitConformant    = 0
	ExitNotConformant = 1
	ExitInconclusive  = 3
)

// roleOrder is the order in which roles are shown; a role that is not listed comes last.
var roleOrder = []string{"ras", "rs", "client", "idp"}

// FirstLook is how a run ended (Report.Ended) that judged only what needs no token.
const FirstLook = "first look"

// verdicts, worst first.
var verdicts = []Verdict{NotConformant, NoVerdict, ConformantWithWarnings, Conformant}

// Finish fills in what follows from the checks: the outcome of each requirement, which failure follows from which, the
// verdict of each role and of the run, the coverage, and the schema that describes the report. Call it once all checks
// are in; calling it again does no harm.
func Finish(r *Report) {
	r.Schema, r.SchemaVersion = SchemaURL, SchemaVersion
	for i := range r.Checks {
		if c := &r.Checks[i]; !slices.Contains(Outcomes, c.Outcome) {
			c.Outcome, c.Message = Inconclusive, "an error in the check itself, please report it: it ended without an outcome"
		}
	}
	byRequirement := map[string][]Outcome{}
	for _, c := range r.Checks {
		byRequirement[c.Requirement] = append(byRequirement[c.Requirement], c.Outcome)
	}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		q.Outcome = worst(byRequirement[q.ID])
		q.Sources = notNil(q.Sources)
	}
	explainFollowers(r.Checks)
	r.Verdict, r.Roles = Judge(r.Checks, r.Ended == "")
	r.Coverage = cover(r)
	if len(r.Checks) == 0 {
		r.Roles = unjudged(r.Requirements)
	}
	r.Preflight, r.Requirements, r.Checks = notNil(r.Preflight), notNil(r.Requirements), notNil(r.Checks)
}

// Judge gives the verdict of each role that has checks, and the worst of them. A fail makes a role not conformant
// whatever else happened. Short of that it is conformant only when something passed, nothing is inconclusive, and the
// run was complete.
func Judge(checks []Check, complete bool) (Verdict, []RoleVerdict) {
	roles := []RoleVerdict{}
	for _, c := range checks {
		i := slices.IndexFunc(roles, func(v RoleVerdict) bool { return v.Role == c.Role })
		if i < 0 {
			i = len(roles)
			roles = append(roles, RoleVerdict{Role: c.Role, Counts: noCounts()})
		}
		roles[i].Counts[c.Outcome]++
	}
	slices.SortStableFunc(roles, func(a, b RoleVerdict) int { return cmp.Compare(roleRank(a.Role), roleRank(b.Role)) })
	overall := NoVerdict
	for i := range roles {
		roles[i].Verdict = judgeCounts(roles[i].Counts, complete)
		if i == 0 || slices.Index(verdicts, roles[i].Verdict) < slices.Index(verdicts, overall) {
			overall = roles[i].Verdict
		}
	}
	return overall, roles
}

func judgeCounts(n map[Outcome]int, complete bool) Verdict {
	switch {
	case n[Fail] > 0:
		return NotConformant
	case n[Inconclusive] > 0 || !complete || n[Pass] == 0:
		return NoVerdict
	case n[Warn] > 0:
		return ConformantWithWarnings
	default:
		return Conformant
	}
}

// worst is the worst outcome of a requirement's checks. A skip says that nothing was tried, so it counts only where
// nothing else was found.
func worst(found []Outcome) Outcome {
	for _, o := range []Outcome{Fail, Inconclusive, Warn, Pass, Skip} {
		if slices.Contains(found, o) {
			return o
		}
	}
	return ""
}

// unjudged lists the roles of a run that came to no check: each without a verdict.
func unjudged(requirements []Requirement) []RoleVerdict {
	roles := []RoleVerdict{}
	for _, q := range requirements {
		if !slices.ContainsFunc(roles, func(v RoleVerdict) bool { return v.Role == q.Role }) {
			roles = append(roles, RoleVerdict{Role: q.Role, Verdict: NoVerdict, Counts: noCounts()})
		}
	}
	return roles
}

// ExitCode is what a CI job gates on: ExitConformant, ExitNotConformant or ExitInconclusive. What the baseline expects
// gates as a pass would. strict makes unexpected warnings and outdated baseline entries gate too.
func (r *Report) ExitCode(strict bool) int {
	gating := slices.Clone(r.Checks)
	for i := range gating {
		if gating[i].Expected != "" {
			gating[i].Outcome = Pass
		}
	}
	verdict, _ := Judge(gating, r.Ended == "")
	outdated := r.Baseline != nil && len(r.Baseline.Stale)+len(r.Baseline.Unknown) > 0
	switch {
	case verdict == NotConformant:
		return ExitNotConformant
	case verdict == NoVerdict:
		return ExitInconclusive
	case strict && (verdict == ConformantWithWarnings || outdated):
		return ExitNotConformant
	default:
		return ExitConformant
	}
}

// Counts adds up the outcomes of all checks.
func (r *Report) Counts() map[Outcome]int {
	n := noCounts()
	for _, c := range r.Checks {
		n[c.Outcome]++
	}
	return n
}

func noCounts() map[Outcome]int {
	n := map[Outcome]int{}
	for _, o := range Outcomes {
		n[o] = 0
	}
	return n
}

func roleRank(role string) int {
	if i := slices.Index(roleOrder, role); i >= 0 {
		return i
	}
	return len(roleOrder)
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

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

// counted is a number before one of several reasons.
func counted(n, reasons int) string {
	if reasons == 1 {
		return ""
	}
	return strconv.Itoa(n) + " "
}

// gaps names the keys that would let checks be judged, and the reasons that no key would change.
func (c Coverage) gaps() string {
	var keys, others []string
	for _, g := range c.Gaps {
		switch {
		case g.Key == "":
			others = append(others, counted(g.Checks, len(c.Gaps))+cut(g.Reason, 120))
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
