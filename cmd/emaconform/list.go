package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/provenance"
)

// listed is a check as list and explain show it, of whatever role.
type listed struct {
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

func newList() *cobra.Command {
	var asJSON, requirementsOnly, sentences, snapshot bool
	var role string
	c := &cobra.Command{
		Use:   "list [PATTERN…]",
		Short: "List the checks and the requirements that they judge",
		RunE: func(c *cobra.Command, patterns []string) error {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it is over before what it leaves would matter
			if role != "" && !slices.Contains(catalogue.Roles, role) {
				return fmt.Errorf("--role %q is none of %s", role, strings.Join(catalogue.Roles, ", "))
			}
			if snapshot {
				e := json.NewEncoder(c.OutOrStdout())
				return e.Encode(provenance.Listed{Catalogue: provenance.Catalogue(), Checks: provenance.Checks()})
			}
			if sentences {
				return listSentences(c.OutOrStdout(), role, patterns, asJSON)
			}
			requirements, checks := find(role, patterns)
			if len(requirements) == 0 {
				return fmt.Errorf("nothing matches %s", strings.Join(patterns, " "))
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), requirements, checks)
			}
			if requirementsOnly {
				printRequirements(c.OutOrStdout(), requirements, checks)
			} else {
				printList(c.OutOrStdout(), requirements, checks)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().BoolVar(&requirementsOnly, "requirements", false, "only the requirements: level in each profile, sources, checks or the reason why there are none")
	c.Flags().BoolVar(&sentences, "sentences", false, "every normative sentence of the documents that bind here, and what judges it")
	c.Flags().BoolVar(&snapshot, "snapshot", false, "the catalogue's version and digest and every check, by which later programs take statements")
	c.Flags().StringVar(&role, "role", "", "only this role: ras, rs, client, idp")
	return c
}

// find returns the requirements that match (all without patterns) and their checks. A pattern is an id of either, with
// * and ?, in any case.
func find(role string, patterns []string) ([]catalogue.Requirement, []listed) {
	byRequirement := map[string][]listed{}
	for _, k := range allChecks() {
		byRequirement[k.Requirement] = append(byRequirement[k.Requirement], k)
	}
	var requirements []catalogue.Requirement
	var checks []listed
	for _, r := range catalogue.All() {
		if role != "" && r.Role != role {
			continue
		}
		var own []listed
		for _, k := range byRequirement[r.ID] {
			if matchesAny(patterns, r.ID, k.ID) {
				own = append(own, k)
			}
		}
		if len(own) > 0 || matchesAny(patterns, r.ID) {
			requirements, checks = append(requirements, r), append(checks, own...)
		}
	}
	return requirements, checks
}

func printJSON(w io.Writer, requirements []catalogue.Requirement, checks []listed) error {
	list := make([]reports.Requirement, len(requirements))
	for i, r := range requirements {
		list[i] = r.Report(catalogue.ProfileEMA)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"requirements": list, "checks": checks})
}

func printList(w io.Writer, requirements []catalogue.Requirement, checks []listed) {
	t := newTable(w)
	t.AppendHeader(table.Row{"id", "level", "what", "source, labels"})
	what, labels := 72, 40
	if isTerminal(w) {
		what, labels = shares(width(w), requirements, checks)
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
func shares(columns int, requirements []catalogue.Requirement, checks []listed) (what, labels int) {
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
