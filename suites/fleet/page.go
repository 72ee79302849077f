package fleet

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("fleet.html").Funcs(template.FuncMap{"day": day}).Parse(pageText))

// pageRow is a connector, with a cell for each requirement.
type pageRow struct {
	Judged
	Class string
	Cells []pageCell
}

type pageCell struct {
	Requirement, Title, Outcome, Sign, Said string
}

var signs = map[reports.Outcome]string{
	reports.Pass: "✓", reports.Fail: "✗", reports.Warn: "!", reports.Skip: "–", reports.Inconclusive: "?",
}

// page is a table of connectors by requirements, as one file.
func (r *Result) page() ([]byte, error) {
	columns := r.requirements()
	var rows []pageRow
	for _, k := range r.Connectors {
		row := pageRow{Judged: k, Class: classes[k.Verdict]}
		for _, id := range columns {
			outcome := k.Requirements[id]
			c := pageCell{Requirement: id, Outcome: string(outcome), Sign: signs[outcome], Said: string(outcome)}
			if q, ok := catalogue.Find(id); ok {
				c.Title = q.Title
			}
			if outcome == "" {
				c.Outcome, c.Said = "none", "not judged"
			}
			row.Cells = append(row.Cells, c)
		}
		rows = append(rows, row)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{"Result": r, "Rows": rows, "Columns": columns, "Summary": r.Summary()})
	return b.Bytes(), err
}

var classes = map[reports.Verdict]string{
	reports.Conformant: "pass", reports.ConformantWithWarnings: "warn", reports.NotConformant: "fail",
	reports.NoVerdict: "inconclusive",
	NotJudged:         "inconclusive",
}

// requirements lists those that any connector has an outcome of, in the order of the catalogue.
func (r *Result) requirements() []string {
	seen := map[string]bool{}
	for _, k := range r.Connectors {
		for id := range k.Requirements {
			seen[id] = true
		}
	}
	var list []string
	for _, q := range catalogue.All() {
		if seen[q.ID] {
			list = append(list, q.ID)
			delete(seen, q.ID)
		}
	}
	var others []string // of another catalogue
	for id := range seen {
		others = append(others, id)
	}
	slices.Sort(others)
	return append(list, others...)
}
