package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
)

// allChecks lists the checks of every role.
func allChecks() []listed {
	var list []listed
	for _, k := range check.All() {
		l := listed{
			ID: k.ID, Requirement: k.Requirement.ID, Role: k.Requirement.Role, Level: k.LevelIn(catalogue.ProfileEMA),
			Title: subjectOf(k.Requirement.Role) + k.Title,
			Sends: k.Sends, Expects: k.Expects, Labels: k.In(catalogue.ProfileEMA).Labels, Levels: levels(k.LevelIn),
			Sources: k.Sources,
		}
		for _, n := range k.Needs {
			l.Needs = append(l.Needs, n.Key)
		}
		list = append(list, l)
	}
	return list
}

// levels are those of every profile.
func levels(in func(profile string) string) []reports.Level {
	var list []reports.Level
	for _, p := range catalogue.Profiles {
		list = append(list, reports.Level{Profile: p, Level: in(p)})
	}
	return list
}

// weights says how much a requirement or check weighs in each profile: the level alone where it is the same in all.
func weights(list []reports.Level) string {
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

func matchesAny(patterns []string, ids ...string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		for _, id := range ids {
			if ok, err := path.Match(strings.ToLower(p), strings.ToLower(id)); err == nil && ok {
				return true
			}
		}
	}
	return false
}

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID…",
		Short: "Explain a check or a requirement: what is sent, what is expected, why it matters, how to fix it",
		Example: `  emaconform explain RAS-JTI-REPLAY
  emaconform explain 'RAS-AUD-EXACT/*'`,
		Args: func(_ *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return errors.New("name a check or a requirement, such as RAS-AUD-EXACT; `emaconform list` shows all")
			}
			return nil
		},
		RunE: func(c *cobra.Command, ids []string) error {
			for _, id := range ids {
				requirements, checks := find("", []string{id})
				if len(requirements) == 0 {
					return fmt.Errorf("there is no check and no requirement %q: `emaconform list` shows all%s", id, suggest(id))
				}
				for _, r := range requirements {
					explain(c.OutOrStdout(), r, checks)
				}
			}
			return nil
		},
	}
}

// suggest names the requirements that share the most words with what was asked for.
func suggest(id string) string {
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

func explain(w io.Writer, r catalogue.Requirement, checks []listed) {
	columns := min(100, width(w))
	fmt.Fprintf(w, "%s  %s\n", text.Bold.Sprint(r.ID), weights(levels(r.LevelIn)))
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
		fmt.Fprintf(w, "\n  %s  %s\n", text.Bold.Sprint(k.ID), weights(k.Levels))
		for _, line := range [][2]string{
			{"judges that", k.Title}, {doesOf(k.Role), k.Sends}, {"expects", beyond(k.Expects, k.Title)},
			{"needs", strings.Join(k.Needs, ", ")},
			{"stands on", sources(k.Sources)}, {"labels", strings.Join(k.Labels, " ")},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "    %-12s %s\n", line[0]+":", wrap(line[1], columns, 17))
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
	fmt.Fprintf(w, "  %s\n", wrap(body, columns, 2))
}

// wrap fits a text into what columns leave beside an indentation, which every line but the first gets.
func wrap(s string, columns, indentation int) string {
	lines := strings.Split(text.WrapSoft(s, max(16, columns-indentation)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ") // the library fills lines up
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", indentation))
}
