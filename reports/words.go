package reports

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// roleTitles are the roles in words.
var roleTitles = map[string]string{
	"ras":    "Resource Authorization Server",
	"rs":     "MCP server",
	"client": "MCP client",
	"idp":    "Identity provider",
}

// shortTitles are the roles in a few letters, for narrow terminals.
var shortTitles = map[string]string{"ras": "Auth. server", "rs": "MCP server", "client": "MCP client", "idp": "IdP"}

func roleTitle(role string) string {
	if title, ok := roleTitles[role]; ok {
		return title
	}
	return role
}

// subject says what was judged, and by what.
func (r *Report) subject() string {
	what := r.Target.name()
	if r.Target.URL != "" && what != r.Target.URL {
		what += " (" + r.Target.URL + ")"
	}
	return what + ", profile " + r.Profile
}

func (t Target) name() string {
	if t.Name == "" {
		return t.URL
	}
	return t.Name
}

// secret says in which scenarios a client had a secret at the identity provider, where that is not the usual.
func (t Target) secret() string {
	if t.Confidential {
		return "in every scenario"
	}
	return ""
}

// slug is the check's name within its requirement.
func (c Check) slug() string { return strings.TrimPrefix(c.ID, c.Requirement+"/") }

// tells reports whether the report's problem says already what a step of the preflight saw and what to do.
func (r *Report) tells(s Step) bool {
	return strings.Contains(r.Problem, s.Saw) && strings.Contains(r.Problem, s.Fix)
}

// headline says in a sentence each what stands behind the verdict, and what qualifies it.
func (r *Report) headline() []string {
	n, total := r.Counts(), len(r.Checks)
	var said []string
	if r.Ended != "" {
		said = append(said, r.early())
	}
	switch {
	case total == 0 && r.Ended == "":
		said = append(said, "No check ran.")
	case n[Fail] > 0:
		said = append(said, fmt.Sprintf("%d of %s failed%s.", n[Fail], count(total, "check"), before(": ", r.bySeverity())))
	case n[Inconclusive] > 0:
		said = append(said, fmt.Sprintf("%d of %s proved nothing.", n[Inconclusive], count(total, "check")))
	case n[Warn] > 0 && r.Ended != FirstLook:
		said = append(said, fmt.Sprintf("Conformant in %d of %s, %s.", n[Pass]+n[Warn], count(r.Coverage.Checks, "check"),
			count(n[Warn], "warning")))
	case r.Ended == FirstLook && total > 0:
		said = append(said, fmt.Sprintf("%d of %s passed, %s.", n[Pass], count(total, "check"), count(n[Warn], "warning")))
	case total > 0 && n[Pass] > 0:
		said = append(said, fmt.Sprintf("Conformant in %d of %s.", n[Pass], count(r.Coverage.Checks, "check")))
	case total > 0:
		said = append(said, "No check passed: all were skipped.")
	}
	if missing := r.Coverage.Must - r.Coverage.MustJudged; missing > 0 && total > 0 && r.Ended != FirstLook {
		said = append(said, fmt.Sprintf("%s not judged: %s.", count(missing, "MUST check"), r.Coverage.gaps()))
	}
	if r.Selection != "" {
		said = append(said, fmt.Sprintf("Only part of the checks ran (%s): the verdict speaks of these alone.", r.Selection))
	}
	if r.Baseline != nil {
		said = append(said, r.Baseline.headline()...)
	}
	return said
}

// before is s behind a prefix, or nothing when it is empty.
func before(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// early says that the run ended early and why. A problem may name once more how the run ended, before a colon.
func (r *Report) early() string {
	if r.Ended == FirstLook {
		return "A first look: only what needs no token was judged. " + sentence(r.Problem)
	}
	problem := r.Problem
	if before, after, found := strings.Cut(problem, ":"); found && strings.EqualFold(before, r.Ended) {
		problem = after
	}
	return strings.TrimSpace(fmt.Sprintf("The run ended early (%s). %s", r.Ended, sentence(problem)))
}

// sentence gives s a capital letter and a full stop, but for what must stay as it is: a URL, a path, a name with a dot.
func sentence(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	s = strings.TrimSpace(s)
	if first, size := utf8.DecodeRuneInString(s); !strings.ContainsAny(words[0], ":/._") && unicode.IsLower(first) {
		s = string(unicode.ToUpper(first)) + s[size:]
	}
	if last := words[len(words)-1]; !strings.Contains(last, "/") && !strings.ContainsAny(last[len(last)-1:], ".!?:") {
		s += "."
	}
	return s
}

func (b *Baseline) headline() []string {
	var said []string
	if len(b.Unexpected) == 0 {
		said = append(said, fmt.Sprintf("Nothing unexpected: %s as listed in %s.", count(len(b.Matched), "result"), b.File))
	} else {
		said = append(said, fmt.Sprintf("%s not expected by %s, %d as listed.", count(len(b.Unexpected), "result"), b.File,
			len(b.Matched)))
	}
	if len(b.Stale) > 0 {
		said = append(said, "Better than expected, take off the list: "+strings.Join(b.Stale, ", ")+".")
	}
	if len(b.Unknown) > 0 {
		said = append(said, "The list names what does not exist: "+strings.Join(b.Unknown, ", ")+".")
	}
	return said
}

// count is "1 check" or "3 checks".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// where names a source: document and section.
func (s Source) where() string {
	if s.Section == "" {
		return s.Document
	}
	place := s.Document + " § " + s.Section
	if len(s.Revision) == 40 { // a commit; of other documents the name says which text it is
		place += " (" + s.Revision[:7] + ")"
	}
	return place
}

// finding is a requirement with some of its checks.
type finding struct {
	Requirement Requirement
	Checks      []Check
}

// findings groups the checks that are wanted by requirement, in the order of the checks, and counts them.
func (r *Report) findings(wanted func(Check) bool) (list []finding, total int) {
	known := map[string]Requirement{}
	for _, q := range r.Requirements {
		known[q.ID] = q
	}
	at := map[string]int{}
	for _, c := range r.Checks {
		if !wanted(c) {
			continue
		}
		i, ok := at[c.Requirement]
		if !ok {
			i = len(list)
			at[c.Requirement] = i
			q, found := known[c.Requirement]
			if !found {
				q = Requirement{ID: c.Requirement, Role: c.Role, Level: c.Level}
			}
			list = append(list, finding{Requirement: q})
		}
		list[i].Checks = append(list[i].Checks, c)
		total++
	}
	return list, total
}

// sameMessage are checks that say the same: when one control breaks, a hundred checks tell of it.
type sameMessage struct {
	Message string
	IDs     []string
}

// byMessage groups the checks that are wanted by what they say, and counts them: what keeps most checks from a verdict
// comes first.
func (r *Report) byMessage(wanted func(Check) bool) (list []sameMessage, total int) {
	at := map[string]int{}
	for _, c := range r.Checks {
		if !wanted(c) {
			continue
		}
		i, ok := at[c.Message]
		if !ok {
			i = len(list)
			at[c.Message] = i
			list = append(list, sameMessage{Message: c.Message})
		}
		list[i].IDs = append(list[i].IDs, c.ID)
		total++
	}
	slices.SortStableFunc(list, func(a, b sameMessage) int { return cmp.Compare(len(b.IDs), len(a.IDs)) })
	return list, total
}

const namedIDs = 8 // of checks that say the same

// names lists the first ids, and how many more there are.
func (m sameMessage) names() string {
	if n := len(m.IDs); n > namedIDs {
		return fmt.Sprintf("%s and %d more", strings.Join(m.IDs[:namedIDs], ", "), n-namedIDs)
	}
	return strings.Join(m.IDs, ", ")
}

// httpLink is u when it is a plain http or https URL that any format can link to, or "".
func httpLink(u string) string {
	parsed, err := url.Parse(u)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" ||
		strings.ContainsAny(u, "<>\"'`\\ ") || visible(u) != u || strings.ContainsAny(u, "\t\n") {
		return ""
	}
	return u
}
