package reports

import "strings"

// group is a role with its requirements.
type group struct {
	Role, Title  string
	Requirements []requirementView
	Untestable   []requirementView
}

// requirementView is a requirement with its checks, made ready for the page.
type requirementView struct {
	Requirement
	Counts []outcomeCount // without those that are 0
	Open   bool
	Advise bool // it is broken: say why that matters and how to fix it
	Links  []sourceView
	// Weights says how much it weighs in each profile, "" where that is the same.
	Weights string
	Checks  []checkView
}

type sourceView struct{ Name, URL string }

// checkView is a check made ready for the page.
type checkView struct {
	Check
	Slug   string
	Weaker bool // judged at another level than its requirement
	Millis string
	Search string // what the text filter looks at
	Now    bool   // in the document from the start
	Shown  bool   // with its evidence
}

// Diagram is the flow with the step at fault marked; nil where nothing failed.
func (v checkView) Diagram() *diagram { return faultOf(v.Check) }

// Rows is the check's evidence; it is made when the page comes to it, which keeps large reports out of memory.
func (v checkView) Rows() []pair { return pairs(v.Exchanges) }

// Failed checks that are in the document from the start, and those of them with their evidence: readable without a
// script.
const (
	atOnce         = 200
	evidenceAtOnce = 40
)

// groups sorts requirements and their checks by role, in the order of the catalogue. A check whose requirement the
// report does not describe is shown under the bare id.
func groups(r *Report) []group {
	checks := map[string][]Check{}
	requirements := append([]Requirement(nil), r.Requirements...)
	known := map[string]bool{}
	for _, q := range requirements {
		known[q.ID] = true
	}
	for _, c := range r.Checks {
		checks[c.Requirement] = append(checks[c.Requirement], c)
		if !known[c.Requirement] {
			known[c.Requirement] = true
			requirements = append(requirements, Requirement{ID: c.Requirement, Role: c.Role, Level: c.Level})
		}
	}
	var list []group
	at := map[string]int{}
	shown := 0
	for _, q := range requirements {
		i, ok := at[q.Role]
		if !ok {
			i = len(list)
			at[q.Role] = i
			list = append(list, group{Role: line(q.Role), Title: line(roleTitle(q.Role))})
		}
		v := viewRequirement(q, checks[q.ID])
		for j := range v.Checks {
			k := &v.Checks[j]
			k.Now = k.Outcome == Fail && shown < atOnce
			k.Shown = k.Now && shown < evidenceAtOnce
			shown += one(k.Now)
		}
		if q.Untestable != "" && len(v.Checks) == 0 {
			list[i].Untestable = append(list[i].Untestable, v)
		} else {
			list[i].Requirements = append(list[i].Requirements, v)
		}
	}
	return list
}

func viewRequirement(q Requirement, checks []Check) requirementView {
	v := requirementView{Requirement: q}
	for _, s := range []*string{&v.ID, &v.Role, &v.Level, &v.Title, &v.Says, &v.Why, &v.Fix, &v.Reading, &v.Untestable} {
		*s = line(*s)
	}
	if v.Title == "" {
		v.Title = cut(v.Says, 90)
	}
	n := noCounts()
	var found []Outcome
	for _, c := range checks {
		n[c.Outcome]++
		found = append(found, c.Outcome)
		v.Checks = append(v.Checks, viewCheck(c, q.Level))
	}
	v.Outcome = worst(found)
	v.Advise = n[Fail]+n[Warn] > 0
	v.Open = v.Advise || n[Inconclusive] > 0
	for _, c := range bar(n) {
		if c.N > 0 {
			v.Counts = append(v.Counts, c)
		}
	}
	for _, s := range q.Sources {
		v.Links = append(v.Links, sourceView{line(s.where()), httpLink(s.URL)})
	}
	v.Weights = weights(q.Levels)
	return v
}

// weights says how much a requirement weighs in each profile, "" where it weighs the same in all.
func weights(levels []Level) string {
	var parts []string
	differs := false
	for _, l := range levels {
		parts = append(parts, l.Profile+": "+l.Level)
		differs = differs || l.Level != levels[0].Level
	}
	if !differs {
		return ""
	}
	return line("Level by profile: " + strings.Join(parts, ", "))
}

func viewCheck(c Check, level string) checkView {
	v := checkView{Check: c, Weaker: c.Level != level, Slug: line(c.slug()), Millis: millis(c.Seconds)}
	for _, s := range []*string{&v.ID, &v.Level, &v.Role, &v.Title, &v.Sends, &v.Expects, &v.Expected} {
		*s = line(*s)
	}
	v.Message, v.Warnings, v.Notes, v.Labels = visible(c.Message), nil, nil, nil
	for _, n := range c.Notes {
		v.Notes = append(v.Notes, visible(n))
	}
	for _, l := range c.Labels {
		if l != c.Requirement && l != c.Role && !strings.EqualFold(l, c.Level) { // those are on the page already
			v.Labels = append(v.Labels, line(l))
		}
	}
	for _, w := range c.Warnings {
		if w != c.Message { // a check that only warns has its first warning as message
			v.Warnings = append(v.Warnings, visible(w))
		}
	}
	words := append([]string{v.ID, v.Title, v.Sends, v.Expects, v.Message}, v.Labels...)
	v.Search = strings.ToLower(strings.Join(words, " "))
	return v
}
