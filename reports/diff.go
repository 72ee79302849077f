package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Diff says in Markdown how one run differs from an earlier one: new failures, what is fixed, other outcomes, other
// evidence behind the same failure, other coverage. worse reports whether something failed that did not fail before.
func Diff(w io.Writer, old, now *Report) (worse bool, err error) {
	d := &markdown{}
	before := map[string]Check{}
	for _, c := range old.Checks {
		before[c.ID] = c
	}
	var broken, fixed, other, evidence, added []string
	for _, c := range now.Checks {
		o, known := before[c.ID]
		delete(before, c.ID)
		item := func(what string) string {
			return fmt.Sprintf("- **%s** %s%s\n", md(cut(c.ID, 200)), what, mdBelow(cut(c.Message, markdownMessage)))
		}
		was := fmt.Sprintf("%s → %s", o.Outcome, c.Outcome)
		switch {
		case c.Outcome == Fail && o.Outcome != Fail:
			if !known {
				was = "new, fail"
			}
			broken = append(broken, item(was))
		case !known:
			added = append(added, item("new, "+string(c.Outcome)))
		case o.Outcome == Fail && c.Outcome == Pass:
			fixed = append(fixed, item(was))
		case o.Outcome != c.Outcome:
			other = append(other, item(was))
		case c.Outcome != Pass && c.Outcome != Skip && unnumbered(o.Message) != unnumbered(c.Message):
			evidence = append(evidence, item("still "+string(c.Outcome)+", but says something else"))
		}
	}
	var gone []string
	for _, id := range sortedKeys(before) {
		gone = append(gone, fmt.Sprintf("- **%s** was %s\n", md(cut(id, 200)), before[id].Outcome))
	}
	fmt.Fprintf(&d.b, "## %s emaconform: %s → %s\n\n%s\n", verdictSigns[now.Verdict], old.Verdict, now.Verdict,
		md(cut(now.subject(), 500)))
	if old.Target.URL != now.Target.URL && !now.Target.Embedded {
		fmt.Fprintf(&d.b, "\nThe earlier run was against another target: %s\n", md(cut(old.subject(), 500)))
	}
	d.section(Fail, fmt.Sprintf("New failures: %d", len(broken)), broken)
	d.section(Pass, fmt.Sprintf("Fixed: %d", len(fixed)), fixed)
	d.section(Warn, fmt.Sprintf("Other outcomes: %d", len(other)), other)
	d.section(Warn, fmt.Sprintf("Other evidence: %d", len(evidence)), evidence)
	d.section(Skip, fmt.Sprintf("New checks: %d", len(added)), added)
	d.section(Skip, fmt.Sprintf("No result any more: %d", len(gone)), gone)
	if a, b := old.Coverage.String(), now.Coverage.String(); a != b {
		fmt.Fprintf(&d.b, "\n### Coverage\n\n- before: %s\n- now: %s\n", md(a), md(b))
	}
	if old.Catalogue.Digest != now.Catalogue.Digest {
		fmt.Fprintf(&d.b, "\nThe runs judged by different catalogues: %s and %s.\n", md(old.Catalogue.String()),
			md(now.Catalogue.String()))
	}
	if len(broken)+len(fixed)+len(other)+len(evidence)+len(added)+len(gone) == 0 {
		d.b.WriteString("\nNo check differs.\n")
	}
	_, err = io.WriteString(w, d.b.String())
	return len(broken) > 0, err
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// WriteBadge writes a badge (SVG) with the verdict and how much was judged.
func WriteBadge(w io.Writer, r *Report) error {
	color := map[Verdict]string{Conformant: "#1a7f4b", ConformantWithWarnings: "#8f5f00", NotConformant: "#b3212a",
		NoVerdict: "#5c6168"}[r.Verdict]
	left := "EMA"
	if r.Profile != "ema" && r.Profile != "" {
		left += " " + cut(line(r.Profile), 20)
	}
	right := fmt.Sprintf("%s %d/%d", r.Verdict, r.Coverage.Judged, r.Coverage.Checks)
	const letter, padding = 7, 10
	a, b := letter*len([]rune(left))+2*padding, letter*len([]rune(right))+2*padding
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace
	left, right = escape(left), escape(right)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img"
 aria-label="%s: %s">
<rect width="%d" height="20" fill="#333"/><rect x="%d" width="%d" height="20" fill="%s"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="%d" y="14">%s</text><text x="%d" y="14">%s</text></g></svg>
`, a+b, left, right, a, a, b, color, a/2, left, a+b/2, right)
	return err
}
