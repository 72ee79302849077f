package reports

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	textFindings = 40   // findings of one outcome that a terminal shows in full
	textMessage  = 1200 // runes of one message
	minimumWidth = 40   // the table of counts needs it
	tableWidth   = 64   // the table needs it, with the verdicts in it
)

// textOutcomes says how outcomes look on a terminal: sign and SGR colour.
var textOutcomes = map[Outcome]struct{ sign, color string }{
	Pass: {"✓", "32"}, Fail: {"✗", "31"}, Warn: {"!", "33"}, Skip: {"-", "90"}, Inconclusive: {"?", "35"},
}

var verdictColors = map[Verdict]string{
	Conformant: "32", ConformantWithWarnings: "33", NotConformant: "31", NoVerdict: "35",
}

// WriteText writes the summary for a terminal: the verdict, counts for each role, then what failed and what to do about
// it, what proved nothing, and warnings. width is in columns; color adds SGR sequences.
func WriteText(w io.Writer, r *Report, color bool, width int) error {
	t := &textWriter{color: color, width: max(width, minimumWidth)}
	t.verdict(r)
	t.roles(r)
	t.preflight(r)
	t.failed(r)
	t.short(r, Inconclusive, "Inconclusive")
	t.short(r, Warn, "Warnings")
	t.expected(r)
	_, err := io.WriteString(w, noCommands(t.b.String()))
	return err
}

// noCommands breaks what a CI system would take from a log as a command: "::" at the beginning of a line, and "##"
// before a word and a bracket ("##[", "##vso[", "##teamcity[").
func noCommands(s string) string {
	s = colons.ReplaceAllString(s, "$1: :")
	return hashes.ReplaceAllStringFunc(s, func(run string) string {
		return strings.TrimSpace(strings.Repeat("# ", len(run)))
	})
}

var (
	colons = regexp.MustCompile(`(?m)^([ \t\p{Zs}]*)::`)
	hashes = regexp.MustCompile(`##+`)
)

type textWriter struct {
	b     strings.Builder
	color bool
	width int
}

func (t *textWriter) paint(sgr, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// para writes text wrapped to the width and indented; hostile text comes out harmless.
func (t *textWriter) para(indent int, s string) {
	s = strings.ReplaceAll(visible(strings.TrimRight(s, " \t\n")), "\t", "  ")
	for _, l := range strings.Split(s, "\n") {
		lead := min(len(l)-len(strings.TrimLeft(l, " ")), t.width/3)
		for _, part := range strings.Split(text.WrapSoft(strings.TrimSpace(l), t.width-indent-lead), "\n") {
			t.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent+lead)+part, " ") + "\n")
		}
	}
}

func (t *textWriter) verdict(r *Report) {
	t.b.WriteString("\n" + t.paint("1;"+verdictColors[r.Verdict], strings.ToUpper(string(r.Verdict))) + "\n")
	t.para(0, line(r.subject()))
	for _, s := range r.headline() {
		t.para(0, s)
	}
	t.b.WriteString("\n")
}

// roles is a table of verdicts and counts. On a narrow terminal the verdicts stand above it, a line each.
func (t *textWriter) roles(r *Report) {
	if len(r.Roles) == 0 {
		return
	}
	grid := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	grid.SetStyle(style)
	narrow := t.width < 100
	header, right := table.Row{"Role", "Verdict"}, []table.ColumnConfig{}
	for _, o := range Outcomes {
		name := string(o)
		if narrow && o == Inconclusive {
			name = "incon."
		}
		header = append(header, name)
		right = append(right, table.ColumnConfig{Name: name, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	tight := t.width < tableWidth
	if tight {
		header = slices.Delete(header, 1, 2)
	}
	grid.AppendHeader(header)
	grid.SetColumnConfigs(right)
	for _, v := range r.Roles {
		row := t.role(v, narrow)
		if tight {
			fmt.Fprintf(&t.b, "%s: %s\n", row[0], row[1])
			row = slices.Delete(row, 1, 2)
		}
		grid.AppendRow(row)
	}
	if tight {
		t.b.WriteString("\n")
	}
	for _, l := range strings.Split(grid.Render(), "\n") {
		t.b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}

func (t *textWriter) role(v RoleVerdict, narrow bool) table.Row {
	name := cut(line(roleTitle(v.Role)), 30)
	if narrow {
		name = cut(line(v.Role), 8)
	}
	row := table.Row{name, t.paint(verdictColors[v.Verdict], string(v.Verdict))}
	for _, o := range Outcomes {
		color := textOutcomes[o].color
		if v.Counts[o] == 0 {
			color = textOutcomes[Skip].color
		}
		row = append(row, t.paint(color, fmt.Sprint(v.Counts[o])))
	}
	return row
}

// preflight shows its steps only when one of them did not work.
func (t *textWriter) preflight(r *Report) {
	broken := false
	for _, s := range r.Preflight {
		broken = broken || !s.OK
	}
	if !broken {
		return
	}
	t.heading("Preflight", len(r.Preflight))
	for _, s := range r.Preflight {
		o := Pass
		if !s.OK {
			o = Fail
		}
		t.b.WriteString("  " + t.sign(o) + " " + cut(line(s.Name), t.width-4) + "\n")
		if !s.OK && !r.tells(s) {
			t.para(4, cut(s.Saw, textMessage))
			t.labelled("Fix", s.Fix)
		}
	}
}

func (t *textWriter) heading(title string, n int) {
	t.b.WriteString("\n" + t.paint("1", fmt.Sprintf("%s (%d)", title, n)) + "\n")
}

func (t *textWriter) sign(o Outcome) string {
	return t.paint(textOutcomes[o].color, textOutcomes[o].sign)
}

// item is a sign with one or several ids, and what there is to say about them below.
func (t *textWriter) item(o Outcome, ids, message string) {
	first, more, _ := strings.Cut(text.WrapSoft(cut(line(ids), 400), t.width-4), "\n")
	t.b.WriteString("  " + t.sign(o) + " " + t.paint("1", strings.TrimRight(first, " ")) + "\n")
	if more != "" {
		t.para(4, more)
	}
	t.para(4, cut(line(message), 240))
}

func (t *textWriter) labelled(label, s string) {
	if s != "" {
		t.para(4, label+": "+cut(line(s), textMessage))
	}
}

// failed lists the failed checks by requirement, but for those that the baseline expects: with what the requirement
// says, where it is written, and how to fix it.
func (t *textWriter) failed(r *Report) {
	list, total := r.findings(func(c Check) bool { return c.Outcome == Fail && c.Expected == "" })
	if total == 0 {
		return
	}
	t.heading("Failed", total)
	shown := 0
	for i, f := range list {
		if i > 0 {
			t.b.WriteString("\n")
		}
		if shown >= textFindings {
			t.para(2, fmt.Sprintf("… and %d more: see the report.", total-shown))
			return
		}
		t.requirement(f.Requirement)
		for _, c := range f.Checks {
			t.item(Fail, c.ID, c.Title)
			t.para(4, cut(c.Message, textMessage))
		}
		t.labelled("Fix", f.Requirement.Fix)
		shown += len(f.Checks)
	}
}

// short lists what the checks of one outcome say, but for those that the baseline expects.
func (t *textWriter) short(r *Report, o Outcome, title string) {
	list, total := r.byMessage(func(c Check) bool { return c.Outcome == o && c.Expected == "" })
	if total == 0 {
		return
	}
	t.heading(title, total)
	shown := 0
	for i, m := range list {
		if i == textFindings {
			t.para(2, fmt.Sprintf("… and %d more: see the report.", total-shown))
			return
		}
		shown += len(m.IDs)
		t.item(o, m.names(), m.Message)
	}
}

// expected lists what the baseline expects, with its reasons.
func (t *textWriter) expected(r *Report) {
	list, total := r.findings(func(c Check) bool { return c.Expected != "" })
	if total == 0 {
		return
	}
	t.heading("Expected by the baseline", total)
	for _, f := range list {
		for _, c := range f.Checks {
			t.item(c.Outcome, c.ID, c.Expected)
		}
	}
}

func (t *textWriter) requirement(q Requirement) {
	where := []string{q.Level}
	for _, s := range q.Sources {
		where = append(where, s.where())
	}
	t.b.WriteString("  " + t.paint("1", cut(line(q.ID), t.width-2)) + "\n")
	t.para(2, line(strings.Join(where, " · ")))
	if q.Says != "" {
		t.para(2, line(q.Says))
	}
}
