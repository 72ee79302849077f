package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/emaconform/emaconform/reports"
)

// NotJudged is the verdict on a connector without a report.
const NotJudged reports.Verdict = "not judged"

// Result is what the reports of a fleet amount to.
type Result struct {
	Made       time.Time `json:"made"`
	Connectors []Judged  `json:"connectors"`        // in the order of the fleet
	Since      time.Time `json:"since,omitzero"`    // of the earlier result that Changes compares with
	Changes    []Change  `json:"changes,omitempty"` // in the order of the fleet
}

// Judged is a connector's result.
type Judged struct {
	Name     string                  `json:"name"`
	URL      string                  `json:"url"`
	Verdict  reports.Verdict         `json:"verdict"`
	Problem  string                  `json:"problem,omitempty"` // why it was not judged, or has no verdict
	Finished time.Time               `json:"finished,omitzero"`
	Seconds  float64                 `json:"seconds,omitempty"`
	Profile  string                  `json:"profile,omitempty"`
	Counts   map[reports.Outcome]int `json:"counts,omitempty"`
	Coverage reports.Coverage        `json:"coverage,omitzero"`
	Failed   []string                `json:"failed,omitempty"`
	// Requirements has the outcome of each requirement that has one.
	Requirements map[string]reports.Outcome `json:"requirements,omitempty"`
	// Attempts are the runs whose reports were found, oldest first, where there are several. The last one counts.
	Attempts []Attempt `json:"attempts,omitempty"`
	Flaps    bool      `json:"flaps,omitempty"` // attempts came to different verdicts
}

// Attempt is one of several runs against a connector.
type Attempt struct {
	Finished time.Time       `json:"finished"`
	Verdict  reports.Verdict `json:"verdict"`
}

// Change is what is otherwise than in an earlier result.
type Change struct {
	Name   string          `json:"name"`
	Was    reports.Verdict `json:"was,omitempty"` // "" of a connector that is new
	Is     reports.Verdict `json:"is,omitempty"`  // "" of one that is no more in the fleet
	Failed []string        `json:"failed,omitempty"`
	Fixed  []string        `json:"fixed,omitempty"`
}

// readers is how many reports are read at a time; each needs a few times its size.
const readers = 2

// Merge reads the report of each connector from these directories: the newest, where several shards have one. A report
// that is missing, cannot be read, is another connector's, or ended longer than maxAge ago (0: any age will do), makes
// the connector not judged.
func Merge(f *Fleet, directories []string, now time.Time, maxAge time.Duration) (*Result, error) {
	for _, dir := range directories {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("there is no directory %s", dir)
		}
	}
	var since time.Time
	if maxAge > 0 {
		since = now.Add(-maxAge)
	}
	found := make([][]stored, len(f.Connectors))
	var group errgroup.Group
	group.SetLimit(readers)
	for i, k := range f.Connectors {
		found[i] = make([]stored, len(directories))
		for n, dir := range directories {
			group.Go(func() error {
				found[i][n] = read(k, filepath.Join(dir, k.Name, "report.json"), since)
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	result := &Result{Made: now.UTC(), Connectors: make([]Judged, len(f.Connectors))}
	for i, k := range f.Connectors {
		result.Connectors[i] = newest(k, found[i])
	}
	return result, nil
}

// stored is what there is of a connector in one directory: a result, or why there is none; neither without a report.
type stored struct {
	result  *Judged
	problem string
}

// read reads a report, if it is there and ended after since.
func read(k Connector, path string, since time.Time) stored {
	file, err := os.Open(path)
	if err != nil {
		return stored{}
	}
	defer file.Close()
	r, err := reports.ReadResults(file)
	switch {
	case err != nil:
		return stored{problem: err.Error()}
	case r.Target.Name != k.Name || k.Config.URL != "" && r.Target.URL != k.Config.URL:
		return stored{problem: fmt.Sprintf("the report in its place is of another connector (%.60s, %.200s)", r.Target.Name,
			r.Target.URL)}
	case r.Finished.Before(since):
		return stored{problem: "its report is too old: it is of " + r.Finished.UTC().Format("2006-01-02 15:04 MST")}
	}
	j := &Judged{Name: k.Name, URL: k.Config.URL, Verdict: r.Verdict, Problem: r.Problem, Finished: r.Finished.UTC(),
		Counts: r.Counts(), Coverage: r.Coverage, Seconds: r.Seconds, Profile: r.Profile,
		Requirements: map[string]reports.Outcome{}}
	for _, c := range r.Checks {
		if c.Outcome == reports.Fail && c.Expected == "" {
			j.Failed = append(j.Failed, c.ID)
		}
	}
	for _, q := range r.Requirements {
		if q.Outcome != "" {
			j.Requirements[q.ID] = q.Outcome
		}
	}
	return stored{result: j}
}

// newest is the result of the run that ended last, of those in all directories.
func newest(k Connector, all []stored) Judged {
	j := Judged{Name: k.Name, URL: k.Config.URL, Verdict: NotJudged, Problem: "there is no report"}
	var attempts []Attempt
	for _, s := range all {
		switch {
		case s.result != nil:
			attempts = append(attempts, Attempt{s.result.Finished, s.result.Verdict})
			if s.result.Finished.After(j.Finished) {
				j = *s.result
			}
		case s.problem != "" && j.Verdict == NotJudged:
			j.Problem = s.problem
		}
	}
	j.Attempts = attempts
	j.attempts()
	return j
}

// attempts says what several runs came to.
func (j *Judged) attempts() {
	if len(j.Attempts) < 2 {
		j.Attempts = nil
		return
	}
	slices.SortFunc(j.Attempts, func(a, b Attempt) int { return a.Finished.Compare(b.Finished) })
	for _, a := range j.Attempts {
		j.Flaps = j.Flaps || a.Verdict != j.Verdict
	}
}

// ReadResult reads a result that Write wrote; nil when there is no such file.
func ReadResult(path string) (*Result, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the earlier result: %w", err)
	}
	r := &Result{}
	if err := json.Unmarshal(raw, r); err != nil || r.Made.IsZero() {
		return nil, fmt.Errorf("%s is no result of a fleet: expected the fleet.json of a merge", path)
	}
	return r, nil
}

// Compare fills in what changed since an earlier result.
func (r *Result) Compare(earlier *Result) {
	r.Since = earlier.Made
	before := map[string]Judged{}
	for _, k := range earlier.Connectors {
		before[k.Name] = k
	}
	for _, k := range r.Connectors {
		old, was := before[k.Name]
		delete(before, k.Name)
		c := Change{Name: k.Name, Was: old.Verdict, Is: k.Verdict}
		if was && k.Verdict != NotJudged && old.Verdict != NotJudged {
			c.Failed, c.Fixed = without(k.Failed, old.Failed), without(old.Failed, k.Failed)
		}
		if c.Was != c.Is || len(c.Failed)+len(c.Fixed) > 0 {
			r.Changes = append(r.Changes, c)
		}
	}
	for _, k := range earlier.Connectors {
		if _, gone := before[k.Name]; gone {
			r.Changes = append(r.Changes, Change{Name: k.Name, Was: k.Verdict})
		}
	}
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

// ExitCode is 1 when a connector is not conformant, 3 when one has no verdict, else 0.
func (r *Result) ExitCode() int {
	code := reports.ExitConformant
	for _, k := range r.Connectors {
		switch k.Verdict {
		case reports.NotConformant:
			return reports.ExitNotConformant
		case reports.NoVerdict, NotJudged:
			code = reports.ExitInconclusive
		}
	}
	return code
}
