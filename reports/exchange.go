package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// pair is what stands in one row of a check's evidence: the control beside the attack, or one exchange alone.
type pair struct {
	Exchanges []exchangeView
	Open      bool
}

// exchangeView is an exchange made ready for the page.
type exchangeView struct {
	Number   int
	Part     Part
	Note     string
	Method   string
	URL      string
	Outcome  string // e.g. "400 Bad Request"
	Class    string // s2, s3, s4, s5 by status; s0 without an answer
	Millis   string
	Tokens   []tokenView
	Request  []piece
	Response []piece
	Cut      bool
	Error    string
	Curl     command
}

// tokenView is a token with what sets it apart from the control's marked.
type tokenView struct {
	Ref, Note      string
	Header, Claims []piece
	Differs        []difference
	Lacks          []string
}

const openPairs = 2 // rows of evidence that are open from the start

// pairs puts the exchanges of a check in rows: each attack beside the first control before it that stands alone so far.
// Exchanges keep their order otherwise, and carry their number.
func pairs(exchanges []Exchange) []pair {
	var rows []pair
	var lone []int       // rows that hold a control without an attack
	var control Exchange // what attacks are compared with
	for i, e := range exchanges {
		switch e.Part {
		case Control:
			control = e
			lone = append(lone, len(rows))
			rows = append(rows, pair{Exchanges: []exchangeView{view(i, e, nil)}})
		case Attack:
			compared := &control
			if control.Part == "" {
				compared = nil
			}
			if len(lone) > 0 {
				row := &rows[lone[0]]
				lone = lone[1:]
				row.Exchanges = append(row.Exchanges, view(i, e, compared))
				continue
			}
			rows = append(rows, pair{Exchanges: []exchangeView{view(i, e, compared)}})
		default:
			rows = append(rows, pair{Exchanges: []exchangeView{view(i, e, nil)}})
		}
	}
	open(rows)
	return rows
}

// open opens the first rows that prove something; setup is open only where there is nothing else.
func open(rows []pair) {
	left := openPairs
	for i := range rows {
		if rows[i].Exchanges[0].Part != Setup && left > 0 {
			rows[i].Open = true
			left--
		}
	}
	if left == openPairs && len(rows) > 0 {
		rows[0].Open = true
	}
}

// view makes an exchange ready; control is nil when there is nothing to compare it with.
func view(i int, e Exchange, control *Exchange) exchangeView {
	v := exchangeView{
		Number: i + 1, Part: e.Part, Note: visible(e.Note), Method: line(e.Request.Method), URL: line(e.Request.URL),
		Outcome: line(e.summary()), Class: "s0", Millis: millis(e.Seconds), Error: visible(e.Error), Curl: e.Request.curl(),
	}
	request := e.Request.pieces()
	if control != nil {
		request = mark(request, control.Request.pieces())
	}
	v.Request = references(request)
	if e.Response != nil {
		v.Class = fmt.Sprintf("s%d", e.Response.Status/100)
		v.Response, v.Cut = references(e.Response.pieces()), e.Response.Cut
	}
	for _, t := range e.Tokens {
		v.Tokens = append(v.Tokens, t.view(control))
	}
	return v
}

func millis(s float64) string {
	if s >= 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}

// view decodes a token for the page, compared with the control's token of its kind.
func (t Token) view(control *Exchange) tokenView {
	v := tokenView{Ref: line(t.Ref), Note: visible(t.Note)}
	v.Header, v.Claims = []piece{{"", t.Header}}, []piece{{"", t.Claims}}
	if c := t.twin(control); c != nil {
		var inHeader, inClaims []difference
		v.Header, inHeader = compare(t.Header, c.Header)
		v.Claims, inClaims = compare(t.Claims, c.Claims)
		v.Differs = append(inHeader, inClaims...)
		v.Lacks = append(lacks(t.Header, c.Header), lacks(t.Claims, c.Claims)...)
	}
	for _, pieces := range [][]piece{v.Header, v.Claims} {
		for i := range pieces {
			pieces[i].Text = visible(pieces[i].Text)
		}
	}
	for i := range v.Differs {
		v.Differs[i].Name = line(v.Differs[i].Name)
	}
	for i := range v.Lacks {
		v.Lacks[i] = line(v.Lacks[i])
	}
	return v
}

// twin is the control's token of the same kind; nil when there is none, or when it is the same token.
func (t Token) twin(control *Exchange) *Token {
	if control == nil {
		return nil
	}
	var found *Token
	for i, c := range control.Tokens {
		if c.Ref == t.Ref {
			return nil
		}
		if found == nil && kind(c.Ref) == kind(t.Ref) {
			found = &control.Tokens[i]
		}
	}
	return found
}

// kind is a reference without its number.
func kind(ref string) string { return trailingNumber.ReplaceAllString(ref, "") }

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
	for _, name := range sortedKeys(h) {
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

// mark marks the lines that the control has not; a reference to another token of the same kind is the same line.
func mark(lines, control []piece) []piece {
	plain := func(p piece) string { return numbered.ReplaceAllString(p.Text, "‹$1›") }
	left := map[string]int{}
	for _, p := range control {
		left[plain(p)]++
	}
	for i, p := range lines {
		if text := plain(p); left[text] > 0 {
			left[text]--
		} else if p.Text != "" {
			lines[i].Class = changed
		}
	}
	return lines
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
		last := 0
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
