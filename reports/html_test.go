package reports

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"
)

func pageOf(t *testing.T, r *Report) *nethtml.Node {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	root, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// unpacked is the page with all that its script would show when asked for.
func unpacked(t *testing.T, r *Report) *nethtml.Node {
	t.Helper()
	page := pageOf(t, r)
	var packed string
	for _, n := range all(page, "script", "") {
		if attribute(n, "id") == "data" {
			if err := json.Unmarshal([]byte(textOf(n)), &packed); err != nil {
				t.Fatal(err)
			}
		}
	}
	compressed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var list []laterCheck
	if err := json.NewDecoder(compressed).Decode(&list); err != nil {
		t.Fatal(err)
	}
	byID := map[string]*nethtml.Node{}
	for _, n := range all(page, "details", "") {
		byID[attribute(n, "id")] = n
	}
	for _, c := range list {
		place := byID[c.ID]
		if place != nil {
			req := place.Parent
			req.RemoveChild(place)
			req.AppendChild(place)
		} else {
			place = fragment(t, byID[c.Req], c.Head)
		}
		if evidence := all(place, "div", "evidence")[0]; c.Evidence != "" {
			fragment(t, evidence, c.Evidence)
		}
	}
	return page
}

// fragment appends HTML to an element and returns the first element of it.
func fragment(t *testing.T, to *nethtml.Node, text string) (first *nethtml.Node) {
	t.Helper()
	nodes, err := nethtml.ParseFragment(strings.NewReader(text), to)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		to.AppendChild(n)
		if n.Type == nethtml.ElementNode && first == nil {
			first = n
		}
	}
	return first
}

func attribute(n *nethtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// all lists the elements below n that have this tag and this class; an empty string fits every one.
func all(n *nethtml.Node, tag, class string) []*nethtml.Node {
	var list []*nethtml.Node
	for d := range n.Descendants() {
		fits := d.Type == nethtml.ElementNode && (tag == "" || d.Data == tag)
		if fits && (class == "" || slices.Contains(strings.Fields(attribute(d, "class")), class)) {
			list = append(list, d)
		}
	}
	return list
}

// TestPageRunsAndLoadsNothingOfOthers holds for every page, of a poisoned report, too.
func TestPageRunsAndLoadsNothingOfOthers(t *testing.T) {
	for name, r := range map[string]*Report{"sample": sample(), "poisoned": poisoned(), "stopped": stopped()} {
		page := pageOf(t, r)
		elements := all(page, "", "")
		allowed := " html head meta title style body a header div p span h1 h2 h3 h4 section svg rect ul li b i em mark" +
			" dl dt dd ol details summary aside label input fieldset legend button main article pre code footer " +
			"script line path text "
		for _, n := range elements {
			if !strings.Contains(allowed, " "+n.Data+" ") {
				t.Errorf("%s: there is a <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				href := a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://")
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" || a.Key == "action" || href {
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				}
			}
		}
		policy := ""
		for _, n := range all(page, "meta", "") {
			if attribute(n, "http-equiv") == "Content-Security-Policy" {
				policy = attribute(n, "content")
			}
		}
		for _, tag := range []string{"script", "style"} {
			list := slices.DeleteFunc(all(page, tag, ""), func(n *nethtml.Node) bool {
				return attribute(n, "type") == "application/json"
			})
			if len(list) != 1 {
				t.Fatalf("%s: %d <%s>", name, len(list), tag)
			}
			sum := sha256.Sum256([]byte(textOf(list[0])))
			if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q does not allow the page its %s", name, policy, tag)
			}
		}
		if !strings.HasPrefix(policy, "default-src 'none'; ") {
			t.Errorf("%s: policy is %q", name, policy)
		}
	}
}

func TestPageShowsEveryCheck(t *testing.T) {
	r := withBaseline()
	page := unpacked(t, r)
	checks := all(page, "details", "check")
	if len(checks) != len(r.Checks) {
		t.Fatalf("%d checks, want %d", len(checks), len(r.Checks))
	}
	ids := map[string]bool{}
	for _, n := range all(page, "", "") {
		if id := attribute(n, "id"); id != "" && ids[id] {
			t.Errorf("two elements are called %s", id)
		} else if id != "" {
			ids[id] = true
		}
	}
	for i, c := range r.Checks {
		text := textOf(checks[i])
		if attribute(checks[i], "id") != c.ID || attribute(checks[i], "data-outcome") != string(c.Outcome) {
			t.Errorf("check %d is %s, %s", i, attribute(checks[i], "id"), attribute(checks[i], "data-outcome"))
		}
		for _, want := range []string{c.Title, c.Sends, c.Expects, c.Message, c.Expected} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", c.ID, want)
			}
		}
		if n := len(all(checks[i], "article", "exchange")); n != len(c.Exchanges) {
			t.Errorf("%s shows %d exchanges, want %d", c.ID, n, len(c.Exchanges))
		}
	}
	for _, q := range r.Requirements {
		if !ids[q.ID] {
			t.Errorf("requirement %s is not on the page", q.ID)
		}
	}
	for _, a := range all(page, "a", "") {
		to, err := url.PathUnescape(attribute(a, "href"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(to, "#") && !strings.HasPrefix(to, "#?") && !ids[to[1:]] {
			t.Errorf("a link leads to %s, which is nowhere", to)
		}
	}
}

func TestPageAdvisesWhereSomethingIsBroken(t *testing.T) {
	for _, req := range all(pageOf(t, sample()), "details", "req") {
		about := textOf(all(req, "div", "about")[0])
		tally := textOf(all(req, "span", "tally")[0])
		broken := strings.Contains(tally, "fail") || strings.Contains(tally, "warn")
		if advice := strings.Contains(about, "Fix Check this"); advice != broken {
			t.Errorf("%s: broken %v, advice %v", attribute(req, "id"), broken, advice)
		}
	}
}

func TestPageMarksWhatTheAttackChanges(t *testing.T) {
	page := pageOf(t, sample())
	for _, check := range all(page, "details", "check") {
		if attribute(check, "id") != "RAS-AUD-EXACT/prefix" {
			continue
		}
		attack := all(check, "article", "attack")[0]
		marked := all(attack, "span", "changed")
		if len(marked) != 1 || textOf(marked[0]) != `"aud": "https://auth.acme.example/tenant-7.evil.example"` {
			t.Errorf("%d claims of the attack are marked", len(marked))
		}
		if text := textOf(all(check, "p", "differs")[0]); text != "The attack differs in aud " {
			t.Errorf("it says %q", text)
		}
		return
	}
	t.Error("the check is not on the page")
}

// TestPageTellsAtAGlanceToWhomARequestWent: party, kind and path stand in the row that is closed, the whole URL within.
func TestPageTellsAtAGlanceToWhomARequestWent(t *testing.T) {
	r := sampleWith(Fail)
	control, attack := attacked()
	attack[1].Request.URL += "?x=‹id token 1›"
	root := Exchange{Part: Setup, Request: Request{Method: "GET", URL: "https://a.example"}}
	r.Checks[0].Exchanges = []Exchange{control[1], attack[1], root}
	page := pageOf(t, r)
	var glances []string
	for _, n := range all(page, "span", "glance") {
		glances = append(glances, strings.TrimSuffix(textOf(n), " 0 ms"))
	}
	want := []string{"1 control IdP: token request POST /token 200 OK",
		"2 attack IdP: token request POST /token?x=‹id token 1› 200 OK", "3 setup GET / no answer"}
	if !slices.Equal(glances, want) {
		t.Errorf("the rows say %q, want %q", glances, want)
	}
	for i, n := range all(page, "pre", "request") {
		if url := r.Checks[0].Exchanges[i].Request.URL; !strings.Contains(textOf(n), url) {
			t.Errorf("exchange %d does not hold %s", i+1, url)
		}
	}
}

func TestPageListsTheExchangesOfAPreflightThatStopped(t *testing.T) {
	for name, r := range map[string]*Report{"works": sample(), "stopped": stopped()} {
		for i, n := range all(all(pageOf(t, r), "section", "preflight")[0], "li", "") {
			for _, d := range all(n, "details", "exchanges") {
				if has(d, "open") == r.Preflight[i].OK {
					t.Errorf("%s: %s: open %v", name, r.Preflight[i].Name, has(d, "open"))
				}
				if text := textOf(all(d, "summary", "")[0]); text != "1 exchange" {
					t.Errorf("%s: %s: it says %q", name, r.Preflight[i].Name, text)
				}
			}
			if len(all(n, "details", "exchanges")) != min(1, len(r.Preflight[i].Exchanges)) {
				t.Errorf("%s: %s does not show its exchanges once", name, r.Preflight[i].Name)
			}
		}
	}
}

func TestFilterCounts(t *testing.T) {
	r := sample()
	counts := map[string]string{}
	for _, b := range all(pageOf(t, r), "button", "") {
		if value := attribute(b, "data-value"); value != "" {
			counts[value] = textOf(all(b, "b", "")[0])
		}
	}
	for o, n := range r.Counts() {
		if counts[string(o)] != fmt.Sprint(n) {
			t.Errorf("%s: %s on the page, %d in the report", o, counts[string(o)], n)
		}
	}
	if counts["ras"] != "39" || counts["rs"] != "21" || counts["SHOULD"] != "2" {
		t.Errorf("counts are %v", counts)
	}
}

// large is a report as the largest runs make it: 250 checks, 1,500 exchanges.
func large() *Report {
	r := sample()
	for i := len(r.Checks); i < 250; i++ {
		c := r.Checks[i%20]
		c.ID = fmt.Sprintf("%s-%d", c.ID, i)
		r.Checks = append(r.Checks, c)
	}
	for i := range r.Checks {
		r.Checks[i].Exchanges = nil
		for n := range 3 {
			attack := redeem(Attack, 2*n+2, `"aud": "https://evil.example"`)
			attack.Response = refused("invalid_grant", "the audience is wrong")
			control := redeem(Control, 2*n+1, `"aud": "https://acme.example"`)
			r.Checks[i].Exchanges = append(r.Checks[i].Exchanges, control, attack)
		}
	}
	Finish(r)
	return r
}

func BenchmarkWrite(b *testing.B) {
	r := large()
	for _, f := range formats {
		b.Run(f.name, func(b *testing.B) {
			var size countingWriter
			for b.Loop() {
				size = 0
				if err := f.write(&size, r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	var stored bytes.Buffer
	if err := WriteJSON(&stored, large()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Read(bytes.NewReader(stored.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

var _ io.Writer = (*countingWriter)(nil)
