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
	result := &Result{Made: now.UTC(), Connectors: make([]Judged, len(f.Connectors))}
	var group errgroup.Group
	group.SetLimit(readers)
	for i, k := range f.Connectors {
		group.Go(func() error {
			j := Judged{Name: k.Name, URL: k.Config.URL, Verdict: NotJudged, Problem: "there is no report"}
			var since time.Time
			if maxAge > 0 {
				since = now.Add(-maxAge)
			}
			for _, dir := range directories {
				j.take(filepath.Join(dir, k.Name, "report.json"), since)
			}
			j.attempts()
			result.Connectors[i] = j
			return nil
		})
	}
	return result, group.Wait()
}

// take reads a report, if it is there and ended after since, and keeps it when it is newer.
func (j *Judged) take(path string, since time.Time) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	r, err := reports.ReadResults(file)
	switch {
	case err != nil:
		if j.Verdict == NotJudged {
			j.Problem = err.Error()
		}
		return
	case r.Target.Name != j.Name || j.URL != "" && r.Target.URL != j.URL:
		if j.Verdict == NotJudged {
			j.Problem = fmt.Sprintf("the report in its place is of another connector (%.60s, %.200s)", r.Target.Name,
				r.Target.URL)
		}
		return
	case r.Finished.Before(since):
		if j.Verdict == NotJudged {
			j.Problem = "its report is too old: it is of " + r.Finished.UTC().Format("2006-01-02 15:04 MST")
		}
		return
	}
	j.Attempts = append(j.Attempts, Attempt{r.Finished.UTC(), r.Verdict})
	if !r.Finished.After(j.Finished) {
		return
	}
	j.Verdict, j.Problem, j.Finished, j.Counts, j.Coverage = r.Verdict, r.Problem, r.Finished.UTC(), r.Counts(), r.Coverage
	j.Seconds, j.Profile = r.Seconds, r.Profile
	j.Failed, j.Requirements = nil, map[string]reports.Outcome{}
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
