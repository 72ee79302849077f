package reports

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
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

// failed lists the broken requirements, worst first, with what to do about them.
func (m *markdown) failed(r *Report) {
	var blocks []string
	list, _ := r.failures(func(c Check) bool { return c.Expected == "" })
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
		items = append(items, fmt.Sprintf("- **%s**%s\n", md(cut(same.names(), 1000)),
			mdBelow(cut(same.Message, markdownMessage))))
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

// markdown is the block of a broken requirement.
func (f failure) markdown() string {
	q := f.Requirement
	var b strings.Builder
	fmt.Fprintf(&b, "#### %s · %s%s\n\n", md(cut(q.ID, 200)), md(q.Level), before(" · ", string(f.Severity)))
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(md(cut(q.Says, markdownMessage))+" "+markdownSources(q.Sources)))
	if q.SeverityWhy != "" {
		fmt.Fprintf(&b, "**Gain:** %s\n", md(cut(q.SeverityWhy, markdownMessage)))
	}
	b.WriteString("\n")
	for _, g := range f.Groups {
		g.markdown(&b)
	}
	b.WriteString("\n")
	if s := f.followed(); s != "" {
		fmt.Fprintf(&b, "**Follows from it:** %s\n\n", md(cut(s, markdownMessage)))
	}
	if q.Fix != "" {
		fmt.Fprintf(&b, "> **Fix:** %s\n\n", md(cut(q.Fix, markdownMessage)))
	}
	return b.String()
}

const markdownChecks = 20 // of those that say the same

func (g attackGroup) markdown(b *strings.Builder) {
	if g.Identifier != "" {
		fmt.Fprintf(b, "- **%s**: %s%s\n", md(cut(g.said(), 1000)), md(cut(g.names(), 500)),
			mdBelow(cut(g.Message, markdownMessage)))
		return
	}
	for i, c := range g.Checks {
		if i == markdownChecks {
			fmt.Fprintf(b, "- … and %d more\n", len(g.Checks)-i)
			break
		}
		message := ""
		if i == len(g.Checks)-1 {
			message = mdBelow(cut(g.Message, markdownMessage))
		}
		fmt.Fprintf(b, "- **%s** %s%s\n", md(cut(c.slug(), 200)), md(cut(c.Title, 500)), message)
	}
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

// md makes any text a single line of plain text in GitHub's Markdown, that is readable as text, too: words with an
// address become code, which nothing links or calls; what else could begin a construct of Markdown or HTML gets a
// backslash.
func md(s string) string {
	words := strings.Split(line(s), " ")
	for i, w := range words {
		words[i] = mdWord(w)
	}
	if joined := strings.Join(words, " "); block.MatchString(joined) {
		at := strings.IndexAny(joined, "-+#=.)")
		return joined[:at] + `\` + joined[at:]
	} else {
		return joined
	}
}

// block is how a line begins that is a list, a heading or an underline to Markdown.
var block = regexp.MustCompile(`^([-+#=]|[0-9]+[.)])`)

// address is a word that GitHub would make a link of.
var address = regexp.MustCompile("(?i)^([(\"']*)([^`]*(?:://|www\\.)[^`]*?)([)\"',.;:]*)$")

func mdWord(w string) string {
	if part := address.FindStringSubmatch(w); part != nil {
		return mdEscape(part[1]) + "`" + strings.ReplaceAll(part[2], "|", `\|`) + "`" + mdEscape(part[3])
	}
	return mdEscape(w)
}

// mdEscape puts a backslash before what Markdown would not take for text where it stands. A zero-width space keeps an
// "@" from calling a person, and an address that stands beside a backtick from becoming a link.
func mdEscape(w string) string {
	var b strings.Builder
	runes := []rune(w)
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		switch {
		case strings.ContainsRune("`*[]<>|~$", r), r == '_' && !(word(i-1) && word(i+1)),
			r == '\\', r == '&' && i+1 < len(runes) && (word(i+1) || runes[i+1] == '#'):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@' && !word(i-1):
			b.WriteString("@\u200b")
		case r == ':' && strings.HasPrefix(string(runes[i:]), "://"):
			b.WriteString(":\u200b")
		case r == '.' && i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www"):
			b.WriteString("\u200b.")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mdBelow is what stands below the first line of an item of a list, line by line.
func mdBelow(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = "  " + md(l)
	}
	return "\\\n" + strings.Join(lines, "\\\n")
}
