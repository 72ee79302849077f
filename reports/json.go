package reports

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Schema is the JSON Schema (2020-12) of the JSON report, published at SchemaURL.
//
//go:embed schema/report-v2.schema.json
var Schema []byte

// firstSchema describes version 1, which is still read.
//
//go:embed schema/report-v1.schema.json
var firstSchema []byte

const firstVersion = "1"

// maxReport bounds a stored report that Read takes, in bytes. A run makes 10 MB at most.
const maxReport = 256 << 20

// WriteJSON writes the report as JSON, described by Schema, with a seal of each result and of the whole.
func WriteJSON(w io.Writer, r *Report) error {
	raw, err := marshal(r)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	indented.Grow(2 * len(raw))
	if err := json.Indent(&indented, raw, "", " "); err != nil {
		return err
	}
	indented.WriteByte('\n')
	_, err = w.Write(indented.Bytes())
	return err
}

// Read reads a report that WriteJSON wrote, of this version or of version 1, so that it can be rendered again. It
// returns one error, fit to be shown, when the input is no complete report, or when its parts do not fit together: a
// result that is not as the run wrote it, a verdict or a count that does not follow from the results. The report that
// it returns is of this version.
func Read(in io.Reader) (*Report, error) { return read(in, maxReport) }

func read(in io.Reader, limit int64) (*Report, error) {
	data, err := new(room).read(in, limit)
	if err != nil {
		return nil, err
	}
	return parse(data)
}

// read reads a stored report.
func (r *room) read(in io.Reader, limit int64) ([]byte, error) {
	r.stored.Reset()
	if file, ok := in.(*os.File); ok { // whose size is known
		if info, err := file.Stat(); err == nil && info.Size() <= limit {
			r.stored.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	if _, err := r.stored.ReadFrom(io.LimitReader(in, limit+1)); err != nil {
		return nil, fmt.Errorf("the report cannot be read: %w", err)
	}
	data := r.stored.Bytes()
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("this is no report: it is larger than %d MiB", limit>>20)
	}
	return data, nil
}

func parse(data []byte) (*Report, error) {
	version, err := versionOf(data)
	if err != nil {
		return nil, err
	}
	r, err := decode(data, version)
	if err != nil {
		return nil, err
	}
	if err := fits(r, version, hostsOf(r)); err != nil {
		return nil, fmt.Errorf("the report was changed: %w", err)
	}
	if version != firstVersion {
		if err := checkSeals(data); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// decode reads what has to follow the schema of a version.
func decode(data []byte, version string) (*Report, error) {
	if !json.Valid(data) {
		return nil, notJSON(data, json.Unmarshal(data, new(any)))
	}
	r := &Report{}
	err := follows(data, version)
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err == nil {
		err = unique(r)
	}
	if err == nil {
		err = expand(r, data)
	}
	if err != nil {
		return nil, fmt.Errorf("the report does not follow its schema: %w", err)
	}
	return r, nil
}

// versionOf reads up to the version of the schema, which stands at the beginning of what we write.
func versionOf(data []byte) (string, error) {
	var version *string
	in := json.NewDecoder(bytes.NewReader(data))
	start, err := in.Token()
	for err == nil && start == json.Delim('{') && in.More() && version == nil {
		var name json.Token
		if name, err = in.Token(); err != nil {
			break
		}
		var value json.RawMessage
		if err = in.Decode(&value); err == nil && name == "schema_version" {
			err = json.Unmarshal(value, &version)
		}
	}
	switch {
	case err != nil:
		return "", notJSON(data, err)
	case version == nil:
		return "", errors.New("this is no emaconform report: it has no schema_version")
	case *version != SchemaVersion && *version != firstVersion:
		return "", fmt.Errorf("the report has schema version %.20q, this program reads versions %s and %s: "+
			"use the version of emaconform that wrote it", *version, firstVersion, SchemaVersion)
	}
	return *version, nil
}

func notJSON(data []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the report is empty")
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.EOF):
		return fmt.Errorf("the report is cut off: it ends after %d bytes in the middle of its JSON", len(data))
	default:
		return fmt.Errorf("this is no emaconform report: %w", err)
	}
}

// follows checks the report against the schema of its version and names the first thing that is wrong.
func follows(data []byte, version string) error {
	schema := compiled
	if version == firstVersion {
		schema = compiledFirst
	}
	return schema().Check(data)
}

var (
	compiled      = sync.OnceValue(func() *Form { return CompileSchema(Schema) })
	compiledFirst = sync.OnceValue(func() *Form { return CompileSchema(firstSchema) })
)

// unique checks what a JSON Schema cannot say: ids of requirements and checks are names in every other format.
func unique(r *Report) error {
	seen := map[string]bool{}
	once := func(what, id string) error {
		if seen[id] {
			return fmt.Errorf("%s %.120q stands in it twice", what, id)
		}
		seen[id] = true
		return nil
	}
	for _, q := range r.Requirements {
		if err := once("requirement", q.ID); err != nil {
			return err
		}
	}
	for _, c := range r.Checks {
		if err := once("check", c.ID); err != nil {
			return err
		}
	}
	for _, c := range r.NotRun {
		if err := once("check", c.ID); err != nil {
			return err
		}
	}
	return nil
}
