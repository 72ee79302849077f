package target

import (
	"encoding/json"
	"reflect"
	"time"
)

// Schema is the JSON Schema (draft 2020-12) of the configuration file, for editors. comments are descriptions of keys
// by their paths, as Keys writes them ("clients[].id").
func Schema(comments map[string]string) []byte {
	schema := schemaOf(reflect.TypeFor[Config](), "", comments)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Configuration of emaconform server"
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic("schema of the configuration: " + err.Error()) // of maps and strings alone
	}
	return append(text, '\n')
}

// allowed are the values of keys that take a few words only.
var allowed = map[string][]string{
	"clients[].auth": methods,
	"idp.alg":        {"RS256", "ES256", "EdDSA", "PS256"},
	"second_idp.alg": {"RS256", "ES256", "EdDSA", "PS256"},
}

func schemaOf(t reflect.Type, path string, comments map[string]string) map[string]any {
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), path, comments)
	case t == reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), path+"[]", comments)}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), path, comments)}
	case t.Kind() == reflect.Struct:
		properties := map[string]any{}
		for field := range t.Fields() {
			name := keyName(field)
			if name == "-" {
				continue
			}
			inner := name
			if path != "" {
				inner = path + "." + name
			}
			property := schemaOf(field.Type, inner, comments)
			if comment := comments[inner]; comment != "" {
				property["description"] = comment
			}
			if values := allowed[inner]; values != nil {
				property["enum"] = values
			}
			properties[name] = property
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
	return map[string]any{"type": "string"}
}
