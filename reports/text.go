package reports

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	textAlike    = 8    // checks that say the same, of which a terminal names so many
	textFindings = 40   // findings of one outcome that a terminal shows in full
	textBrief    = 40   // broken requirements beside them that a terminal names
	textMessage  = 1200 // runes of one message
	minimumWidth = 44   // the table of counts needs it
	tableWidth   = 72   // the table needs it, with the verdicts in it
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

// Log makes a line fit for the log of a CI system, which takes some texts for commands.
func Log(s string) string { return noCommands(s) }

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
		for _, part := range wrap(strings.TrimSpace(l), t.width-indent-lead) {
			t.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent+lead)+part, " ") + "\n")
		}
	}
}

// wrap breaks text between words. A word that is longer than a line is broken after a sign that parts it, a slash or a
// hyphen, where it has one.
func wrap(s string, width int) []string {
	var lines []string
	now := ""
	for _, word := range strings.Fields(s) {
		for text.StringWidth(word) > width {
			if now != "" {
				lines, now = append(lines, now), ""
			}
			head := text.Trim(word, width)
			if at := strings.LastIndexAny(head, "/-.&?,_"); at > len(head)/3 {
				head = head[:at+1]
			}
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case now == "":
			now = word
		case text.StringWidth(now)+1+text.StringWidth(word) <= width:
			now += " " + word
		default:
			lines, now = append(lines, now), word
		}
	}
	return append(lines, now)
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
		name = cut(line(cmp.Or(shortTitles[v.Role], v.Role)), 12)
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
	lines := wrap(cut(line(ids), 400), t.width-4)
	t.b.WriteString("  " + t.sign(o) + " " + t.paint("1", lines[0]) + "\n")
	for _, more := range lines[1:] {
		t.b.WriteString("    " + more + "\n")
	}
	if message != "" {
		t.para(4, cut(line(message), 240))
	}
}

func (t *textWriter) labelled(label, s string) {
	if s == "" {
		return
	}
	from := t.b.Len()
	t.para(2, label+": "+cut(line(s), textMessage))
	said := t.b.String()
	if head := "  " + label + ":"; strings.HasPrefix(said[from:], head) {
		t.b.Reset()
		t.b.WriteString(said[:from] + "  " + t.paint("1", label+":") + said[from+len(head):])
	}
}

// failed lists the broken requirements, worst first, but for what the baseline expects: with what an attacker gains,
// what the requirement says and where it is written, what failed, what fails because of it, and one fix.
func (t *textWriter) failed(r *Report) {
	list, total := r.failures(func(c Check) bool { return c.Expected == "" })
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
			t.brief(list[i:])
			return
		}
		t.requirement(f)
		for _, g := range f.Groups {
			t.group(g)
			shown += g.lines()
		}
		t.labelled("Follows from it", f.followed())
		t.labelled("Fix", f.Requirement.Fix)
	}
}

// brief names broken requirements, a line each, where there are too many to show what failed.
func (t *textWriter) brief(list []failure) {
	t.para(2, fmt.Sprintf("%s more, see the report:", count(len(list), "broken requirement")))
	for i, f := range list {
		if i == textBrief {
			t.para(2, fmt.Sprintf("… and %d more.", len(list)-i))
			return
		}
		size := count(len(f.Checks), "check")
		if f.Severity != "" {
			size += ", " + string(f.Severity)
		}
		t.item(Fail, fmt.Sprintf("%s: %s (%s)", f.Requirement.ID, f.Requirement.Title, size), "")
	}
}

// group is what failed in one way: variants of an attack in one line, or checks that say the same with the message
// once.
func (t *textWriter) group(g attackGroup) {
	if g.Identifier != "" {
		t.item(Fail, g.said(), g.names())
		t.para(4, cut(g.Message, textMessage))
		return
	}
	for i, c := range g.Checks {
		if i == textAlike {
			t.para(4, fmt.Sprintf("… and %d more: see the report.", len(g.Checks)-i))
			break
		}
		t.item(Fail, c.ID, c.Title)
	}
	t.para(4, cut(g.Message, textMessage))
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

func (t *textWriter) requirement(f failure) {
	q := f.Requirement
	t.b.WriteString("  " + t.paint("1", cut(line(q.ID), t.width-2)) + "\n")
	where := []string{q.Level}
	if f.Severity != "" {
		where = append(where, string(f.Severity))
	}
	for _, s := range q.Sources {
		where = append(where, s.where())
	}
	t.para(2, line(strings.Join(where, " · ")))
	if q.Says != "" {
		t.para(2, line(q.Says))
	}
	t.labelled("Gain", q.SeverityWhy)
}

// WritePaths writes, for a terminal, where the reports are.
func WritePaths(w io.Writer, paths []string, color bool) error {
	if len(paths) == 0 {
		return nil
	}
	t := &textWriter{color: color}
	_, err := fmt.Fprintf(w, "\n%s\n  %s\n", t.paint("1", "Reports"), strings.Join(paths, "\n  "))
	return err
}
