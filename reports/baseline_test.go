package reports

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func baselineFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "baseline.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadBaseline(t *testing.T) {
	b, err := LoadBaseline(baselineFile(t, "# ours\n- check: R/1\n  outcome: fail\n  reason: 'known: #7'\n"+
		"- {check: R, reason: all}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []BaselineEntry{{"R/1", Fail, "known: #7"}, {"R", "", "all"}}
	if !reflect.DeepEqual(b.Entries, want) {
		t.Errorf("entries are %+v", b.Entries)
	}
	for _, empty := range []string{"", "# nothing yet\n", "[]\n"} {
		if b, err := LoadBaseline(baselineFile(t, empty)); err != nil || len(b.Entries) != 0 {
			t.Errorf("%q: %v, %v", empty, b, err)
		}
	}
}

func TestLoadBaselineRefusesWithTheLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "- check: a\n  reason: b\n  because: c\n", `line 3: unknown field "because"`},
		{"no reason", "- check: a\n  reason: b\n- check: c\n", "line 3: c has no reason"},
		{"blank reason", "- check: a\n  reason: ' '\n", "line 1: a has no reason"},
		{"long reason", "- check: a\n  reason: |\n    one\n    two\n", "line 1: the reason of a has several lines"},
		{"no check", "- reason: b\n", "line 1: the entry has no check"},
		{"twice", "- check: a\n  reason: b\n- check: a\n  reason: c\n", "line 3: a is on the list already, in line 1"},
		{"pass", "- check: a\n  outcome: pass\n  reason: b\n", `line 1: outcome "pass" of a cannot be expected`},
		{"key twice", "- check: a\n  check: b\n  reason: c\n", `line 2: mapping key "check" already defined`},
		{"wrong type", "- check: a\n  reason: [b]\n", "line 2: check, outcome and reason take one plain value each"},
		{"no list", "check: a\n", "line 1: expected one list of entries"},
		{"two documents", "- {check: a, reason: b}\n---\n- {check: c, reason: d}\n", "expected one list"},
		{"not YAML", "- check: [a\n", "line 1: "},
		{"an entry that is a word", "- a\n", "line 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := LoadBaseline(baselineFile(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that says %q", err, c.want)
			} else if strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("error has several lines: %v", err)
			}
		})
	}
	if _, err := LoadBaseline("/no/such.yaml"); err == nil || !strings.Contains(err.Error(), "/no/such.yaml") {
		t.Errorf("error for a missing file is %v", err)
	}
}

func TestApplyBaseline(t *testing.T) {
	for _, c := range []struct {
		name     string
		outcomes []Outcome // of R/0, R/1, …
		entries  []BaselineEntry
		want     Baseline
		exit     int
		strict   int
	}{
		{"listed failure", []Outcome{Pass, Fail}, []BaselineEntry{{"R/1", "", "x"}},
			Baseline{Matched: []string{"R/1"}}, 0, 0},
		{"another failure", []Outcome{Fail, Fail}, []BaselineEntry{{"R/1", "", "x"}},
			Baseline{Matched: []string{"R/1"}, Unexpected: []string{"R/0"}}, 1, 1},
		{"whole requirement", []Outcome{Pass, Fail, Inconclusive, Warn}, []BaselineEntry{{"R", "", "x"}},
			Baseline{Matched: []string{"R/1", "R/2", "R/3"}}, 0, 0},
		{"worse than listed", []Outcome{Pass, Fail}, []BaselineEntry{{"R/1", Warn, "x"}},
			Baseline{Unexpected: []string{"R/1"}}, 1, 1},
		{"better than listed", []Outcome{Pass, Warn}, []BaselineEntry{{"R/1", Fail, "x"}},
			Baseline{Stale: []string{"R/1"}}, 0, 1},
		{"passes now", []Outcome{Pass, Pass}, []BaselineEntry{{"R/1", "", "x"}}, Baseline{Stale: []string{"R/1"}}, 0, 1},
		{"skipped now", []Outcome{Pass, Skip}, []BaselineEntry{{"R/1", "", "x"}}, Baseline{}, 0, 0},
		{"inconclusive now", []Outcome{Pass, Inconclusive}, []BaselineEntry{{"R/1", Fail, "x"}},
			Baseline{Unexpected: []string{"R/1"}}, 3, 3},
		{"names nothing", []Outcome{Pass}, []BaselineEntry{{"R/9", "", "x"}}, Baseline{Unknown: []string{"R/9"}}, 0, 1},
		{"unlisted warning", []Outcome{Pass, Warn}, nil, Baseline{}, 0, 1},
		{"everything is expected to fail", []Outcome{Fail}, []BaselineEntry{{"R/0", "", "x"}},
			Baseline{Matched: []string{"R/0"}}, 0, 0},
		{"nothing passed", []Outcome{Skip}, nil, Baseline{}, 3, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sampleWith(c.outcomes...)
			verdict := r.Verdict
			(&BaselineFile{Path: "b.yaml", Entries: c.entries}).Apply(r)
			c.want.File = "b.yaml"
			if !reflect.DeepEqual(*r.Baseline, c.want) {
				t.Errorf("baseline is %+v, want %+v", *r.Baseline, c.want)
			}
			if got := r.ExitCode(false); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			if got := r.ExitCode(true); got != c.strict {
				t.Errorf("strict exit code %d, want %d", got, c.strict)
			}
			if Finish(r); r.Verdict != verdict {
				t.Errorf("the baseline turned the verdict from %q to %q", verdict, r.Verdict)
			}
		})
	}
}

func TestBaselineDoesNotExcuseAnEarlyEnd(t *testing.T) {
	r := sampleWith(Fail)
	r.Ended = "time limit"
	Finish(r)
	(&BaselineFile{Entries: []BaselineEntry{{"R/0", "", "x"}, {"R/7", "", "not reached"}}}).Apply(r)
	if r.ExitCode(false) != ExitInconclusive {
		t.Errorf("exit code %d", r.ExitCode(false))
	}
	if len(r.Baseline.Unknown) > 0 {
		t.Errorf("checks that the run did not reach are called unknown: %v", r.Baseline.Unknown)
	}
}

func TestEntryForACheckGoesBeforeItsRequirement(t *testing.T) {
	r := sampleWith(Fail, Fail)
	(&BaselineFile{Entries: []BaselineEntry{{"R/1", "", "this one"}, {"R", "", "all"}}}).Apply(r)
	if r.Checks[0].Expected != "all" || r.Checks[1].Expected != "this one" {
		t.Errorf("reasons are %q and %q", r.Checks[0].Expected, r.Checks[1].Expected)
	}
}

func TestWrittenBaselineExpectsItsReport(t *testing.T) {
	hostile := sampleWith(Pass, Fail, Warn, Inconclusive)
	for i := range hostile.Checks {
		hostile.Checks[i].Message = poison[i:]
	}
	for name, r := range map[string]*Report{"sample": sample(), "hostile": hostile, "clean": sampleWith(Pass)} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			if err := WriteBaseline(&text, r); err != nil {
				t.Fatal(err)
			}
			b, err := LoadBaseline(baselineFile(t, text.String()))
			if err != nil {
				t.Fatal(err)
			}
			b.Apply(r)
			if n := len(r.Baseline.Unexpected) + len(r.Baseline.Stale) + len(r.Baseline.Unknown); n > 0 {
				t.Errorf("%+v", r.Baseline)
			}
			if r.ExitCode(true) != ExitConformant {
				t.Errorf("exit code %d", r.ExitCode(true))
			}
		})
	}
}

func TestWrittenBaselineKeepsReasons(t *testing.T) {
	r := sampleWith(Pass, Fail, Fail)
	r.Checks[2].Message = "Expected a refusal.\nSaw 200."
	(&BaselineFile{Entries: []BaselineEntry{{"R/1", "", "fixed in release 4"}}}).Apply(r)
	var text strings.Builder
	if err := WriteBaseline(&text, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"reason: fixed in release 4", "reason: Expected a refusal. Saw 200."} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
}
