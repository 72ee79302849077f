package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// For each way of comparing names there is a lawful server that takes what is sent: one that makes accounts just in
// time, for which another spelling is another person. Other ways have none: URLs are compared character by character
// (RFC 3986 section 6.2.1), and what is no date, or no JWT, is none to anybody.
func TestEachWayOfComparingNamesHasALawfulServer(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite against a target")
	}
	t.Parallel()
	l, err := roles.LawfulOf("server")
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Judge(t.Context(), []string{"just-in-time"}, []string{"RAS-SUB/sub-*", "RAS-ACCOUNT-LINK/email-*"})
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for _, c := range report.Checks {
		if c.Outcome == reports.Fail {
			t.Errorf("%s fails for accounts that are made just in time: %s", c.ID, c.Message)
		}
		if slices.ContainsFunc(c.Notes, func(note string) bool { return strings.Contains(note, "made just in time") }) {
			for _, label := range c.Labels {
				taken[label] = true
			}
		}
	}
	const others = grammar.URL | grammar.Date | grammar.JWS | grammar.Digits
	for _, w := range grammar.Ways() {
		if w.For&others == 0 && !taken["way:"+w.ID] {
			t.Errorf("no lawful server takes what is sent to find whether names are compared %s", w.Title)
		}
	}
}
