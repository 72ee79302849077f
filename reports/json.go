package reports

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is the JSON Schema (2020-12) of the JSON report, published at SchemaURL.
//
//go:embed schema/report-v1.schema.json
var Schema []byte

// maxReport bounds a stored report that Read takes, in bytes. The largest runs make some 20 MiB.
const maxReport = 256 << 20

// WriteJSON writes the report as JSON, described by Schema.
func WriteJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Read reads a report that WriteJSON wrote, so that it can be rendered again. It returns one error, fit to be shown,
// when the input is no complete report of this version, or when its verdict does not follow from its checks.
func Read(in io.Reader) (*Report, error) { return read(in, maxReport) }

func read(in io.Reader, limit int64) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("the report cannot be read: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("this is no report: it is larger than %d MiB", limit>>20)
	}
	var version struct {
		SchemaVersion *string `json:"schema_version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, notJSON(data, err)
	}
	if version.SchemaVersion == nil {
		return nil, errors.New("this is no emaconform report: it has no schema_version")
	}
	if *version.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("the report has schema version %.20q, this program reads version %s: "+
			"use the version of emaconform that wrote it", *version.SchemaVersion, SchemaVersion)
	}
	var r Report
	err = follows(data)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err == nil {
		err = unique(&r)
	}
	if err != nil {
		return nil, fmt.Errorf("the report does not follow its schema: %w", err)
	}
	stored := r.Verdict
	if Finish(&r); r.Verdict != stored {
		return nil, fmt.Errorf("the report was changed: it says %q, but its checks amount to %q", stored, r.Verdict)
	}
	return &r, nil
}

func notJSON(data []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the report is empty")
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)):
		return fmt.Errorf("the report is cut off: it ends after %d bytes in the middle of its JSON", len(data))
	default:
		return fmt.Errorf("this is no emaconform report: %w", err)
	}
}

// follows checks the decoded report against Schema and names the first thing that is wrong.
func follows(data []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	var invalid *jsonschema.ValidationError
	if err := compiled().Validate(value); !errors.As(err, &invalid) {
		return err
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	what := invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return fmt.Errorf("at /%s: %.300s", visible(strings.Join(invalid.InstanceLocation, "/")), visible(what))
}

var compiled = sync.OnceValue(func() *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		panic("reports: the embedded schema is not JSON: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(SchemaURL, document); err != nil {
		panic("reports: " + err.Error())
	}
	return c.MustCompile(SchemaURL)
})

// unique checks what a JSON Schema cannot say: ids of requirements and checks are names in every other format.
func unique(r *Report) error {
	seen := map[string]bool{}
	for _, q := range r.Requirements {
		if seen[q.ID] {
			return fmt.Errorf("requirement %.120q stands in it twice", q.ID)
		}
		seen[q.ID] = true
	}
	for _, c := range r.Checks {
		if seen[c.ID] {
			return fmt.Errorf("check %.120q stands in it twice", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}
