package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// renderMarkdown renders as GitHub does before it removes unsafe HTML: tables, strikethrough, bare links, raw HTML.
func renderMarkdown(t *testing.T, r *Report) (source string, page *nethtml.Node) {
	t.Helper()
	var text, rendered bytes.Buffer
	if err := WriteMarkdown(&text, r); err != nil {
		t.Fatal(err)
	}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := md.Convert(text.Bytes(), &rendered); err != nil {
		t.Fatal(err)
	}
	page, err := nethtml.Parse(&rendered)
	if err != nil {
		t.Fatal(err)
	}
	return text.String(), page
}

// TestMarkdownHoldsPoisonDown renders a poisoned report and finds in it only the elements that the writer makes.
func TestMarkdownHoldsPoisonDown(t *testing.T) {
	source, page := renderMarkdown(t, poisoned())
	allowed := " html head body h2 h3 h4 p table thead tbody tr th td ul ol li strong br blockquote details summary code "
	cells := 0
	for n := range page.Descendants() {
		if n.Type != nethtml.ElementNode {
			continue
		}
		if !strings.Contains(allowed, " "+n.Data+" ") {
			t.Errorf("the poison became <%s %v>", n.Data, n.Attr)
		}
		if n.Data == "td" {
			cells++
		}
	}
	r := poisoned()
	if want := len(r.Roles)*(2+len(Outcomes)) + len(r.Requirements)*5; cells != want {
		t.Errorf("%d cells in tables, want %d", cells, want)
	}
	if strings.Contains(source, "@octocat") {
		t.Error("the poison calls a person")
	}
	text := textOf(page)
	if !strings.Contains(text, "[link](javascript:alert(1))") || !strings.Contains(text, `\u001b[31mred`) {
		t.Error("the poison does not read as it was sent")
	}
}

func TestMarkdownLinksToSources(t *testing.T) {
	_, page := renderMarkdown(t, sample())
	for n := range page.Descendants() {
		if n.Data == "a" && strings.HasSuffix(n.Attr[0].Val, "grant-04#section-4.4.1") &&
			textOf(n) == "ID-JAG draft-04 § 4.4.1" {
			return
		}
	}
	t.Error("the failed requirement does not link to its source")
}

func TestMarkdownIsAlwaysSmall(t *testing.T) {
	r := &Report{Problem: strings.Repeat("|", 1<<20), Ended: strings.Repeat("<", 1<<20)}
	for i := range 1000 {
		id := fmt.Sprintf("R%d", i)
		r.Requirements = append(r.Requirements, Requirement{ID: id, Role: "ras", Says: strings.Repeat("*", 10000)})
		r.Checks = append(r.Checks, Check{ID: id + "/c", Requirement: id, Role: "ras", Title: strings.Repeat("`", 10000),
			Outcome: Outcomes[i%3], Message: strings.Repeat("|", 10000)})
	}
	Finish(r)
	source, page := renderMarkdown(t, r)
	if len(source) > 1<<20 {
		t.Errorf("%d bytes", len(source))
	}
	if !strings.Contains(textOf(page), "more: see the HTML report") {
		t.Error("what was left out is not mentioned")
	}
	if strings.Count(source, "<details>") != strings.Count(source, "</details>") {
		t.Error("a fold is not closed")
	}
}

func textOf(n *nethtml.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == nethtml.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
