package control

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
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
		"servers": []any{map[string]any{"url": "/control", "description": "below the issuer's URL, unless it has an " +
			"address of its own"}},
		"security": []any{map[string]any{"secret": []string{}}},
		"components": map[string]any{
			"securitySchemes": map[string]any{"secret": map[string]any{"type": "http", "scheme": "bearer"}},
			"schemas":         components(),
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
	failure := map[string]any{"description": "what is wrong with the request",
		"content": map[string]any{"application/json": map[string]any{
			"schema": map[string]any{"$ref": "#/components/schemas/Error"}}}}
	responses := map[string]any{"400": failure, "401": failure, "404": failure, "413": failure}
	if o.out == nil {
		responses["204"] = map[string]any{"description": "done"}
	} else {
		responses["200"] = map[string]any{"description": "the answer", "content": content(o.out)}
	}
	parameters := []any{}
	for _, m := range parameter.FindAllStringSubmatch(o.path, -1) {
		parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true,
			"schema": map[string]any{"type": "string"}})
	}
	for _, name := range o.query {
		parameters = append(parameters, map[string]any{"name": name, "in": "query",
			"schema": map[string]any{"type": "string"}})
	}
	description := map[string]any{"operationId": o.id(), "summary": o.summary, "parameters": parameters,
		"responses": responses}
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
	return map[string]any{"application/json": map[string]any{"schema": schemaOf(t, nil)}}
}

// named are the types that have a schema of their own name; the others stand where they are used.
var named = map[reflect.Type]string{
	reflect.TypeFor[directory.Directory](): "Directory", reflect.TypeFor[directory.Settings](): "Settings",
	reflect.TypeFor[directory.User](): "User", reflect.TypeFor[directory.Client](): "Client",
	reflect.TypeFor[directory.Connector](): "Connector", reflect.TypeFor[directory.Connection](): "Connection",
	reflect.TypeFor[directory.Policy](): "Policy", reflect.TypeFor[directory.Assignment](): "Assignment",
	reflect.TypeFor[directory.StepUp](): "StepUp", reflect.TypeFor[fault.Fault](): "Fault",
	reflect.TypeFor[fault.Reply](): "Reply",
	reflect.TypeFor[mint.Edit]():   "Edit", reflect.TypeFor[audit.Entry](): "AuditEntry",
	reflect.TypeFor[observe.Exchange](): "Exchange",
}

func components() map[string]any {
	out := map[string]any{"Error": map[string]any{"type": "object", "required": []string{"error"},
		"properties": map[string]any{"error": map[string]any{"type": "string"}}}}
	for t, name := range named {
		out[name] = schemaOf(t, t)
	}
	return out
}

// schemaOf is the schema of a type, with references to the named ones but for itself.
func schemaOf(t, itself reflect.Type) *jsonschema.Schema {
	types := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[directory.Duration](): {Type: "string", Description: `as in "5m" or "1h30m"`},
		reflect.TypeFor[directory.JWKS]():     {Type: "object", Description: "a JWK set of public keys (RFC 7517)"},
		reflect.TypeFor[directory.JWK]():      {Type: "object", Description: "a public key as a JWK (RFC 7517)"},
		reflect.TypeFor[json.RawMessage]():    {},
		reflect.TypeFor[directory.Status](): enum(directory.Active, directory.Staged, directory.Suspended,
			directory.Deprovisioned, directory.Inactive),
		reflect.TypeFor[directory.AuthMethod](): enum(directory.Secret, directory.SecretBasic, directory.SecretPost,
			directory.PrivateKeyJWT,
			directory.Public),
		reflect.TypeFor[directory.Rotation](): enum(directory.Rotate, directory.Static),
		reflect.TypeFor[directory.SubjectStyle](): enum(directory.SubjectID, directory.SubjectLogin, directory.SubjectEmail,
			directory.SubjectUUID, directory.SubjectNumeric, directory.SubjectPairwise),
		reflect.TypeFor[directory.Effect]():       enum(directory.Allow, directory.Deny),
		reflect.TypeFor[directory.ExcessScopes](): enum(directory.DropScopes, directory.RefuseScopes),
		reflect.TypeFor[directory.MissingScope](): enum(directory.NoScopes, directory.AllScopes, directory.MissingRefuse),
		reflect.TypeFor[mint.TokenKind]():         enum(mint.TokenID, mint.TokenIDJAG, mint.TokenAccess),
		reflect.TypeFor[tokenContent](): {Type: "object", AdditionalProperties: &jsonschema.Schema{},
			Description: "claims, or for a saml_response: members of the assertion in snake case (name_id, audience, " +
				"recipient, in_response_to, not_on_or_after, attributes and so on)"},
	}
	types[reflect.TypeFor[orderKind]()] = enum(orderKinds...)
	for other, name := range named {
		if other != itself {
			types[other] = &jsonschema.Schema{Ref: "#/components/schemas/" + name}
		}
	}
	if itself == reflect.TypeFor[fault.Reply]() {
		t = reflect.TypeFor[fault.ReplyFields]()
	}
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(err) // a test makes it
	}
	if itself == reflect.TypeFor[fault.Reply]() { // its JSON is not that of its fields
		schema.Properties["delay"] = &jsonschema.Schema{Type: "string", Description: `as in "1.5s"`}
	}
	return schema
}

func enum[T ~string](values ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}
