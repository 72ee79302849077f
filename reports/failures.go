package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// failure is a requirement that is broken: what failed by itself, and what failed only because of it.
type failure struct {
	finding
	Severity  Severity // the worst of its checks'
	Groups    []attackGroup
	Followers []finding
}

// attackGroup is failed checks that a reader takes in at once: the variants of one identifier and severity, or checks
// that say the same.
type attackGroup struct {
	Identifier string // of generated attacks; empty for others
	Severity   Severity
	Ways       []string // of comparing wrongly
	Checks     []Check
	Message    string // when all say the same
}

// failures are the broken requirements, by what an attacker gains: worst first, otherwise in the order of the
// catalogue. What follows from another failure stands under it. wanted chooses among the failed checks.
func (r *Report) failures(wanted func(Check) bool) (list []failure, total int) {
	isFailed := func(c Check) bool { return c.Outcome == Fail && wanted(c) }
	shown := map[string]bool{}
	for _, c := range r.Checks {
		shown[c.ID] = isFailed(c) && c.Cause == ""
	}
	own, n := r.findings(func(c Check) bool { return isFailed(c) && !(c.Cause != "" && shown[c.Cause]) })
	total = n
	at := map[string]int{} // check → its failure
	for _, f := range own {
		v := failure{finding: f, Groups: grouped(f)}
		for _, c := range f.Checks {
			at[c.ID] = len(list)
			v.Severity = worse(v.Severity, f.severity(c))
		}
		list = append(list, v)
	}
	for i := range list {
		follows := func(c Check) bool {
			j, ok := at[c.Cause]
			return isFailed(c) && c.Cause != "" && shown[c.Cause] && ok && j == i
		}
		list[i].Followers, n = r.findings(follows)
		total += n
	}
	slices.SortStableFunc(list, func(a, b failure) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
	return list, total
}

// severity is that of a failed check of this requirement.
func (f finding) severity(c Check) Severity { return cmp.Or(c.Severity, f.Requirement.Severity) }

// rank orders severities, worst first; none comes last.
func (s Severity) rank() int {
	if i := slices.Index(Severities, s); i >= 0 {
		return i
	}
	return len(Severities)
}

func worse(a, b Severity) Severity {
	if b.rank() < a.rank() {
		return b
	}
	return a
}

// grouped puts generated attacks together by identifier and severity, and others by what they say.
func grouped(f finding) []attackGroup {
	var list []attackGroup
	at := map[[3]string]int{}
	for _, c := range f.Checks {
		key := [3]string{c.Identifier, string(f.severity(c)), c.Message}
		if c.Identifier != "" {
			key[2] = ""
		}
		i, known := at[key]
		if !known {
			i = len(list)
			at[key] = i
			list = append(list, attackGroup{Identifier: c.Identifier, Severity: f.severity(c), Message: c.Message})
		}
		g := &list[i]
		g.Checks = append(g.Checks, c)
		if c.Way != "" && !slices.Contains(g.Ways, c.Way) {
			g.Ways = append(g.Ways, c.Way)
		}
		if c.Message != g.Message {
			g.Message = ""
		}
	}
	slices.SortStableFunc(list, func(a, b attackGroup) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
	return list
}

// lines is how many findings a terminal shows of the group.
func (g attackGroup) lines() int {
	if g.Identifier != "" {
		return 1
	}
	return min(len(g.Checks), textAlike)
}

// said is the line of generated attacks: "sub is compared without regard to case, by how it begins (3 attacks,
// critical)".
func (g attackGroup) said() string {
	const most = 6
	ways, more := g.Ways, ""
	if len(ways) > most {
		more = fmt.Sprintf(" and in %d more ways", len(ways)-most)
		ways = ways[:most]
	}
	size := count(len(g.Checks), "attack")
	if g.Severity != "" {
		size += ", " + string(g.Severity)
	}
	return fmt.Sprintf("%s is %s%s (%s)", g.Identifier, strings.Join(verbOnce(ways), ", "), more, size)
}

// verbOnce leaves out the first word of each way that begins like the one before it: what is compared in several ways
// is said to be compared once.
func verbOnce(ways []string) []string {
	list, before := make([]string, len(ways)), ""
	for i, way := range ways {
		verb, rest, _ := strings.Cut(way, " ")
		if list[i] = way; verb == before && rest != "" {
			list[i] = rest
		}
		before = verb
	}
	return list
}

// names lists the first slugs, and how many more there are.
func (g attackGroup) names() string {
	var slugs []string
	for _, c := range g.Checks {
		slugs = append(slugs, c.slug())
	}
	return sameMessage{IDs: slugs}.names()
}

// followed says in one line what fails only because of this: "RAS-TENANT (5), RAS-SUB-ID (8)".
func (f failure) followed() string {
	var parts []string
	for _, g := range f.Followers {
		if len(g.Checks) == 1 {
			parts = append(parts, g.Checks[0].ID)
		} else {
			parts = append(parts, fmt.Sprintf("%s (%s)", g.Requirement.ID, count(len(g.Checks), "check")))
		}
	}
	return strings.Join(parts, ", ")
}

// bySeverity counts failed checks: "30 critical, 8 high"; empty where no requirement has a severity.
func (r *Report) bySeverity() string {
	known := map[string]Severity{}
	for _, q := range r.Requirements {
		known[q.ID] = q.Severity
	}
	n := map[Severity]int{}
	for _, c := range r.Checks {
		if c.Outcome == Fail {
			n[cmp.Or(c.Severity, known[c.Requirement])]++
		}
	}
	var parts []string
	for _, s := range Severities {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(parts, ", ")
}
