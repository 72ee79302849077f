package reports

import (
	"slices"
	"testing"
)

func TestVerdictOfARole(t *testing.T) {
	for _, c := range []struct {
		name     string
		outcomes []Outcome
		ended    string
		want     Verdict
		exit     int
		strict   int
	}{
		{"all pass", []Outcome{Pass, Pass}, "", Conformant, 0, 0},
		{"skips beside passes", []Outcome{Pass, Skip}, "", Conformant, 0, 0},
		{"a warning", []Outcome{Pass, Warn}, "", ConformantWithWarnings, 0, 1},
		{"a failure", []Outcome{Pass, Fail, Inconclusive}, "", NotConformant, 1, 1},
		{"an inconclusive check", []Outcome{Pass, Inconclusive, Warn}, "", NoVerdict, 3, 3},
		{"only skips", []Outcome{Skip, Skip}, "", NoVerdict, 3, 3},
		{"only warnings", []Outcome{Warn}, "", NoVerdict, 3, 3},
		{"nothing ran", nil, "", NoVerdict, 3, 3},
		{"interrupted while all passed", []Outcome{Pass, Pass}, "interrupted", NoVerdict, 3, 3},
		{"interrupted after a failure", []Outcome{Pass, Fail}, "interrupted", NotConformant, 1, 1},
		{"ended in the preflight", nil, "preflight", NoVerdict, 3, 3},
		{"an outcome that does not exist", []Outcome{Pass, ""}, "", NoVerdict, 3, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sampleWith(c.outcomes...)
			r.Ended = c.ended
			Finish(r)
			if r.Verdict != c.want {
				t.Errorf("verdict %q, want %q", r.Verdict, c.want)
			}
			if got := r.ExitCode(false); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			if got := r.ExitCode(true); got != c.strict {
				t.Errorf("strict exit code %d, want %d", got, c.strict)
			}
		})
	}
}

func TestVerdictOfARunIsTheWorstOfItsRoles(t *testing.T) {
	check := func(role string, o Outcome) Check { return Check{ID: role + string(o), Role: role, Outcome: o} }
	for _, c := range []struct {
		checks []Check
		want   Verdict
	}{
		{[]Check{check("rs", Pass), check("ras", Pass)}, Conformant},
		{[]Check{check("rs", Pass), check("ras", Pass), check("ras", Warn)}, ConformantWithWarnings},
		{[]Check{check("rs", Skip), check("ras", Pass), check("ras", Warn)}, NoVerdict},
		{[]Check{check("rs", Skip), check("ras", Fail)}, NotConformant},
	} {
		got, roles := Judge(c.checks, true)
		if got != c.want {
			t.Errorf("%v: verdict %q, want %q", c.checks, got, c.want)
		}
		if roles[0].Role != "ras" || roles[1].Role != "rs" {
			t.Errorf("roles stand in the order %s, %s", roles[0].Role, roles[1].Role)
		}
	}
}

func TestOutcomeOfARequirement(t *testing.T) {
	for _, c := range []struct {
		outcomes []Outcome
		want     Outcome
	}{
		{[]Outcome{Pass, Fail, Inconclusive}, Fail},
		{[]Outcome{Pass, Inconclusive, Warn}, Inconclusive},
		{[]Outcome{Pass, Warn, Skip}, Warn},
		{[]Outcome{Pass, Skip}, Pass},
		{[]Outcome{Skip}, Skip},
		{nil, ""},
	} {
		if got := sampleWith(c.outcomes...).Requirements[0].Outcome; got != c.want {
			t.Errorf("%v: outcome %q, want %q", c.outcomes, got, c.want)
		}
	}
}

func TestRunWithoutChecksStillNamesItsRoles(t *testing.T) {
	r := sampleWith()
	if len(r.Roles) != 1 || r.Roles[0].Role != "ras" || r.Roles[0].Verdict != NoVerdict {
		t.Errorf("roles are %+v", r.Roles)
	}
}

func TestFinishTwiceIsFinishOnce(t *testing.T) {
	once, twice := jsonOf(t, sample()), sample()
	Finish(twice)
	if !slices.Equal(once, jsonOf(t, twice)) {
		t.Error("a second Finish changed the report")
	}
}
