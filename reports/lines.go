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
