package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds how deep values may nest: no token that a person has to read goes deeper.
const maxDepth = 24

// member is one member of a JSON object. again is set when an earlier member has its name.
type member struct {
	name  string
	value any // nil, bool, string, json.Number, []any or object
	again bool
}

// object is a JSON object in the order in which it was written, members that are there twice included.
type object []member

// get returns the last value of that name, which is the one that most JSON libraries take.
func (o object) get(name string) (value any, ok bool) {
	for _, m := range o {
		if m.name == name {
			value, ok = m.value, true
		}
	}
	return value, ok
}

// text is the value of that name when it is a string, else "".
func (o object) text(name string) string {
	value, _ := o.get(name)
	s, _ := value.(string)
	return s
}

// repeated lists the names that are there more than once.
func (o object) repeated() []string {
	var names []string
	for _, m := range o {
		if m.again && !slices.Contains(names, m.name) {
			names = append(names, m.name)
		}
	}
	return names
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for n, m := range o {
		if n > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// parseObject reads a JSON object. The error says what is there instead, and quotes nothing of it.
func parseObject(raw []byte) (object, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("is not valid UTF-8 (RFC 7519 section 3 wants JSON in UTF-8)")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	value, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has more after its JSON object")
	}
	o, isObject := value.(object)
	if !isObject {
		return nil, fmt.Errorf("is %s, expected a JSON object", kindOf(value))
	}
	return o, nil
}

var errNotJSON = errors.New("is not JSON")

func parseValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errNotJSON
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("is nested deeper than %d levels", maxDepth)
	}
	if delim == '{' {
		return parseMembers(d, depth)
	}
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, closed(d)
}

func parseMembers(d *json.Decoder, depth int) (object, error) {
	o, seen := object{}, map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return nil, errNotJSON
		}
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, value, seen[name]})
		seen[name] = true
	}
	return o, closed(d)
}

func closed(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// kindOf names the JSON type of a value, with its article.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

// maxShown bounds how much of a value is shown, in characters.
const maxShown = 1200

// show writes a value as JSON for people to read: indented, cut, and with every character that is not seen as itself
// escaped.
func show(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return "cannot be shown"
	}
	return visible(strings.TrimSuffix(b.String(), "\n"), maxShown)
}

// visible escapes what is not printed, such as controls and marks that turn the direction of writing, and cuts the
// rest.
func visible(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
			fmt.Fprintf(&b, " … (%d characters in all)", utf8.RuneCountInString(s))
			break
		}
		if unicode.IsPrint(r) || r == '\n' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%X}", r)
		}
	}
	return b.String()
}
