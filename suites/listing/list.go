// Package listing shows the catalogue and the checks to a person: lists, tables, and explanations.
package listing

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
)

// Check is a check as list and explain show it, of whatever role.
type Check struct {
	ID          string   `json:"id"`
	Requirement string   `json:"requirement"`
	Role        string   `json:"role"`
	Level       string   `json:"level"`
	Title       string   `json:"title"`
	Sends       string   `json:"sends"`
	Expects     string   `json:"expects"`
	Labels      []string `json:"labels"`
	Needs       []string `json:"needs,omitempty"` // configuration keys without which it is skipped
	// Levels are those in every profile.
	Levels  []reports.Level  `json:"levels"`
	Sources []reports.Source `json:"sources,omitempty"` // where they are not those of the requirement
}

// All lists the checks of every role.
func All() []Check {
	var list []Check
	for _, k := range check.All() {
		l := Check{
			ID: k.ID, Requirement: k.Requirement.ID, Role: k.Requirement.Role, Level: k.LevelIn(catalogue.ProfileEMA),
			Title: subjectOf(k.Requirement.Role) + k.Title,
			Sends: k.Sends, Expects: k.Expects, Labels: k.In(catalogue.ProfileEMA).Labels, Levels: Levels(k.LevelIn),
			Sources: k.Sources,
		}
		for _, n := range k.Needs {
			l.Needs = append(l.Needs, n.Key)
		}
		list = append(list, l)
	}
	return list
}

// Find returns the requirements that match (all without patterns) and their checks. A pattern is an id of either, with
// * and ?, in any case.
func Find(role string, patterns []string) ([]catalogue.Requirement, []Check) {
	byRequirement := map[string][]Check{}
	for _, k := range All() {
		byRequirement[k.Requirement] = append(byRequirement[k.Requirement], k)
	}
	var requirements []catalogue.Requirement
	var checks []Check
	for _, r := range catalogue.All() {
		if role != "" && r.Role != role {
			continue
		}
		var own []Check
		for _, k := range byRequirement[r.ID] {
			if catalogue.Matches(patterns, r.ID, k.ID) {
				own = append(own, k)
			}
		}
		if len(own) > 0 || catalogue.Matches(patterns, r.ID) {
			requirements, checks = append(requirements, r), append(checks, own...)
		}
	}
	return requirements, checks
}

// WriteJSON writes requirements and checks as JSON.
func WriteJSON(w io.Writer, requirements []catalogue.Requirement, checks []Check) error {
	list := make([]reports.Requirement, len(requirements))
	for i, r := range requirements {
		list[i] = r.Report(catalogue.ProfileEMA)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"requirements": list, "checks": checks})
}

// WriteTable writes each requirement with its checks.
func WriteTable(w io.Writer, requirements []catalogue.Requirement, checks []Check) {
	t := terminal.NewTable(w)
	t.AppendHeader(table.Row{"id", "level", "what", "source, labels"})
	what, labels := 72, 40
	if terminal.IsTerminal(w) {
		what, labels = shares(terminal.Width(w), requirements, checks)
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, WidthMax: what, WidthMaxEnforcer: text.WrapSoft},
		{Number: 4, WidthMax: labels, WidthMaxEnforcer: text.WrapSoft}})
	for _, r := range requirements {
		says := r.Says
		if r.Untestable != "" {
			says += " (no checks: " + r.Untestable + ")"
		}
		t.AppendRow(table.Row{text.Bold.Sprint(r.ID), r.Level, says, sources(r.Sources)})
		for _, k := range checks {
			if k.Requirement == r.ID {
				t.AppendRow(table.Row{"  " + k.ID, k.Level, k.Title, strings.Join(k.Labels, " ")})
			}
		}
	}
	t.Render()
	fmt.Fprintf(w, "\nRequirements: %d, checks: %d. emaconform explain ID tells more.\n", len(requirements), len(checks))
}

// shares divides what ids and levels leave of a terminal between the two columns whose texts can be wrapped. Each keeps
// enough to be read, be it beyond the edge.
func shares(columns int, requirements []catalogue.Requirement, checks []Check) (what, labels int) {
	const level, space = len("SHOULD"), 8
	id := 0
	for _, r := range requirements {
		id = max(id, len(r.ID))
	}
	for _, k := range checks {
		id = max(id, len("  "+k.ID))
	}
	rest := columns - id - level - space
	labels = min(40, max(12, rest/3))
	return min(72, max(24, rest-labels)), labels
}

func sources(list []reports.Source) string {
	var names []string
	for _, s := range list {
		names = append(names, strings.TrimSpace(s.Document+" "+s.Section))
	}
	return strings.Join(names, ", ")
}
