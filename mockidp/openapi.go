package mockidp

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// OpenAPI is the description of the control API (OpenAPI 3.1), made from the same rows and types as its handlers. It is
// also served, at openapi.json.
var OpenAPI = sync.OnceValue(func() []byte {
	paths := map[string]map[string]any{}
	for _, o := range operations() {
		if paths[o.path] == nil {
			paths[o.path] = map[string]any{}
		}
		paths[o.path][strings.ToLower(o.method)] = o.describe()
	}
	raw, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{"title": "emaconform mock identity provider: control API", "version": "1",
			"description": "Does all that Go code can do with a mock identity provider. For tests alone."},
		"servers":  []any{map[string]any{"url": "/control", "description": "below the issuer's URL, unless it has an address of its own"}},
		"security": []any{map[string]any{"secret": []string{}}},
		"components": map[string]any{
			"securitySchemes": map[string]any{"secret": map[string]any{"type": "http", "scheme": "bearer"}},
			"schemas": map[string]any{"Error": map[string]any{"type": "object", "required": []string{"error"},
				"properties": map[string]any{"error": map[string]any{"type": "string"}}}},
		},
		"paths": paths,
	}, "", "  ")
	if err != nil {
		panic(err) // a test makes it
	}
	return raw
})

var parameter = regexp.MustCompile(`\{(\w+)\}`)

func (o operation) describe() map[string]any {
	failure := map[string]any{"description": "what is wrong with the request", "content": map[string]any{"application/json": map[string]any{
		"schema": map[string]any{"$ref": "#/components/schemas/Error"}}}}
	responses := map[string]any{"400": failure, "401": failure, "404": failure, "413": failure}
	if o.out == nil {
		responses["204"] = map[string]any{"description": "done"}
	} else {
		responses["200"] = map[string]any{"description": "the answer", "content": content(o.out)}
	}
	parameters := []any{}
	for _, m := range parameter.FindAllStringSubmatch(o.path, -1) {
		parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
	}
	for _, name := range o.query {
		parameters = append(parameters, map[string]any{"name": name, "in": "query", "schema": map[string]any{"type": "string"}})
	}
	description := map[string]any{"operationId": o.id(), "summary": o.summary, "parameters": parameters, "responses": responses}
	if o.in != nil {
		description["requestBody"] = map[string]any{"required": true, "content": content(o.in)}
	}
	return description
}

// id names the operation: put-users-key-status.
func (o operation) id() string {
	return strings.ToLower(o.method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(o.path)
}

func content(t reflect.Type) map[string]any {
	text := &jsonschema.Schema{Type: "string"}
	object := &jsonschema.Schema{Type: "object"}
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[directory.Duration](): text, reflect.TypeFor[directory.JWKS](): object, reflect.TypeFor[directory.JWK](): object,
		reflect.TypeFor[json.RawMessage](): {}, reflect.TypeFor[Reply](): replySchema(),
	}})
	if err != nil {
		panic(err) // a test makes it
	}
	return map[string]any{"application/json": map[string]any{"schema": schema}}
}

// replySchema is the JSON of a Reply, which is not that of its fields.
func replySchema() *jsonschema.Schema {
	schema, err := jsonschema.For[replyFields](nil)
	if err != nil {
		panic(err)
	}
	schema.Properties["delay"] = &jsonschema.Schema{Type: "string", Description: `as in "1.5s"`}
	return schema
}
