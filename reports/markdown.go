package reports

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A CI summary may be 1 MiB at most on GitHub, and is read by people in a hurry: it stays far below.
const (
	markdownLimit   = 512 << 10 // bytes of the whole summary
	markdownReserve = 64 << 10  // bytes kept for the table of requirements at the end
	markdownMessage = 1500      // runes of one message
)

var markdownSigns = map[Outcome]string{Pass: "✅", Fail: "❌", Warn: "⚠️", Skip: "⏭️", Inconclusive: "❔"}

var verdictSigns = map[Verdict]string{
	Conformant: "✅", ConformantWithWarnings: "⚠️", NotConformant: "❌", NoVerdict: "❔",
}

// WriteMarkdown writes a summary in GitHub's Markdown, as for $GITHUB_STEP_SUMMARY: the verdict, a table of counts,
// what needs attention, and the rest folded away. It is always smaller than 1 MiB.
func WriteMarkdown(w io.Writer, r *Report) error {
	m := &markdown{}
	m.head(r)
	m.preflight(r)
	m.failed(r)
	m.short(r, Inconclusive, "Inconclusive")
	m.short(r, Warn, "Warnings")
	m.expected(r)
	m.requirements(r)
	_, err := io.WriteString(w, m.b.String())
	return err
}

type markdown struct{ b strings.Builder }

// add appends a block unless that would leave fewer than reserve bytes of the limit; it reports whether it did.
func (m *markdown) add(block string, reserve int) bool {
	if m.b.Len()+len(block) > markdownLimit-reserve {
		return false
	}
	m.b.WriteString(block)
	return true
}

func (m *markdown) head(r *Report) {
	fmt.Fprintf(&m.b, "## %s emaconform: %s\n\n", verdictSigns[r.Verdict], r.Verdict)
	fmt.Fprintf(&m.b, "%s\n\n", md(cut(r.subject(), 500)))
	for _, s := range r.headline() {
		fmt.Fprintf(&m.b, "%s\n", md(cut(s, markdownMessage)))
	}
	if len(r.Roles) == 0 {
		return
	}
	m.b.WriteString("\n| Role | Verdict |")
	for _, o := range Outcomes {
		fmt.Fprintf(&m.b, " %s %s |", markdownSigns[o], o)
	}
	m.b.WriteString("\n|:--|:--|" + strings.Repeat("--:|", len(Outcomes)) + "\n")
	for _, v := range r.Roles {
		fmt.Fprintf(&m.b, "| %s | %s |", md(cut(roleTitle(v.Role), 80)), v.Verdict)
		for _, o := range Outcomes {
			fmt.Fprintf(&m.b, " %d |", v.Counts[o])
		}
		m.b.WriteString("\n")
	}
}

// preflight shows its steps only when one of them did not work.
func (m *markdown) preflight(r *Report) {
	var steps strings.Builder
	broken := false
	for _, s := range r.Preflight {
		sign := markdownSigns[Pass]
		if !s.OK {
			sign, broken = markdownSigns[Fail], true
		}
		fmt.Fprintf(&steps, "1. %s %s", sign, md(cut(s.Name, 200)))
		if !s.OK && !r.tells(s) {
			fmt.Fprintf(&steps, ": %s", md(cut(s.Saw, markdownMessage)))
			if s.Fix != "" {
				fmt.Fprintf(&steps, " **Fix:** %s", md(cut(s.Fix, markdownMessage)))
			}
		}
		steps.WriteString("\n")
	}
	if broken {
		m.add("\n### Preflight\n\n"+steps.String(), markdownReserve)
	}
}

// failed lists the failed checks by requirement, with what to do about them.
func (m *markdown) failed(r *Report) {
	var blocks []string
	list, _ := r.findings(func(c Check) bool { return c.Outcome == Fail && c.Expected == "" })
	for _, f := range list {
		blocks = append(blocks, f.markdown())
	}
	m.section(Fail, "Failed", blocks)
}

// short lists what the checks of one outcome say.
func (m *markdown) short(r *Report, o Outcome, title string) {
	var items []string
	list, _ := r.byMessage(func(c Check) bool { return c.Outcome == o && c.Expected == "" })
	for _, same := range list {
		items = append(items, fmt.Sprintf("- **%s**<br>%s\n", md(cut(same.names(), 1000)),
			mdLines(cut(same.Message, markdownMessage))))
	}
	m.section(o, title, items)
}

// expected lists what the baseline expects, folded away.
func (m *markdown) expected(r *Report) {
	var items []string
	for _, c := range r.Checks {
		if c.Expected != "" {
			items = append(items, fmt.Sprintf("- %s **%s** %s\n", markdownSigns[c.Outcome], md(cut(c.ID, 200)),
				md(cut(c.Expected, markdownMessage))))
		}
	}
	if len(items) > 0 {
		fmt.Fprintf(&m.b, "\n<details><summary>Expected by the baseline: %d</summary>\n\n", len(items))
		m.blocks(items)
		m.b.WriteString("\n</details>\n")
	}
}

func (m *markdown) section(o Outcome, title string, blocks []string) {
	if len(blocks) > 0 {
		fmt.Fprintf(&m.b, "\n### %s %s\n\n", markdownSigns[o], title)
		m.blocks(blocks)
	}
}

// blocks adds as many as fit.
func (m *markdown) blocks(list []string) {
	for i, block := range list {
		if !m.add(block, markdownReserve) {
			fmt.Fprintf(&m.b, "\n… and %d more: see the HTML report.\n", len(list)-i)
			return
		}
	}
}

// markdown is the block of a failed requirement.
func (f finding) markdown() string {
	var checks strings.Builder
	for _, c := range f.Checks {
		fmt.Fprintf(&checks, "- **%s** %s<br>%s\n", md(cut(c.slug(), 200)), md(cut(c.Title, 500)),
			mdLines(cut(c.Message, markdownMessage)))
	}
	q := f.Requirement
	block := fmt.Sprintf("#### %s · %s\n\n%s %s\n\n%s\n", md(cut(q.ID, 200)), md(q.Level),
		md(cut(q.Says, markdownMessage)), markdownSources(q.Sources), checks.String())
	if q.Fix != "" {
		block += fmt.Sprintf("> **Fix:** %s\n\n", md(cut(q.Fix, markdownMessage)))
	}
	return block
}

func markdownSources(sources []Source) string {
	var names []string
	for _, s := range sources {
		name := md(cut(s.where(), 200))
		if link := httpLink(s.URL); link != "" && len(link) < 500 {
			name = fmt.Sprintf("[%s](<%s>)", name, link)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return "(" + strings.Join(names, "; ") + ")"
}

// requirements is the folded table of everything that was judged.
func (m *markdown) requirements(r *Report) {
	if len(r.Checks) == 0 {
		return
	}
	const closing = "\n</details>\n"
	m.b.WriteString("\n<details><summary>All requirements</summary>\n\n" +
		"| | Requirement | Level | What it says | Checks |\n|:--|:--|:--|:--|--:|\n")
	checks := map[string]int{}
	for _, c := range r.Checks {
		checks[c.Requirement]++
	}
	for i, q := range r.Requirements {
		row := fmt.Sprintf("| %s | %s | %s | %s | %d |\n", markdownSigns[q.Outcome], md(cut(q.ID, 100)), md(cut(q.Level, 20)),
			md(cut(q.Says, 300)), checks[q.ID])
		if !m.add(row, len(closing)+100) {
			fmt.Fprintf(&m.b, "\n… and %d more: see the HTML report.\n", len(r.Requirements)-i)
			break
		}
	}
	m.b.WriteString(closing)
}

// md makes any text a single line of plain text in GitHub's Markdown: what could begin a construct of Markdown or HTML
// becomes a character reference, which is text by definition. A zero-width space keeps an "@" from calling a person.
func md(s string) string {
	s = line(s)
	if block.MatchString(s) {
		return fmt.Sprintf("&#%d;", s[0]) + markdownEscaper.Replace(s[1:])
	}
	return markdownEscaper.Replace(s)
}

// block is how a line begins that is a list, a heading or an underline to Markdown.
var block = regexp.MustCompile(`^([-+#=]|[0-9]+[.)])`)

// mdLines is md with line breaks kept.
func mdLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, l := range lines {
		lines[i] = md(l)
	}
	return strings.Join(lines, "<br>")
}

var markdownEscaper = func() *strings.Replacer {
	pairs := []string{"@", "@&#8203;", "://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;"}
	for _, r := range "&<>`*_[]|~\\$" {
		pairs = append(pairs, string(r), fmt.Sprintf("&#%d;", r))
	}
	return strings.NewReplacer(pairs...)
}()
