package target

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
)

// Mistake is what a value of the configuration says of itself when it cannot be read: a sentence that quotes no value.
type Mistake string

func (m Mistake) Error() string { return string(m) }

// Decode reads a document into a configuration, a pointer to a struct with yaml tags. Unknown keys are errors, as are
// values of another type; each names the line and the key, and none quotes a value: the document may hold secrets. A
// byte order mark, which some editors write, is no mistake.
func Decode(document []byte, c any) error {
	of := reflect.TypeOf(c).Elem()
	err := yamlfile.Decode(document, c)
	if err == nil || errors.Is(err, yamlfile.ErrEmpty) {
		return nil
	}
	var whole yamlfile.Problem
	var unknown *yaml.UnknownFieldError
	var placed yaml.Error
	var own Mistake
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &whole):
		return whole
	case errors.As(err, &unknown):
		at := unknown.Token
		return fmt.Errorf("line %d: there is no key %q%s", at.Position.Line, keyAt(at), suggestion(of, at))
	case errors.As(err, &placed):
		return placedMistake(placed)
	}
	return durationMistake(of, document)
}

// placedMistake says what the decoder found at a place of which it knows the line.
func placedMistake(err yaml.Error) error {
	at := err.GetToken()
	var wrong *yaml.TypeError
	var node *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("line %d: %sexpected %s, but saw %s",
			at.Position.Line, key(at), kind(wrong.DstType), kind(wrong.SrcType))
	case errors.As(err, &node):
		return fmt.Errorf("line %d: %sexpected %s, but saw %s",
			at.Position.Line, key(at), nodeKind(node.Expected), nodeKind(node.Actual))
	}
	return fmt.Errorf("line %d: %s", at.Position.Line, err.GetMessage())
}

// durationMistake is the first time limit that is none; the decoder does not say where that is.
func durationMistake(of reflect.Type, document []byte) error {
	unknown := errors.New("timing: expected times such as 500ms, 10s or 2m")
	file, err := parser.ParseBytes(bytes.TrimPrefix(document, []byte("\ufeff")), 0)
	if err != nil {
		return unknown
	}
	timing, ok := of.FieldByName("Timing")
	if !ok {
		return unknown
	}
	for field := range timing.Type.Fields() {
		name := keyName(field)
		path, err := yaml.PathString("$.timing." + name)
		if err != nil {
			continue
		}
		node, err := path.FilterFile(file)
		if err != nil {
			continue
		}
		if _, err := time.ParseDuration(node.GetToken().Value); err != nil {
			line := node.GetToken().Position.Line
			return fmt.Errorf("line %d: timing.%s: expected a time such as 500ms, 10s or 2m", line, name)
		}
	}
	return unknown
}

// keyAt is the key that a mistake is at: the token itself, or the one before the colon before it.
func keyAt(at *token.Token) string {
	if at.Next != nil && at.Next.Type == token.MappingValueType {
		return at.Value
	}
	for t := at; t != nil; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return t.Prev.Value
		}
	}
	return ""
}

// key is the key that a mistake is at, as the beginning of a sentence.
func key(at *token.Token) string {
	if k := keyAt(at); k != "" {
		return k + ": "
	}
	return ""
}

// suggestion names the known key that is most like the one in the document, when one is.
func suggestion(of reflect.Type, at *token.Token) string {
	wrong := keyAt(at)
	best, least := "", len(wrong)+2
	for _, path := range keys(of, "") {
		parent, name := "", path
		if dot := strings.LastIndexByte(path, '.'); dot >= 0 {
			parent, name = strings.TrimSuffix(path[:dot], "[]"), path[dot+1:]
		}
		likeness := 2 * distance(strings.ToLower(wrong), name)
		if parent != parentOf(at) {
			likeness++ // of two that are alike, the one that belongs there
		}
		if likeness < least {
			best, least = path, likeness
		}
	}
	if best == "" {
		return "; `emaconform config` prints a file with every key"
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// parentOf is the key under which the key of a mistake stands, "" at the top.
func parentOf(at *token.Token) string {
	for t := at.Prev; t != nil; t = t.Prev {
		isKey := t.Next != nil && t.Next.Type == token.MappingValueType
		if isKey && t.Position.Column < at.Position.Column {
			return t.Value
		}
	}
	return ""
}

// Keys lists the keys of the configuration file as paths, in the order of the file: "url", "clients[].id".
func Keys() []string { return keys(reflect.TypeFor[Config](), "") }

func keys(t reflect.Type, prefix string) []string {
	var list []string
	for field := range t.Fields() {
		name := keyName(field)
		if name == "-" {
			continue
		}
		if name == "" { // inline
			list = append(list, keys(field.Type, prefix)...)
			continue
		}
		inner, path := field.Type, prefix+name
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			inner, path = inner.Elem(), path+"[]"
		}
		list = append(list, strings.TrimSuffix(path, "[]"))
		if inner.Kind() == reflect.Struct {
			list = append(list, keys(inner, path+".")...)
		}
	}
	return list
}

func keyName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// distance is how many letters have to be inserted, removed or changed to make a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// kind is the name that a reader of YAML has for a type.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "keys and values"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Pointer:
		return kind(t.Elem())
	}
	return "a number"
}

func nodeKind(t ast.NodeType) string {
	switch t {
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "keys and values"
	case ast.BoolType:
		return "true or false"
	case ast.NullType:
		return "nothing"
	case ast.IntegerType, ast.FloatType:
		return "a number"
	}
	return "text"
}
