package listing

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// Levels are those of every profile.
func Levels(in func(profile string) string) []reports.Level {
	var list []reports.Level
	for _, p := range catalogue.Profiles {
		list = append(list, reports.Level{Profile: p, Level: in(p)})
	}
	return list
}

// Weights says how much a requirement or check weighs in each profile: the level alone where it is the same in all.
func Weights(list []reports.Level) string {
	var parts []string
	same := true
	for _, l := range list {
		parts = append(parts, l.Profile+" "+l.Level)
		same = same && l.Level == list[0].Level
	}
	if same {
		return list[0].Level
	}
	return strings.Join(parts, ", ")
}

// subjectOf begins the sentence that a check's title continues.
func subjectOf(role string) string {
	if role == "client" {
		return "the client "
	}
	return "the target "
}

// doesOf names what a check does: it sends something to a server, and lets a client meet something.
func doesOf(role string) string {
	if role == "client" {
		return "it meets"
	}
	return "sends"
}

// Suggest names the requirements that share the most words with what was asked for.
func Suggest(id string) string {
	asked := strings.FieldsFunc(strings.ToUpper(id), func(r rune) bool { return r == '-' || r == '/' || r == '*' })
	var near []string
	most := 1
	for _, r := range catalogue.All() {
		shared := 0
		for _, word := range asked {
			if slices.Contains(strings.Split(r.ID, "-"), word) {
				shared++
			}
		}
		if shared > most {
			near, most = nil, shared
		}
		if shared == most && len(near) < 5 {
			near = append(near, r.ID)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return " (did you mean " + strings.Join(near, ", ") + "?)"
}

// Explain writes what a requirement demands, why, and how each of its checks judges it.
func Explain(w io.Writer, r catalogue.Requirement, checks []Check) {
	columns := min(100, terminal.Width(w))
	fmt.Fprintf(w, "%s  %s\n", text.Bold.Sprint(r.ID), Weights(Levels(r.LevelIn)))
	paragraph(w, columns, "", r.Says)
	for _, s := range r.Sources {
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(cited(s)+"  "+s.URL))
	}
	paragraph(w, columns, "Why it matters", r.Why)
	paragraph(w, columns, "How to fix it", r.Fix)
	paragraph(w, columns, "Where documents disagree", r.Reading)
	paragraph(w, columns, "Not judged", r.Untestable)
	for _, k := range checks {
		if k.Requirement != r.ID {
			continue
		}
		fmt.Fprintf(w, "\n  %s  %s\n", text.Bold.Sprint(k.ID), Weights(k.Levels))
		for _, line := range [][2]string{
			{"judges that", k.Title}, {doesOf(k.Role), k.Sends}, {"expects", beyond(k.Expects, k.Title)},
			{"needs", strings.Join(k.Needs, ", ")},
			{"stands on", sources(k.Sources)}, {"labels", strings.Join(k.Labels, " ")},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "    %-12s %s\n", line[0]+":", terminal.Wrap(line[1], columns, 17))
			}
		}
	}
	fmt.Fprintln(w)
}

// cited is where a source stands: document, section, and the revision that was read.
func cited(s reports.Source) string {
	revision := s.Revision
	if len(revision) == 40 { // a commit
		revision = revision[:7]
	}
	if strings.Contains(s.Document, revision) {
		return fmt.Sprintf("%s section %s (%s)", s.Document, s.Section, s.Date)
	}
	return fmt.Sprintf("%s section %s (%s, %s)", s.Document, s.Section, revision, s.Date)
}

// beyond is what a check expects where that says more than its title.
func beyond(expects, title string) string {
	if strings.EqualFold(expects, title+".") {
		return ""
	}
	return expects
}

func paragraph(w io.Writer, columns int, title, body string) {
	if body == "" {
		return
	}
	if title != "" {
		fmt.Fprintf(w, "\n  %s\n", title)
	}
	fmt.Fprintf(w, "  %s\n", terminal.Wrap(body, columns, 2))
}
