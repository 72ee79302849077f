package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Form is a JSON Schema (2020-12) that documents are held against.
type Form struct{ schema *jsonschema.Resolved }

// CompileSchema compiles an embedded JSON Schema; it panics when that is broken, which tests rule out.
func CompileSchema(text []byte) *Form {
	schema := &jsonschema.Schema{}
	if err := json.Unmarshal(text, schema); err != nil {
		panic("reports: an embedded schema is not JSON: " + err.Error())
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		panic("reports: " + err.Error())
	}
	return &Form{resolved}
}

// Check says where a document first departs from the schema, and how, in one line; nil: it does not.
func (f *Form) Check(document []byte) error {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return err
	}
	err := f.schema.Validate(value)
	if err == nil {
		return nil
	}
	root := f.schema.Schema()
	at, err := first(root, root, value, err)
	return fmt.Errorf("at /%.300s: %.300s", visible(strings.Join(at, "/")), visible(err.Error()))
}

// first is where the innermost part of the value is that departs from its own schema, which the library does not say.
func first(root, s *jsonschema.Schema, value any, err error) ([]string, error) {
	for strings.HasPrefix(s.Ref, "#/$defs/") {
		s = root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	if s.If != nil {
		branch := s.Else
		if departs(root, s.If, value) == nil {
			branch = s.Then
		}
		if branch != nil && departs(root, branch, value) != nil {
			return first(root, branch, value, err)
		}
	}
	inside := func(name string, s *jsonschema.Schema, part any) (at []string, err error) {
		if s == nil {
			return nil, nil
		} else if err = departs(root, s, part); err == nil {
			return nil, nil
		}
		at, err = first(root, s, part, err)
		return append([]string{name}, at...), err
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if at, err := inside(name, s.Properties[name], v[name]); err != nil {
				return at, err
			}
		}
	case []any:
		for i, item := range v {
			if at, err := inside(strconv.Itoa(i), s.Items, item); err != nil {
				return at, err
			}
		}
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner // the outer ones say where in the schema it is
	}
	return nil, err
}

// departs holds a part of a document against a part of the schema.
func departs(root, part *jsonschema.Schema, value any) error {
	alone := part.CloneSchemas()
	alone.Defs = root.CloneSchemas().Defs
	resolved, err := alone.Resolve(nil)
	if err != nil {
		panic("reports: " + err.Error()) // what is whole resolves in parts
	}
	return resolved.Validate(value)
}
