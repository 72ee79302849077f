package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The elements of SARIF 2.1.0 (OASIS) that code scanning reads. A rule is a requirement, a result is a check.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string         `json:"id"`
		Short      sarifText      `json:"shortDescription"`
		Full       sarifText      `json:"fullDescription"`
		Help       sarifText      `json:"help"`
		HelpURI    string         `json:"helpUri,omitempty"`
		Properties map[string]any `json:"properties"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// findings maps the outcomes that somebody has to look at to the levels of SARIF and of CI annotations.
var findings = map[Outcome]string{Fail: "error", Warn: "warning", Inconclusive: "note"}

// scores are the numbers by which code scanning sorts, from 0.1 to 10; they are those of CVSS's bands.
var scores = map[Severity]string{"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}

// WriteSARIF writes what failed, warned or could not be decided as SARIF 2.1.0, for code scanning. Such findings need a
// place in the repository: at is the file that they are shown at, relative to its root, such as the configuration of
// the run. What a baseline expects is suppressed, with the reason given there.
func WriteSARIF(w io.Writer, r *Report, at string) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{
		Name: r.Tool.Name, Version: cmp.Or(r.Tool.Version, "unknown"), URI: "https://github.com/emaconform/emaconform",
	}}, Results: []sarifResult{}}
	used := map[string]bool{}
	for _, c := range r.Checks {
		level, found := findings[c.Outcome]
		if !found {
			continue
		}
		used[c.Requirement] = true
		result := sarifResult{
			Rule: c.Requirement, Level: level, Message: sarifText{Text: c.finding()},
			Locations:    []sarifLocation{{sarifPhysical{sarifArtifact{at}, sarifRegion{1}}}},
			Fingerprints: map[string]string{"check/v1": c.ID},
		}
		if c.Expected != "" {
			result.Suppressions = []sarifSuppression{{"external", c.Expected}}
		}
		run.Results = append(run.Results, result)
	}
	for _, q := range r.Requirements {
		if used[q.ID] {
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, q.rule())
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func (q Requirement) rule() sarifRule {
	rule := sarifRule{
		ID: q.ID, Short: sarifText{Text: cmp.Or(q.Title, q.ID)}, Full: sarifText{Text: q.Says},
		Help:       sarifText{Text: q.help()},
		Properties: map[string]any{"tags": []string{"security", q.Role}},
	}
	if len(q.Sources) > 0 {
		rule.HelpURI = q.Sources[0].URL
	}
	if score := scores[q.Severity]; score != "" {
		rule.Properties["security-severity"] = score
	}
	return rule
}

// help is why the requirement matters, how to fix it, and where it is written down.
func (q Requirement) help() string {
	var parts []string
	for _, p := range []struct{ title, text string }{{"Why", q.Why}, {"Fix", q.Fix}} {
		if p.text != "" {
			parts = append(parts, p.title+": "+p.text)
		}
	}
	for _, s := range q.Sources {
		parts = append(parts, strings.TrimSpace(s.Document+" "+s.Section)+" "+s.URL)
	}
	return cmp.Or(strings.Join(parts, "\n"), q.Says)
}

// finding is a check's result in a sentence that can stand alone.
func (c Check) finding() string {
	message := c.Message
	if message == "" && len(c.Warnings) > 0 {
		message = strings.Join(c.Warnings, "; ")
	}
	return fmt.Sprintf("%s: %s. %s", c.ID, strings.TrimSuffix(c.Title, "."), message)
}

// WriteAnnotations writes the same findings as workflow commands of GitHub Actions, which show them at a file of the
// repository. A runner shows ten of each level, so what is worst comes first and the rest is counted.
func WriteAnnotations(w io.Writer, r *Report, at string) error {
	commands := map[Outcome]string{Fail: "error", Warn: "warning", Inconclusive: "notice"}
	for _, outcome := range []Outcome{Fail, Warn, Inconclusive} {
		const most = 9
		shown, more := 0, 0
		for _, c := range r.Checks {
			if c.Outcome != outcome || c.Expected != "" {
				continue
			}
			if shown == most {
				more++
				continue
			}
			shown++
			_, err := fmt.Fprintf(w, "::%s file=%s,line=1,title=%s::%s\n",
				commands[outcome], property(at), property(c.Requirement+" ("+c.Level+")"), data(c.finding()))
			if err != nil {
				return err
			}
		}
		if more > 0 {
			if _, err := fmt.Fprintf(w, "::%s file=%s,line=1,title=emaconform::%d more; see the job's summary\n",
				commands[outcome], property(at), more); err != nil {
				return err
			}
		}
	}
	return nil
}

// data and property escape what stands behind and in a workflow command.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s))
}
