package reports

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
	"github.com/emaconform/emaconform/reports/files"
)

// BaselineFile is a list of results that are expected, so that they do not gate. It lets a job adopt the suite before
// its target is conformant, and shows when the list can shrink.
type BaselineFile struct {
	Path    string
	Digest  string // of the file
	Entries []BaselineEntry
}

// BaselineEntry is one expected result.
type BaselineEntry struct {
	Check   string  `yaml:"check"`             // id of a check, or of a requirement: then all its checks
	Outcome Outcome `yaml:"outcome,omitempty"` // fail, warn or inconclusive; empty: any of these
	Reason  string  `yaml:"reason"`            // why it is expected, in one line
}

// expectable are the outcomes that can be expected.
var expectable = []Outcome{Fail, Inconclusive, Warn}

// LoadBaseline reads a baseline: a YAML list of entries. An unknown key, a missing reason or an entry that stands in it
// twice is an error that names the line.
func LoadBaseline(path string) (*BaselineFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the baseline %s: %w", path, files.Reason(err))
	}
	b := &BaselineFile{Path: path, Digest: Digest(data)}
	err = yamlfile.Guard(data, func() error { return b.read(data) })
	if problem := yamlfile.Problem(""); errors.As(err, &problem) {
		return nil, fmt.Errorf("baseline %s: %w", path, problem)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (b *BaselineFile) read(data []byte) error {
	fail := func(line int, err error) error { return fmt.Errorf("baseline %s, line %d: %w", b.Path, line, err) }
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return fail(yamlError(err, 1))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.CommentType {
		return nil
	}
	list, ok := file.Docs[0].Body.(*ast.SequenceNode)
	if !ok || len(file.Docs) > 1 {
		return fail(1, errors.New("expected one list of entries, each with the keys check and reason"))
	}
	lines := map[string]int{}
	for _, node := range list.Values {
		at := node.GetToken().Position.Line
		var e BaselineEntry
		if err := yaml.NodeToValue(node, &e, yaml.Strict()); err != nil {
			return fail(yamlError(err, at))
		}
		if err := e.validate(); err != nil {
			return fail(at, err)
		}
		if first, twice := lines[e.Check]; twice {
			return fail(at, fmt.Errorf("%s is on the list already, in line %d", e.Check, first))
		}
		lines[e.Check] = at
		b.Entries = append(b.Entries, e)
	}
	return nil
}

func yamlError(err error, line int) (int, error) {
	var y yaml.Error
	if !errors.As(err, &y) {
		return line, err
	}
	line = y.GetToken().Position.Line
	var mismatch *yaml.TypeError
	if errors.As(err, &mismatch) {
		return line, errors.New("check, outcome and reason take one plain value each")
	}
	return line, errors.New(y.GetMessage())
}

func (e BaselineEntry) validate() error {
	switch {
	case e.Check == "":
		return errors.New("the entry has no check: give the id of a check or requirement")
	case strings.TrimSpace(e.Reason) == "":
		return fmt.Errorf("%s has no reason: say in one line why it is expected", e.Check)
	case strings.Contains(strings.TrimSpace(e.Reason), "\n"):
		return fmt.Errorf("the reason of %s has several lines: one is enough", e.Check)
	case e.Outcome != "" && !slices.Contains(expectable, e.Outcome):
		return fmt.Errorf("outcome %q of %s cannot be expected: choose fail, warn or inconclusive, or leave it out",
			e.Outcome, e.Check)
	}
	return nil
}

// covers reports whether the entry speaks of this check.
func (e BaselineEntry) covers(c Check) bool { return e.Check == c.ID || e.Check == c.Requirement }

// expects reports whether the entry lists what this check found.
func (e BaselineEntry) expects(c Check) bool {
	return e.covers(c) && slices.Contains(expectable, c.Outcome) && (e.Outcome == "" || e.Outcome == c.Outcome)
}

// Apply marks the results that the baseline expects and sets the report's Baseline. Verdicts do not change: what is
// broken stays broken, it only does not gate.
func (b *BaselineFile) Apply(r *Report) {
	result := &Baseline{File: b.Path, Digest: b.Digest}
	for i := range r.Checks {
		c := &r.Checks[i]
		c.Expected = b.reason(*c)
		switch {
		case c.Expected != "":
			result.Matched = append(result.Matched, c.ID)
		case c.Outcome == Fail || c.Outcome == Inconclusive:
			result.Unexpected = append(result.Unexpected, c.ID)
		}
	}
	for _, e := range b.Entries {
		switch state := e.state(r); {
		case state == better:
			result.Stale = append(result.Stale, e.Check)
		case state == absent && r.Selection == "" && r.Ended == "":
			result.Unknown = append(result.Unknown, e.Check)
		}
	}
	r.Baseline = result
}

// reason is why this check's result is expected, or "". An entry for the check goes before one for its requirement.
func (b *BaselineFile) reason(c Check) string {
	found := ""
	for _, e := range b.Entries {
		if e.expects(c) && (found == "" || e.Check == c.ID) {
			found = strings.TrimSpace(e.Reason)
		}
	}
	return found
}

// The states of an entry against a run.
const (
	needed = iota // a check that it covers still ends as badly, or cannot be told
	better        // every check that it covers and that ran does better than the entry says
	absent        // it names nothing of this run
)

func (e BaselineEntry) state(r *Report) int {
	limit := slices.Index(Outcomes, Warn) // without an outcome, whatever is no pass is as bad as expected
	if e.Outcome != "" {
		limit = slices.Index(Outcomes, e.Outcome)
	}
	ran, known := 0, false
	for _, c := range r.Checks {
		if !e.covers(c) {
			continue
		}
		known = true
		if c.Outcome == Skip {
			continue
		}
		if c.Outcome == Inconclusive || slices.Index(Outcomes, c.Outcome) <= limit {
			return needed
		}
		ran++
	}
	for _, q := range r.Requirements {
		known = known || q.ID == e.Check
	}
	switch {
	case !known:
		return absent
	case ran == 0:
		return needed
	default:
		return better
	}
}

const baselineHead = `# Expected results of emaconform: what is listed here does not gate.
#   check    id of a check, or of a requirement for all its checks
#   outcome  fail, warn or inconclusive; without it, any of these
#   reason   why it is expected, in one line
`

// WriteBaseline writes a baseline that lists everything in the report that failed, warned or proved nothing. A reason
// that a baseline gave before is kept; the others begin as the check's message, to be replaced by the true reason.
func WriteBaseline(w io.Writer, r *Report) error {
	entries := []BaselineEntry{}
	for _, c := range r.Checks {
		if !slices.Contains(expectable, c.Outcome) {
			continue
		}
		why := line(c.Expected)
		if why == "" {
			why = cut(line(cmp.Or(c.Message, c.Title)), 160)
		}
		entries = append(entries, BaselineEntry{Check: c.ID, Outcome: c.Outcome, Reason: why})
	}
	var text bytes.Buffer
	text.WriteString(baselineHead)
	if len(entries) > 0 {
		list, err := yaml.Marshal(entries)
		if err != nil {
			return err
		}
		text.Write(list)
	}
	_, err := w.Write(text.Bytes())
	return err
}
