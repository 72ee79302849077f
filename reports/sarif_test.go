package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestSARIFHasAResultForEachFinding(t *testing.T) {
	r := withBaseline()
	var out bytes.Buffer
	if err := WriteSARIF(&out, r, "ci/ema.yaml"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	rules := map[string]sarifRule{}
	for _, rule := range log.Runs[0].Tool.Driver.Rules {
		rules[rule.ID] = rule
	}
	results := map[string]sarifResult{}
	for _, result := range log.Runs[0].Results {
		results[result.Fingerprints["check/v1"]] = result
		if _, known := rules[result.Rule]; !known {
			t.Errorf("result of %s, for which there is no rule", result.Rule)
		}
		if at := result.Locations[0].Physical.Artifact.URI; at != "ci/ema.yaml" {
			t.Errorf("a finding at %q", at)
		}
	}
	for _, c := range r.Checks {
		result, has := results[c.ID]
		level, want := map[Outcome]string{Fail: "error", Warn: "warning", Inconclusive: "note"}[c.Outcome]
		switch {
		case has != want:
			t.Errorf("%s (%s): result %v, expected %v", c.ID, c.Outcome, has, want)
		case has && result.Level != level:
			t.Errorf("%s (%s): level %s", c.ID, c.Outcome, result.Level)
		case has && (len(result.Suppressions) > 0) != (c.Expected != ""):
			t.Errorf("%s: suppressed %v, expected by the baseline: %q", c.ID, result.Suppressions, c.Expected)
		}
	}
	if len(results) == 0 {
		t.Error("the sample has findings")
	}
}

func TestAnnotationsAreOneLineEachAndBounded(t *testing.T) {
	r := sample()
	failed := r.Checks[0]
	failed.Outcome, failed.Title, failed.Expected = Fail, "refuses 100%", ""
	failed.Message = "first line\nsecond, line: ::error::forged"
	r.Checks = nil
	for range 12 {
		r.Checks = append(r.Checks, failed)
	}
	var out bytes.Buffer
	if err := WriteAnnotations(&out, r, "a,b.yaml"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 10 {
		t.Fatalf("%d lines, expected nine and one that counts the rest:\n%s", len(lines), &out)
	}
	want := "::error file=a%2Cb.yaml,line=1,title=" + failed.Requirement + " (" + failed.Level + ")::" + failed.ID +
		": refuses 100%25. first line%0Asecond, line: ::error::forged"
	if lines[0] != want {
		t.Errorf("saw      %s\nexpected %s", lines[0], want)
	}
	if !strings.Contains(lines[9], "3 more") {
		t.Errorf("last line: %s", lines[9])
	}
}
