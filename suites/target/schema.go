package target

import (
	"encoding/json"
	"reflect"
	"time"
)

// Schema is the JSON Schema (draft 2020-12) of the configuration file, for editors. comments are descriptions of keys
// by their paths, as Keys writes them ("clients[].id").
func Schema(comments map[string]string) []byte {
	return SchemaOf(reflect.TypeFor[Config](), "Configuration of emaconform server", comments, allowed)
}

// allowed are the values of keys that take a few words only.
var allowed = map[string][]string{
	"clients[].auth":   methods,
	"idp.alg":          {"RS256", "ES256", "EdDSA", "PS256"},
	"second_idp.alg":   {"RS256", "ES256", "EdDSA", "PS256"},
	"disabled_idp.alg": {"RS256", "ES256", "EdDSA", "PS256"},
}

// SchemaOf is the JSON Schema of the files of another configuration, a struct with yaml tags. words are the values of
// keys that take a few words only, by their paths.
func SchemaOf(config reflect.Type, title string, comments map[string]string, words map[string][]string) []byte {
	s := schemas{comments, words}
	schema := s.of(config, "")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = title
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic("schema of the configuration: " + err.Error()) // of maps and strings alone
	}
	return append(text, '\n')
}

// OwnSchema is a value of the configuration that says itself what it is written like; of is the schema of its parts.
type OwnSchema interface {
	Schema(path string, of func(t reflect.Type, path string) map[string]any) map[string]any
}

type schemas struct {
	comments map[string]string
	words    map[string][]string
}

func (s schemas) of(t reflect.Type, path string) map[string]any {
	own, says := reflect.Zero(t).Interface().(OwnSchema)
	switch {
	case says:
		return own.Schema(path, s.of)
	case t.Kind() == reflect.Pointer:
		return s.of(t.Elem(), path)
	case t == reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem(), path+"[]")}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem(), path)}
	case t.Kind() == reflect.Struct:
		properties := map[string]any{}
		s.members(t, path, properties)
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
	return map[string]any{"type": "string"}
}

// members are those of a struct, and of structs that are written into it.
func (s schemas) members(t reflect.Type, path string, into map[string]any) {
	for field := range t.Fields() {
		name := keyName(field)
		switch name {
		case "-":
			continue
		case "":
			s.members(field.Type, path, into)
			continue
		}
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		property := s.of(field.Type, inner)
		if comment := s.comments[inner]; comment != "" {
			property["description"] = comment
		}
		if values := s.words[inner]; values != nil {
			property["enum"] = values
		}
		into[name] = property
	}
}
