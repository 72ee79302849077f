package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// pair is what stands in one row of a check's evidence: the control beside the attack, or one exchange alone.
type pair struct {
	Exchanges []exchangeView
	Differs   []difference // what sets the attack apart from its control
	Alike     bool         // they were compared, and nothing does
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
	Millis   string
	Tokens   []tokenView
	Request  []piece
	Response []piece
	Cut      bool
	Error    string
	Curl     command
}

// tokenView is a token with what sets it apart from its twin marked.
type tokenView struct {
	Ref, Note      string
	Header, Claims []piece
}

const openPairs = 2 // rows of evidence that are open from the start

// pairs puts the exchanges of a check in rows: each attack beside the first control before it that stands alone so far.
// Exchanges keep their order otherwise, and carry their number. An attack without a control of its own is compared
// with the last one.
func pairs(exchanges []Exchange) []pair {
	var rows []pair
	var lone []int // controls without an attack, as their row
	control := map[int]int{}
	last := -1
	for i, e := range exchanges {
		row := pair{}
		switch {
		case e.Part == Control:
			last = i
			control[len(rows)] = i
			lone = append(lone, len(rows))
			row.Exchanges = []exchangeView{view(i, e, nil)}
		case e.Part == Attack && len(lone) > 0:
			at := lone[0]
			lone = lone[1:]
			twin := exchanges[control[at]]
			rows[at].Exchanges = []exchangeView{view(control[at], twin, &e), view(i, e, &twin)}
			rows[at].Differs = differences(e, twin)
			rows[at].Alike = len(rows[at].Differs) == 0
			continue
		case e.Part == Attack && last >= 0:
			row.Exchanges, row.Differs = []exchangeView{view(i, e, &exchanges[last])}, differences(e, exchanges[last])
			row.Alike = len(row.Differs) == 0
		default:
			row.Exchanges = []exchangeView{view(i, e, nil)}
		}
		rows = append(rows, row)
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

// view makes an exchange ready; twin is what it is compared with, or nil.
func view(i int, e Exchange, twin *Exchange) exchangeView {
	v := exchangeView{
		Number: i + 1, Part: e.Part, Note: visible(e.Note), Method: line(e.Request.Method), URL: line(e.Request.URL),
		Outcome: line(e.summary()), Millis: millis(e.Seconds), Error: visible(e.Error), Curl: e.Request.curl(),
	}
	request := e.Request.pieces()
	if twin != nil {
		request = mark(request, twin.Request.pieces())
	}
	v.Request = references(request)
	if e.Response == nil {
		v.Outcome = "no answer"
	} else {
		v.Response, v.Cut = references(e.Response.pieces()), e.Response.Cut
	}
	for _, t := range e.Tokens {
		v.Tokens = append(v.Tokens, t.view(twin))
	}
	return v
}

func millis(s float64) string {
	if s >= 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}

// view decodes a token for the page, compared with the token of its kind in the other exchange.
func (t Token) view(other *Exchange) tokenView {
	v := tokenView{Ref: line(t.Ref), Note: visible(t.Note)}
	if c := t.twin(other); c != nil {
		v.Header, _ = compare("header", t.Header, c.Header)
		v.Claims, _ = compare("claims", t.Claims, c.Claims)
	} else {
		v.Header, v.Claims = whole(t.Header), whole(t.Claims)
	}
	for _, pieces := range [][]piece{v.Header, v.Claims} {
		for i := range pieces {
			pieces[i].Text = visible(pieces[i].Text)
		}
	}
	return v
}

// differences names what sets an attack apart from its control: members of tokens, form fields, headers, the body.
func differences(attack, control Exchange) []difference {
	var list []difference
	for _, t := range attack.Tokens {
		if c := t.twin(&control); c != nil {
			_, inHeader := compare("header", t.Header, c.Header)
			_, inClaims := compare("claims", t.Claims, c.Claims)
			list = append(append(list, inHeader...), inClaims...)
			list = append(append(list, lacks(t.Header, c.Header)...), lacks(t.Claims, c.Claims)...)
			if t.Note != c.Note && t.Claims != "" {
				list = append(list, difference{"signature", changed})
			}
		}
	}
	list = append(list, attack.Request.differences(control.Request)...)
	for i := range list {
		list[i].Name = cut(line(list[i].Name), 60)
	}
	return list
}

// twin is the other exchange's token of the same kind; nil when there is none, or when it is the same token.
func (t Token) twin(other *Exchange) *Token {
	if other == nil {
		return nil
	}
	var found *Token
	for i, c := range other.Tokens {
		if c.Ref == t.Ref {
			return nil
		}
		if found == nil && kind(c.Ref) == kind(t.Ref) {
			found = &other.Tokens[i]
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
		if p.Text == "" {
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

// parts are the values of a request by the names that a reader knows them by.
func (r Request) parts() map[string]string {
	parts := map[string]string{"method": r.Method, "URL": unnumbered(r.URL)}
	for name, values := range r.Header {
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
