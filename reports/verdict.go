package reports

import (
	"cmp"
	"slices"
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
