package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// pieces is the request as it went over the wire, but for encoding: a piece for each line.
func (r Request) pieces() []piece {
	list := []piece{{"first", line(r.Method + " " + r.URL)}}
	list = append(list, headerLines(r.Header)...)
	if len(r.Form) > 0 || r.Body != "" {
		list = append(list, piece{"", ""})
	}
	for _, f := range r.Form {
		list = append(list, piece{"", visible(f.Name + "=" + f.Value)})
	}
	if len(r.Form) == 0 && r.Body != "" {
		list = append(list, bodyLines(r.Body)...)
	}
	return list
}

// mentions reports whether the token was sent in this request.
func (r Request) mentions(t Token) bool {
	ref := "‹" + t.Ref + "›"
	if strings.Contains(r.URL, ref) || strings.Contains(r.Body, ref) {
		return true
	}
	for _, values := range r.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, ref) }) {
			return true
		}
	}
	return slices.ContainsFunc(r.Form, func(f Field) bool { return strings.Contains(f.Value, ref) })
}

func (r Response) pieces() []piece {
	list := []piece{{"first", strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.Status, http.StatusText(r.Status)))}}
	list = append(list, headerLines(r.Header)...)
	if r.Body != "" {
		list = append(append(list, piece{"", ""}), bodyLines(r.Body)...)
	}
	return list
}

func headerLines(h http.Header) []piece {
	var list []piece
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			list = append(list, piece{"header", visible(name + ": " + value)})
		}
	}
	return list
}

// bodyLines indents JSON and leaves the rest as it is.
func bodyLines(body string) []piece {
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(strings.TrimSpace(body)), "", "  ") == nil {
		body = indented.String()
	}
	var list []piece
	for _, l := range strings.Split(visible(body), "\n") {
		list = append(list, piece{"", l})
	}
	return list
}

var numbered = regexp.MustCompile(`‹([^‹›]*?) \d+›`)

// unnumbered is text in which references to tokens of one kind are the same.
func unnumbered(s string) string { return numbered.ReplaceAllString(s, "‹$1›") }

// mark marks the lines that the other request has not. Where no line is the same, marks would only be noise.
func mark(lines, others []piece) []piece {
	left := map[string]int{}
	for _, p := range others {
		left[unnumbered(p.Text)]++
	}
	marked, same := slices.Clone(lines), false
	for i, p := range lines {
		if p.Text == "" || strings.HasPrefix(p.Text, "Content-Length: ") {
			continue
		}
		if text := unnumbered(p.Text); left[text] > 0 {
			left[text]--
			same = true
		} else {
			marked[i].Class = changed
		}
	}
	if !same {
		return lines
	}
	return marked
}

// differences names what sets a request apart from another: the parts of one that the other has not.
func (r Request) differences(other Request) []difference {
	own, others := r.parts(), other.parts()
	var list []difference
	for _, name := range slices.Sorted(maps.Keys(own)) {
		switch value, has := others[name]; {
		case !has:
			list = append(list, difference{name, only})
		case value != own[name]:
			list = append(list, difference{name, changed})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if _, has := own[name]; !has {
			list = append(list, difference{name, missing})
		}
	}
	return list
}

// parts are the values of a request by the names that a reader knows them by, without its length, which follows from
// the others.
func (r Request) parts() map[string]string {
	parts := map[string]string{"method": r.Method, "URL": unnumbered(r.URL)}
	for name, values := range r.Header {
		if name == "Content-Length" {
			continue
		}
		parts[name] = unnumbered(strings.Join(values, "\n"))
	}
	for _, f := range r.Form {
		parts[f.Name] += unnumbered(f.Value) + "\n"
	}
	if r.Body != "" {
		parts["body"] = unnumbered(r.Body)
	}
	return parts
}

// references joins lines again, with each reference to a token or secret a piece of its own. Lines that look the same
// become one piece, which keeps large pages light.
func references(lines []piece) []piece {
	var list []piece
	add := func(class, text string) {
		if n := len(list); n > 0 && list[n-1].Class == class {
			list[n-1].Text += text
		} else if text != "" {
			list = append(list, piece{class, text})
		}
	}
	for i, l := range lines {
		last := len(l.Text) - len(strings.TrimLeft(l.Text, " "))
		add("", l.Text[:last]) // so that no mark begins with white space
		for _, at := range reference.FindAllStringIndex(l.Text, -1) {
			add(l.Class, l.Text[last:at[0]])
			add("ref", l.Text[at[0]:at[1]])
			last = at[1]
		}
		add(l.Class, l.Text[last:])
		if i < len(lines)-1 {
			add("", "\n")
		}
	}
	return list
}

// piece is a run of text shown in one way; Class, which is never what others sent, is empty for plain text.
type piece struct{ Class, Text string }

// markup is pieces as HTML. A template would do the same in four times as long, and a report has 50,000 of them.
func markup(pieces []piece) template.HTML {
	var b strings.Builder
	for _, p := range pieces {
		if p.Class == "" {
			b.WriteString(html.EscapeString(p.Text))
			continue
		}
		b.WriteString(`<span class="` + p.Class + `">` + html.EscapeString(p.Text) + `</span>`)
	}
	return template.HTML(b.String())
}

// difference is a member of a token that is not as in the token that it is compared with.
type difference struct{ Name, Kind string }

// The kinds of difference, which are classes of the page, too.
const (
	changed  = "changed"  // both have it, with other values
	only     = "only"     // the other has none
	missing  = "missing"  // only the other has one
	expected = "expected" // changed as it must between two honest tokens: another jti, a time a little later
)

// member is a top-level member of a JSON object in its text.
type member struct {
	name, value string // value: without insignificant white space
	from, to    int    // its place in the text, the name's quote included
}

// compare marks in a JSON object the top-level members that are not as in another, and lists them, those that only the
// other has behind the rest. The n-th member of a name is compared with the n-th of that name, since hostile tokens
// repeat names. Text that is no object is marked as a whole when it is not the same text; what is its name then.
func compare(what, text, with string) ([]piece, []difference) {
	own, ok1 := members(text)
	others, ok2 := members(with)
	if !ok1 || !ok2 {
		if text == with {
			return whole(text), nil
		}
		return []piece{{changed, text}}, []difference{{"all of the " + what, changed}}
	}
	var pieces []piece
	var differences []difference
	last := 0
	used := make([]bool, len(others))
	for _, m := range own {
		kind := only
		for i, o := range others {
			if o.name == m.name && !used[i] {
				used[i], kind = true, m.differs(o)
				break
			}
		}
		if kind == "" {
			continue
		}
		pieces = append(pieces, piece{"", text[last:m.from]}, piece{kind, text[m.from:m.to]})
		last = m.to
		if kind != expected {
			differences = append(differences, difference{m.name, kind})
		}
	}
	for _, o := range others {
		if !slices.ContainsFunc(own, func(m member) bool { return m.name == o.name }) {
			differences = append(differences, difference{o.name, missing})
		}
	}
	return append(pieces, piece{"", text[last:]}), differences
}

// whole is text as a single piece.
func whole(text string) []piece {
	if text == "" {
		return nil
	}
	return []piece{{"", text}}
}

// differs is the kind of difference to a member of the same name, or "".
func (m member) differs(o member) string {
	switch {
	case m.value == o.value:
		return ""
	case m.name == "jti" && isText(m.value) && isText(o.value):
		return expected
	case slices.Contains([]string{"iat", "exp", "nbf", "auth_time"}, m.name) && near(m.value, o.value):
		return expected
	default:
		return changed
	}
}

// isText reports whether a JSON value is a string that is not empty.
func isText(value string) bool { return len(value) > 2 && value[0] == '"' }

// near reports whether two JSON values are numbers of seconds that a run may put between two honest tokens.
func near(a, b string) bool {
	var x, y float64
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && a != "null" && b != "null" &&
		math.Abs(x-y) <= 30
}

// members finds the top-level members of the JSON object in text.
func members(text string) ([]member, bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	at := blank(text, 0)
	if text[at] != '{' {
		return nil, false
	}
	var list []member
	for at = blank(text, at+1); text[at] != '}'; at = blank(text, at) {
		if text[at] == ',' {
			at++
			continue
		}
		m := member{from: at}
		at = behind(text, at)
		if json.Unmarshal([]byte(text[m.from:at]), &m.name) != nil {
			return nil, false
		}
		from := blank(text, blank(text, at)+1) // behind the colon
		at = behind(text, from)
		m.to = at
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text[from:at])) != nil {
			return nil, false
		}
		m.value = compact.String()
		list = append(list, m)
	}
	return list, true
}

// blank is where in valid JSON the white space from here on ends.
func blank(text string, at int) int {
	for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
		at++
	}
	return at
}

// behind is where in valid JSON the value that begins here ends.
func behind(text string, at int) int {
	depth := 0
	for quoted := false; at < len(text); at++ {
		switch c := text[at]; {
		case quoted && c == '\\':
			at++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return at + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']' || c == ',' || c <= ' ':
			if depth == 0 {
				return at // of a number or a literal
			}
			if c == '}' || c == ']' {
				if depth--; depth == 0 {
					return at + 1
				}
			}
		}
	}
	return at
}
