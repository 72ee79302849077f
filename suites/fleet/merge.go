package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
)

// NotJudged is the verdict on a connector without a report.
const NotJudged reports.Verdict = "not judged"

// Result is what the reports of a fleet amount to.
type Result struct {
	Made       time.Time `json:"made"`
	Connectors []Judged  `json:"connectors"` // in the order of the fleet file
}

// Judged is a connector's result.
type Judged struct {
	Name     string                  `json:"name"`
	URL      string                  `json:"url"`
	Verdict  reports.Verdict         `json:"verdict"`
	Problem  string                  `json:"problem,omitempty"` // why it was not judged, or has no verdict
	Finished time.Time               `json:"finished,omitzero"`
	Counts   map[reports.Outcome]int `json:"counts,omitempty"`
	Coverage reports.Coverage        `json:"coverage,omitzero"`
	Failed   []string                `json:"failed,omitempty"`
}

// Merge reads the report of each connector from these directories: the newest, where several shards have one. A report that
// is missing, cannot be read, or is another connector's, makes the connector not judged. Reports are read one at a time.
func Merge(f *Fleet, directories []string, now time.Time) (*Result, error) {
	for _, dir := range directories {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("there is no directory %s", dir)
		}
	}
	result := &Result{Made: now.UTC()}
	for _, k := range f.Connectors {
		j := Judged{Name: k.Name, URL: k.Config.URL, Verdict: NotJudged, Problem: "there is no report"}
		for _, dir := range directories {
			j.take(filepath.Join(dir, k.Name, "report.json"))
		}
		result.Connectors = append(result.Connectors, j)
	}
	return result, nil
}

// take reads a report, if it is there, and keeps it when it is newer.
func (j *Judged) take(path string) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	r, err := reports.Read(file)
	switch {
	case err != nil:
		if j.Verdict == NotJudged {
			j.Problem = err.Error()
		}
		return
	case r.Target.Name != j.Name || j.URL != "" && r.Target.URL != j.URL:
		if j.Verdict == NotJudged {
			j.Problem = fmt.Sprintf("the report in its place is of another connector (%.60s, %.200s)", r.Target.Name, r.Target.URL)
		}
		return
	case !r.Finished.After(j.Finished):
		return
	}
	j.Verdict, j.Problem, j.Finished, j.Counts, j.Coverage = r.Verdict, r.Problem, r.Finished.UTC(), r.Counts(), r.Coverage
	j.Failed = nil
	for _, c := range r.Checks {
		if c.Outcome == reports.Fail && c.Expected == "" {
			j.Failed = append(j.Failed, c.ID)
		}
	}
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

// Write writes fleet.json and fleet.md to dir, OpenMetrics to metrics and a line to trend, where those are named.
func (r *Result) Write(dir, metrics, trend string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := reports.WriteFile(filepath.Join(dir, "fleet.json"), append(raw, '\n')); err != nil {
		return err
	}
	if err := reports.WriteFile(filepath.Join(dir, "fleet.md"), []byte(r.markdown())); err != nil {
		return err
	}
	if metrics != "" {
		if err := reports.WriteFile(metrics, []byte(r.openMetrics())); err != nil {
			return err
		}
	}
	if trend == "" {
		return nil
	}
	return r.addTrend(trend)
}

func (r *Result) markdown() string {
	var b strings.Builder
	b.WriteString("## emaconform: fleet\n\n| Connector | Verdict | Failed | Judged | Finished |\n|:--|:--|--:|--:|:--|\n")
	for _, k := range r.Connectors {
		finished := ""
		if !k.Finished.IsZero() {
			finished = k.Finished.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d of %d | %s |\n", k.Name, k.Verdict, len(k.Failed), k.Coverage.Judged, k.Coverage.Checks, finished)
	}
	return b.String()
}

// openMetrics is the result for a textfile collector or a push gateway. A check is no label: there are hundreds.
func (r *Result) openMetrics() string {
	var b strings.Builder
	family := func(name, help string, sample func(Judged)) {
		fmt.Fprintf(&b, "# TYPE %s gauge\n# HELP %s %s\n", name, name, help)
		for _, k := range r.Connectors {
			sample(k)
		}
	}
	family("emaconform_verdict", "1 for the verdict that the connector has.", func(k Judged) {
		for _, v := range []reports.Verdict{reports.Conformant, reports.ConformantWithWarnings, reports.NotConformant, reports.NoVerdict, NotJudged} {
			is := 0
			if k.Verdict == v {
				is = 1
			}
			fmt.Fprintf(&b, "emaconform_verdict{connector=%q,verdict=%q} %d\n", k.Name, v, is)
		}
	})
	family("emaconform_checks", "Checks by outcome.", func(k Judged) {
		for _, o := range reports.Outcomes {
			if k.Counts != nil {
				fmt.Fprintf(&b, "emaconform_checks{connector=%q,outcome=%q} %d\n", k.Name, o, k.Counts[o])
			}
		}
	})
	family("emaconform_last_run_timestamp_seconds", "When the connector was last judged.", func(k Judged) {
		if !k.Finished.IsZero() {
			fmt.Fprintf(&b, "emaconform_last_run_timestamp_seconds{connector=%q} %d\n", k.Name, k.Finished.Unix())
		}
	})
	return b.String() + "# EOF\n"
}

// addTrend adds a line for this night.
func (r *Result) addTrend(path string) error {
	verdicts := map[string]reports.Verdict{}
	for _, k := range r.Connectors {
		verdicts[k.Name] = k.Verdict
	}
	line, err := json.Marshal(map[string]any{"made": r.Made, "verdicts": verdicts})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	return err
}
