package reports

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// piece is a run of text shown in one way; Class is empty for plain text.
type piece struct{ Class, Text string }

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
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var list []member
	for d.More() {
		before := int(d.InputOffset())
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, false
		}
		var compact bytes.Buffer
		if json.Compact(&compact, raw) != nil {
			return nil, false
		}
		m := member{name: name.(string), value: compact.String(), to: int(d.InputOffset())}
		m.from = before + strings.IndexByte(text[before:], '"')
		list = append(list, m)
	}
	_, err := d.Token()
	return list, err == nil
}
