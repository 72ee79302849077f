package listing

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// WriteRequirements shows each requirement with its level in every profile, where it is written down, and what judges
// it.
func WriteRequirements(w io.Writer, requirements []catalogue.Requirement, checks []Check) {
	t := terminal.NewTable(w)
	header := table.Row{"requirement"}
	for _, p := range catalogue.Profiles {
		header = append(header, p)
	}
	t.AppendHeader(append(header, "source", "checks"))
	const levels = 4 * len("SHOULD ")
	rest := max(100, terminal.Width(w)) - len("RAS-META-NO-TRUST-DISCLOSURE") - levels - 12
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 6, WidthMax: rest / 2, WidthMaxEnforcer: text.WrapSoft},
		{Number: 7, WidthMax: rest / 2, WidthMaxEnforcer: text.WrapSoft}})
	for _, r := range requirements {
		row := table.Row{r.ID}
		for _, p := range catalogue.Profiles {
			row = append(row, r.LevelIn(p))
		}
		t.AppendRow(append(row, sources(r.Sources), judgedBy(r, checks)))
	}
	t.Render()
	fmt.Fprintf(w, "\nRequirements: %d. emaconform list --sentences goes by the documents, sentence by sentence.\n",
		len(requirements))
}

// judgedBy says by how many checks a requirement is judged, or why by none.
func judgedBy(r catalogue.Requirement, checks []Check) string {
	n := 0
	for _, k := range checks {
		if k.Requirement == r.ID {
			n++
		}
	}
	switch {
	case n == 1:
		return "1 check"
	case n > 1:
		return fmt.Sprintf("%d checks", n)
	case r.Untestable != "":
		return "none: " + r.Untestable
	}
	return "none"
}

// WriteSentences shows the index of normative sentences, of all documents or of those that match: by the whole name, or
// a part of it. With a role it shows what binds that role.
func WriteSentences(w io.Writer, role string, documents []string, asJSON bool) error {
	var list []catalogue.Sentence
	for _, s := range catalogue.Sentences() {
		if matchesDocument(documents, s.Document) && (role == "" || bindsRole(s, role)) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("no normative sentence of a document called %s is indexed", strings.Join(documents, " "))
	}
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"sentences": list})
	}
	checks := All()
	t := terminal.NewTable(w)
	t.AppendHeader(table.Row{"document", "section", "no.", "key word", "judged by"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}, {Number: 5, WidthMax: max(40, terminal.Width(w)-90),
			WidthMaxEnforcer: text.WrapSoft}})
	without := 0
	for _, s := range list {
		by := "none: " + s.Why
		if len(s.By) > 0 {
			by = carriers(s, checks)
		} else {
			without++
		}
		t.AppendRow(table.Row{s.Document, s.At, s.N, s.Word, by})
	}
	t.Render()
	fmt.Fprintf(w, "\nSentences: %d, %d of them carried by requirements, %d with the reason why not.\n", len(list),
		len(list)-without, without)
	return nil
}

func matchesDocument(names []string, document string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool {
		return strings.Contains(strings.ToLower(document), strings.ToLower(n))
	})
}

func bindsRole(s catalogue.Sentence, role string) bool {
	return slices.ContainsFunc(s.By, func(id string) bool {
		r, ok := catalogue.Find(id)
		return ok && r.Role == role
	})
}

// carriers names the requirements that carry a sentence, each with the number of its checks.
func carriers(s catalogue.Sentence, checks []Check) string {
	var names []string
	for _, id := range s.By {
		r, _ := catalogue.Find(id)
		by := judgedBy(r, checks)
		if r.Untestable != "" {
			by = "cannot be seen"
		}
		names = append(names, fmt.Sprintf("%s (%s)", id, by))
	}
	return strings.Join(names, ", ")
}
