package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func jsonOf(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// closedSchema is the published schema with every object closed: a member that it does not know is an error.
func closedSchema(t *testing.T) *Form {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(Schema, &root); err != nil {
		t.Fatal(err)
	}
	shut := func(o map[string]any) {
		if _, open := o["properties"]; open {
			o["additionalProperties"] = false
		}
	}
	shut(root)
	for _, definition := range root["$defs"].(map[string]any) {
		shut(definition.(map[string]any))
	}
	closed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return CompileSchema(closed)
}

func TestReportsFollowTheSchema(t *testing.T) {
	schema := closedSchema(t)
	withBaseline := sample()
	(&BaselineFile{Path: "b.yaml", Entries: []BaselineEntry{{"RAS-EXP", "", "x"}, {"NO", "", "x"}}}).Apply(withBaseline)
	empty := &Report{}
	Finish(empty)
	for name, r := range map[string]*Report{
		"sample": sample(), "poisoned": poisoned(), "with a baseline": withBaseline, "empty": empty,
	} {
		if err := schema.Check(jsonOf(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaAndModelAreOne compares the Go types with the schema, member by member, both ways: names, kinds, and which
// are required.
func TestSchemaAndModelAreOne(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema, &root); err != nil {
		t.Fatal(err)
	}
	if root["$id"] != SchemaURL {
		t.Errorf("$id is %v, reports say %s", root["$id"], SchemaURL)
	}
	definitions := root["$defs"].(map[string]any)
	seen := map[string]bool{}
	var walk func(path string, goType reflect.Type, schema map[string]any)
	walk = func(path string, goType reflect.Type, schema map[string]any) {
		if ref, ok := schema["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			seen[name] = true
			schema = definitions[name].(map[string]any)
		}
		if schema["description"] == nil {
			t.Errorf("%s has no description", path)
		}
		for goType.Kind() == reflect.Pointer {
			goType = goType.Elem()
		}
		if kind := schemaKind(goType); schema["type"] != nil && schema["type"] != kind {
			t.Errorf("%s is %v in the schema, %s in Go", path, schema["type"], kind)
		}
		switch {
		case goType.Kind() == reflect.Slice:
			items := schema["items"].(map[string]any)
			if whole, ok := items["else"].(map[string]any); ok { // or else a reference to one
				items = whole
			}
			if goType.Elem().Kind() == reflect.Struct {
				walk(path+"[]", goType.Elem(), items)
			}
		case goType.Kind() == reflect.Struct && schemaKind(goType) == "object":
			compareMembers(t, path, goType, schema, walk)
		}
	}
	walk("report", reflect.TypeFor[Report](), root)
	for name := range definitions {
		used := seen[name] || strings.Contains(string(Schema), `"#/$defs/`+name+`"`)
		if !used {
			t.Errorf("the schema defines %s, which nothing uses", name)
		}
	}
	for name, values := range map[string][]string{"outcome": texts(Outcomes), "verdict": texts(verdicts)} {
		var listed []string
		for _, v := range definitions[name].(map[string]any)["enum"].([]any) {
			listed = append(listed, v.(string))
		}
		slices.Sort(listed)
		if slices.Sort(values); !slices.Equal(listed, values) {
			t.Errorf("%s is %v in the schema, %v in Go", name, listed, values)
		}
	}
}

func compareMembers(t *testing.T, path string, goType reflect.Type, schema map[string]any,
	walk func(string, reflect.Type, map[string]any)) {
	properties := schema["properties"].(map[string]any)
	var required, known []string
	for i := range goType.NumField() {
		f := goType.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%s.%s has no name in JSON", path, f.Name)
			continue
		}
		if options == "" {
			required = append(required, name)
		}
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("the schema lacks %s.%s", path, name)
			continue
		}
		known = append(known, name)
		walk(path+"."+name, f.Type, property)
	}
	for name := range properties {
		if !slices.Contains(known, name) {
			t.Errorf("the schema has %s.%s, which the model lacks", path, name)
		}
	}
	listed := []string{}
	for _, name := range schema["required"].([]any) {
		listed = append(listed, name.(string))
	}
	slices.Sort(listed)
	if slices.Sort(required); !slices.Equal(listed, required) {
		t.Errorf("%s requires %v in the schema, %v in Go", path, listed, required)
	}
}

func schemaKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Struct:
		if t.String() == "time.Time" {
			return "string"
		}
	}
	return "object"
}

func texts[T ~string](list []T) []string {
	var made []string
	for _, v := range list {
		made = append(made, string(v))
	}
	return made
}

func TestReadTakesWhatWriteWrote(t *testing.T) {
	for name, r := range map[string]*Report{"sample": sample(), "poisoned": poisoned()} {
		read, err := Read(bytes.NewReader(jsonOf(t, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var first, second any
		if err := errors.Join(json.Unmarshal(jsonOf(t, r), &first), json.Unmarshal(jsonOf(t, read), &second)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: written again, it differs", name)
		}
	}
}

func TestReadRefusesInOneClearMessage(t *testing.T) {
	whole := string(jsonOf(t, sample()))
	change := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "the report is empty"},
		{"cut off", whole[:len(whole)/2], "the report is cut off"},
		{"cut off by a byte", strings.TrimSpace(whole)[:len(strings.TrimSpace(whole))-1], "the report is cut off"},
		{"HTML", "<!DOCTYPE html>", "this is no emaconform report: invalid character"},
		{"two reports", whole + whole, "this is no emaconform report: invalid character"},
		{"other JSON", `{"ok":true}`, "it has no schema_version"},
		{"a JSON list", `[]`, "this is no emaconform report"},
		{"another version", change(`"schema_version": "2"`, `"schema_version": "3"`), `schema version "3"`},
		{"unknown outcome", change(`"outcome": "fail"`, `"outcome": "great"`), "at /"},
		{"wrong type", change(`"seconds": 4.317`, `"seconds": "long"`), "at /seconds"},
		{"no checks", change(`"checks":`, `"cheques":`), "checks"},
		{"a check twice", change(`"id": "RAS-AUD-EXACT/null"`, `"id": "RAS-AUD-EXACT/missing"`), "twice"},
		{"a requirement twice", change(`"id": "RS-AUD"`, `"id": "RAS-EXP"`), "twice"},
		{"a flipped outcome", strings.Replace(change(`"outcome": "warn"`, `"outcome": "pass"`), `"warn": 2`,
			`"warn": 1`, 1), "the report was changed"},
		{"another message", change("saw invalid_request.", "saw nothing."),
			`check "RAS-AUD-EXACT/case-changed": it was changed`},
		{"another count", change(`"fail": 3`, `"fail": 2`), "its counts of role ras are not those of its checks"},
		{"another target", strings.ReplaceAll(whole, `"url": "https://mcp.acme.example/mcp",
  "res`, `"url": "https://other.example/mcp",
  "res`), "no exchange in it went there"},
		{"another profile", change(`"profile": "ema"`, `"profile": "id-jag"`), "of the rest: it was changed"},
		{"other coverage", change(`"judged": 54`, `"judged": 60`), `it says "Judged 60 of`},
		{"another cause", change(`"outcome": "fail",`, `"outcome": "fail", "cause": "X",`), "is said to follow from"},
		{"a polished verdict", change(`"verdict": "not conformant"`, `"verdict": "conformant"`), "the report was changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want one that says %q", err, c.want)
			}
			if len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is not one short line: %v", err)
			}
		})
	}
}

func TestReadIsBounded(t *testing.T) {
	_, err := read(strings.NewReader(fmt.Sprintf(`{"x":"%s"}`, strings.Repeat("a", 2<<20))), 1<<20)
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error is %v", err)
	}
}
