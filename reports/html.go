package reports

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

//go:embed page
var pageFiles embed.FS

// pageTemplate is parsed once; style and script are part of the program, everything else is escaped by html/template.
var pageTemplate = template.Must(template.New("report.html").ParseFS(pageFiles, "page/*.html"))

var (
	pageStyle  = mustReadPage("page/report.css")
	pageScript = mustReadPage("page/report.js")
)

func mustReadPage(name string) string {
	data, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// WriteHTML writes the report as one page that needs nothing else: it works from a file and without a network. Verdict,
// failures and their evidence are readable without scripts; the other checks are in it compressed, and shown when they
// are asked for. Its policy lets it load and run nothing but its own style and script.
func WriteHTML(w io.Writer, r *Report) error {
	p := newPage(r)
	var err error
	if p.Later, p.Hidden, err = later(p.Groups); err != nil {
		return err
	}
	return pageTemplate.ExecuteTemplate(w, "report.html", p)
}

// laterCheck is a check as the page's script finds it: what filters look at, and its HTML.
type laterCheck struct {
	ID       string  `json:"id"`
	Req      string  `json:"req"`
	Outcome  Outcome `json:"outcome"`
	Role     string  `json:"role"`
	Level    string  `json:"level"`
	Text     string  `json:"text"`
	Head     string  `json:"head,omitempty"`     // where it is not in the document from the start
	Evidence string  `json:"evidence,omitempty"` // likewise
}

// later is what the page shows when it is asked for, compressed: all checks but those in the document from the start. A
// report of a few hundred checks is 5 MB of HTML in 60,000 elements, which no reader opens at once.
func later(groups []group) (packed string, hidden int, err error) {
	var views []checkView
	var list []laterCheck
	for _, g := range groups {
		for _, q := range g.Requirements {
			for _, c := range q.Checks {
				views = append(views, c)
				list = append(list, laterCheck{ID: c.ID, Req: q.ID, Outcome: c.Outcome, Role: c.Role, Level: c.Level,
					Text: c.Search})
				hidden += one(!c.Now)
			}
		}
	}
	work := errgroup.Group{}
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, v := range views {
		work.Go(func() (err error) {
			list[i].Head, list[i].Evidence, err = v.html()
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return "", 0, err
	}
	var packing bytes.Buffer
	compressed := gzip.NewWriter(&packing)
	encoder := json.NewEncoder(compressed)
	encoder.SetEscapeHTML(false) // base64 hides it from the page, and what is HTML already is a third smaller
	if err := errors.Join(encoder.Encode(list), compressed.Close()); err != nil {
		return "", 0, err
	}
	return base64.StdEncoding.EncodeToString(packing.Bytes()), hidden, nil
}

// html is what of the check is not in the document from the start.
func (v checkView) html() (head, evidence string, err error) {
	var b bytes.Buffer
	if !v.Now {
		if err := pageTemplate.ExecuteTemplate(&b, "check", v); err != nil {
			return "", "", err
		}
		head = strings.TrimSpace(b.String())
		b.Reset()
	}
	if !v.Shown {
		if err := pageTemplate.ExecuteTemplate(&b, "evidence", v); err != nil {
			return "", "", err
		}
		evidence = strings.TrimSpace(b.String())
	}
	return head, evidence, nil
}

// page is what the template shows.
type page struct {
	Title     string
	Policy    string // Content-Security-Policy
	Style     template.CSS
	Script    template.JS
	Name, URL string
	Verdict   Verdict
	Class     string // of the verdict
	Headline  []string
	Roles     []roleView
	Facts     []fact
	Preflight []stepView
	Broken    bool // a step of the preflight did not work
	Failed    []failedView
	Flow      *diagram
	Later     string // the checks that are shown when asked for: gzip in base64
	Hidden    int    // how many they are
	Facets    []facet
	Total     int
	Groups    []group
	Made      string // by which program
}

// failedView is a broken requirement in the list at the top.
type failedView struct {
	ID, Title, Gain, Follows string
	Severity                 Severity
	Lines                    []failedLine
}

// failedLine is a group of failed checks: the variants of one identifier, or others.
type failedLine struct {
	Said  string
	Links []checkView
	More  string
}

func viewFailure(f failure) failedView {
	v := failedView{ID: line(f.Requirement.ID), Title: line(f.Requirement.Title), Gain: line(f.Requirement.SeverityWhy),
		Severity: f.Severity, Follows: line(f.followed())}
	for _, g := range f.Groups {
		var l failedLine
		if g.Identifier != "" {
			l.Said = line(g.said())
		}
		for i, c := range g.Checks {
			if i == namedIDs {
				l.More = fmt.Sprintf("and %d more", len(g.Checks)-i)
				break
			}
			l.Links = append(l.Links, viewCheck(c, f.Requirement.Level))
		}
		v.Lines = append(v.Lines, l)
	}
	return v
}

type fact struct {
	Label  string
	Values []string
}

type roleView struct {
	Role, Title string
	Verdict     Verdict
	Class       string
	Counts      []outcomeCount
}

// outcomeCount is a number of checks, and its place in a bar of 100 units.
type outcomeCount struct {
	Outcome     Outcome
	N           int
	From, Width float64
}

type stepView struct {
	Step
	Rows  []pair
	Count string // of its exchanges
}

type facet struct {
	Name    string
	Options []option
}

type option struct {
	Value, Title string
	N            int
}

func newPage(r *Report) *page {
	p := &page{
		Title: line(fmt.Sprintf("%s: %s", r.Target.name(), r.Verdict)), Policy: policy(),
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Name: line(r.Target.name()), URL: line(r.Target.URL), Verdict: r.Verdict, Class: verdictClass(r.Verdict),
		Facts: facts(r), Total: len(r.Checks), Groups: groups(r),
		Made: line(strings.TrimSpace(r.Tool.Name + " " + r.Tool.Version)),
	}
	for _, s := range r.headline() {
		p.Headline = append(p.Headline, visible(s))
	}
	for _, v := range r.Roles {
		p.Roles = append(p.Roles, roleView{
			line(v.Role), line(roleTitle(v.Role)), v.Verdict, verdictClass(v.Verdict), bar(v.Counts),
		})
	}
	for _, s := range r.Preflight {
		p.Broken = p.Broken || !s.OK
		s.Name, s.Saw, s.Fix = line(s.Name), visible(s.Saw), visible(s.Fix)
		v := stepView{s, pairs(s.Exchanges), count(len(s.Exchanges), "exchange")}
		for i := range v.Rows {
			v.Rows[i].Open = !s.OK
		}
		p.Preflight = append(p.Preflight, v)
	}
	failed, _ := r.failures(func(Check) bool { return true })
	for _, f := range failed {
		p.Failed = append(p.Failed, viewFailure(f))
	}
	if len(r.Checks) > 0 {
		p.Flow = happyFlow()
	}
	p.Facets = facets(r)
	return p
}

// policy allows the page its own style and script, by hash, and nothing else.
func policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'",
		hash(pageStyle), hash(pageScript))
}

func verdictClass(v Verdict) string {
	switch v {
	case Conformant:
		return string(Pass)
	case ConformantWithWarnings:
		return string(Warn)
	case NotConformant:
		return string(Fail)
	default:
		return string(Inconclusive)
	}
}

const barLeast = 1 // so that one failure among hundreds of checks is seen

func bar(counts map[Outcome]int) []outcomeCount {
	total, at := 0, 0.0
	for _, n := range counts {
		total += n
	}
	var list []outcomeCount
	for _, o := range Outcomes {
		n := counts[o]
		wide := 0.0
		if n > 0 {
			wide = max(barLeast, 100*float64(n)/float64(total))
		}
		list = append(list, outcomeCount{o, n, at, wide})
		at += wide
	}
	for i := range list { // what the least widths take is taken from all
		list[i].From *= 100 / max(at, 100)
		list[i].Width *= 100 / max(at, 100)
	}
	return list
}

func facts(r *Report) []fact {
	t := r.Target
	target := t.URL
	if t.Embedded {
		target = cmp.Or(target, t.Name) + " (built into this program)"
	}
	list := []fact{
		{"Target", []string{target}},
		{"Command", []string{t.Command}},
		{"Resource", []string{t.Resource}},
		{"Authorization server", []string{t.elsewhere()}},
		{"Token endpoint", []string{t.TokenEndpoint}},
		{"Trusted issuers", t.TrustedIssuers},
		{"Defects switched on", t.Defects},
		{"Client secret at the IdP", []string{t.secret()}},
		{"Profile", []string{r.Profile}},
		{"MCP", []string{strings.Join(r.MCPRevisions, ", ")}},
		{"Address", []string{t.Address}},
		{"Catalogue", []string{r.Catalogue.String()}},
		{"Selection", []string{r.Selection}},
		{"Nonce", []string{r.Nonce}},
		{"Started", []string{r.Started.UTC().Format("2006-01-02 15:04:05 UTC")}},
		{"Took", []string{(time.Duration(r.Seconds*1000) * time.Millisecond).String()}},
		{"Load", []string{r.Load.String()}},
		{"Not kept", []string{r.Dropped}},
	}
	for i := range list {
		values := slices.Clone(list[i].Values)
		for j := range values {
			values[j] = line(values[j])
		}
		list[i].Values = values
	}
	return slices.DeleteFunc(list, func(f fact) bool { return strings.Join(f.Values, "") == "" })
}

// String is the cost in words; empty for a run that came to nothing.
func (l Load) String() string {
	if l == (Load{}) {
		return ""
	}
	return fmt.Sprintf("%s, %s, %d MiB at peak", count(l.Workers, "worker"), count(l.Exchanges, "exchange"),
		l.PeakMemory>>20)
}

// facets are what the checks can be filtered by.
func facets(r *Report) []facet {
	outcomes, roles, levels := facet{Name: "outcome"}, facet{Name: "role"}, facet{Name: "level"}
	for _, o := range Outcomes {
		outcomes.count(string(o), string(o), 0)
	}
	for _, l := range []string{"MUST", "SHOULD", "MAY"} {
		levels.count(l, l, 0)
	}
	for _, c := range r.Checks {
		outcomes.count(string(c.Outcome), string(c.Outcome), 1)
		roles.count(line(c.Role), line(roleTitle(c.Role)), 1)
		levels.count(line(c.Level), line(c.Level), 1)
	}
	return []facet{outcomes, roles, levels}
}

func (f *facet) count(value, title string, n int) {
	i := slices.IndexFunc(f.Options, func(o option) bool { return o.Value == value })
	if i < 0 {
		i = len(f.Options)
		f.Options = append(f.Options, option{Value: value, Title: title})
	}
	f.Options[i].N += n
}

// elsewhere is the authorization server, unless it is what was judged.
func (t Target) elsewhere() string {
	if t.AuthorizationServer == t.URL {
		return ""
	}
	return t.AuthorizationServer
}
