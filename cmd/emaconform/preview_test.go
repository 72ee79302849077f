package main

import (
	"strings"
	"testing"

	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
)

// What only open proposals ask for is judged by the preview alone, which names the proposal.
func TestProposalsAreJudgedByThePreviewAlone(t *testing.T) {
	previews := map[string]bool{}
	for _, c := range check.AllIn(catalogue.ProfileNext) {
		if c.Preview() {
			previews[c.ID] = true
			if c.Level == catalogue.None || !strings.Contains(c.Title, "proposed only: ") {
				t.Errorf("%s: level %s, %q", c.ID, c.Level, c.Title)
			}
		}
	}
	for _, want := range []string{"RAS-MTLS-BOUND/no-certificate", "RS-DPOP/old-proof", "RAS-ACCESS-DENIED/disabled",
		"IDP-POLICY/access-denied", "IDP-RESP/resource", "CL-RESP-RESOURCE/token"} {
		if !previews[want] {
			t.Errorf("%s is no preview", want)
		}
	}
	for _, profile := range []string{catalogue.ProfileEMA, catalogue.ProfileHardened, catalogue.ProfileIDJAG} {
		for _, c := range check.AllIn(profile) {
			if previews[c.ID] {
				t.Errorf("%s is judged in profile %s", c.ID, profile)
			}
		}
	}
}
