package fleet

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/files"
	"github.com/emaconform/emaconform/reports/junit"
)

// TrendSQL reads a file of trends with the sqlite3 command.
//
//go:embed trend.sql
var TrendSQL []byte

// verdicts, best first.
var verdicts = []reports.Verdict{
	reports.Conformant, reports.ConformantWithWarnings, reports.NotConformant, reports.NoVerdict, NotJudged,
}

// Write writes fleet.json, fleet.md, fleet.html and junit.xml to dir, OpenMetrics to metrics and a line to trend, where
// those are named; beside trend goes trend.sql, which reads it.
func (r *Result) Write(dir, metrics, trend string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	suites, err := r.junit()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	contents := map[string][]byte{"fleet.json": append(raw, '\n'), "fleet.md": []byte(r.markdown()), "fleet.html": page,
		"junit.xml": suites}
	for name, content := range contents {
		if err := files.Write(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	if metrics != "" {
		if err := files.Write(metrics, []byte(r.openMetrics())); err != nil {
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
	b.WriteString("## emaconform: fleet\n\n")
	for _, s := range r.Summary() {
		b.WriteString(s + "\n")
	}
	b.WriteString("\n| Connector | Verdict | Failed | Judged | Finished |\n|:--|:--|--:|--:|:--|\n")
	for _, k := range r.Connectors {
		fmt.Fprintf(&b, "| %s | %s | %d | %d of %d | %s |\n", k.Name, k.Said(), len(k.Failed), k.Coverage.Judged,
			k.Coverage.Checks, day(k.Finished))
	}
	if r.Since.IsZero() {
		return b.String()
	}
	fmt.Fprintf(&b, "\n### Changed since %s\n\n", day(r.Since))
	if len(r.Changes) == 0 {
		b.WriteString("Nothing.\n")
	}
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "- **%s**: %s\n", c.Name, c)
	}
	return b.String()
}

// Summary says in a sentence or two how the fleet stands.
func (r *Result) Summary() []string {
	n, flapping := map[reports.Verdict]int{}, []string{}
	for _, k := range r.Connectors {
		n[k.Verdict]++
		if k.Flaps {
			flapping = append(flapping, k.Name)
		}
	}
	var parts []string
	for _, v := range verdicts {
		if n[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[v], v))
		}
	}
	list := []string{fmt.Sprintf("%d connectors: %s.", len(r.Connectors), strings.Join(parts, ", "))}
	if len(flapping) > 0 {
		list = append(list, fmt.Sprintf("Another verdict at each attempt: %s.", strings.Join(flapping, ", ")))
	}
	return list
}

// Said is the verdict, and what has to be known about it.
func (j Judged) Said() string {
	if j.Flaps {
		return fmt.Sprintf("%s (flaps: %d attempts)", j.Verdict, len(j.Attempts))
	}
	return string(j.Verdict)
}

// String says what changed.
func (c Change) String() string {
	switch {
	case c.Was == "":
		return "new, " + string(c.Is)
	case c.Is == "":
		return "no more in the fleet"
	}
	text := string(c.Is)
	if c.Was != c.Is {
		text = fmt.Sprintf("%s, was %s", c.Is, c.Was)
	}
	if len(c.Failed) > 0 {
		text += "; fails now: " + strings.Join(c.Failed, ", ")
	}
	if len(c.Fixed) > 0 {
		text += "; fails no more: " + strings.Join(c.Fixed, ", ")
	}
	return text
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
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
		for _, v := range verdicts {
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

// A night of the trend, as a line of JSON.
type (
	night struct {
		Made       time.Time    `json:"made"`
		Connectors []nightEntry `json:"connectors"`
	}
	nightEntry struct {
		Name    string          `json:"name"`
		Verdict reports.Verdict `json:"verdict"`
		Failed  int             `json:"failed"`
		Judged  int             `json:"judged"`
		Checks  int             `json:"checks"`
	}
)

// addTrend adds a line for this night.
func (r *Result) addTrend(path string) error {
	n := night{Made: r.Made}
	for _, k := range r.Connectors {
		n.Connectors = append(n.Connectors, nightEntry{k.Name, k.Verdict, len(k.Failed), k.Coverage.Judged,
			k.Coverage.Checks})
	}
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot add to the trend: %w", err)
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("cannot add to the trend: %w", err)
	}
	return files.Write(filepath.Join(filepath.Dir(path), "trend.sql"), TrendSQL)
}

// junit has a suite for each connector, with a case for each requirement.
func (r *Result) junit() ([]byte, error) {
	all := junit.Report{Name: "emaconform fleet"}
	requirements := r.requirements()
	for _, k := range r.Connectors {
		all.Add(k.junit(requirements))
	}
	var b bytes.Buffer
	err := all.Write(&b)
	return append(b.Bytes(), '\n'), err
}

func (j Judged) junit(requirements []string) junit.Suite {
	s := junit.Suite{Name: j.Name, Time: fmt.Sprintf("%.3f", j.Seconds)}
	if !j.Finished.IsZero() {
		s.Timestamp = j.Finished.Format(junit.Timestamps)
	}
	class := "emaconform.fleet." + strings.ReplaceAll(j.Name, ".", "_")
	verdict := junit.Case{Class: class, Name: "verdict"}
	if j.Verdict == NotJudged || j.Verdict == reports.NoVerdict {
		verdict.Error = &junit.Result{Message: strings.TrimSuffix(string(j.Verdict)+": "+j.Problem, ": ")}
	}
	s.Add(verdict)
	for _, id := range requirements {
		outcome, ok := j.Requirements[id]
		if !ok {
			continue
		}
		c := junit.Case{Class: class, Name: id}
		switch outcome {
		case reports.Fail:
			c.Failure = &junit.Result{Message: "failed: " + strings.Join(j.failedOf(id), ", ")}
		case reports.Inconclusive:
			c.Error = &junit.Result{Message: "inconclusive"}
		case reports.Skip:
			c.Skipped = &junit.Result{Message: "skipped"}
		}
		s.Add(c)
	}
	return s
}

// failedOf lists the failed checks of a requirement.
func (j Judged) failedOf(requirement string) []string {
	var list []string
	for _, id := range j.Failed {
		if strings.HasPrefix(id, requirement+"/") {
			list = append(list, id)
		}
	}
	return list
}
