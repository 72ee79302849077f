package main

import (
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// What only the proposed text asks for warns in the profile ema and names the proposal, fails in hardened, and is not
// judged by the base draft.
func TestProfilesJudgeAReplayByTheirOwnTexts(t *testing.T) {
	for profile, want := range map[string]reports.Outcome{
		"ema": reports.Warn, "hardened": reports.Fail, "id-jag": reports.Skip, "next": reports.Fail,
	} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			reference := &demo.Target{Defects: []string{"replay-unchecked"}}
			defer reference.Close()
			options := run.Options{
				Config: &target.Config{}, Profile: profile, Selection: engine.Selection{Checks: []string{"RAS-JTI-REPLAY/twice"}},
			}
			if err := reference.Configure(&options); err != nil {
				t.Fatal(err)
			}
			report, err := run.Run(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			got := report.Checks[0]
			if got.Outcome != want {
				t.Errorf("outcome %s (%s), expected %s", got.Outcome, got.Message, want)
			}
			if named := strings.Contains(got.Message, "pull request 12"); named != (want == reports.Warn ||
				want == reports.Skip) {
				t.Errorf("the message names the proposal: %t: %s", named, got.Message)
			}
		})
	}
}
