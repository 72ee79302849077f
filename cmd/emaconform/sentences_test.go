package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
)

// profileOf is the profile that holds a document.
var profileOf = map[string]string{"EMA proposal": catalogue.ProfileHardened, "ID-JAG draft-04": catalogue.ProfileIDJAG,
	"RFC 8725": catalogue.ProfileHardened, "RFC 9700": catalogue.ProfileHardened,
	"ID-JAG pull 88": catalogue.ProfileNext, "ID-JAG pull 112": catalogue.ProfileNext,
	"ID-JAG pull 118": catalogue.ProfileNext, "ID-JAG pull 123": catalogue.ProfileNext, "SEP-1932": catalogue.ProfileNext}

const asked = "how a client takes a challenge shows in what it asks for, and the order in which it chooses that " +
	"is a SHOULD"

// softened are MUSTs that nothing fails for, each with the reason.
var softened = map[string]string{
	"MCP 2025-11-25 §Authorization Code Protection 7": "PKCE of the login belongs to OpenID " +
		"Connect, and no IdP has to be an MCP authorization server",
	"MCP 2026-07-28 §Authorization Code Protection 7":                      "the same",
	"MCP 2025-11-25 §Protected Resource Metadata Discovery Requirements 5": asked,
	"MCP 2025-11-25 §Protected Resource Metadata Discovery Requirements 6": asked,
	"MCP 2026-07-28 §Scope Selection Strategy 3":                           asked,
	"MCP 2026-07-28 §Scope Selection Strategy 4":                           asked,
	"MCP 2026-07-28 §Refresh Tokens 4": "what a client assumes shows in what it " +
		"does without one, and no text says what that is",
}

// A sentence that says MUST is judged by a check that fails, by one of a feature that may be left out, or by none for a
// reason.
func TestMustSentencesAreJudged(t *testing.T) {
	levels := map[string][]string{}
	for _, p := range catalogue.Profiles {
		for _, k := range check.AllIn(p) {
			levels[p+" "+k.Requirement.ID] = append(levels[p+" "+k.Requirement.ID], k.Level)
		}
	}
	for _, s := range catalogue.Sentences() {
		if len(s.By) == 0 || !strings.HasPrefix(s.Word, "MUST") && s.Word != "REQUIRED" {
			continue
		}
		profile := profileOf[s.Document]
		if profile == "" {
			profile = catalogue.ProfileEMA
		}
		judged := slices.ContainsFunc(s.By, func(id string) bool {
			r, _ := catalogue.Find(id)
			return r.Untestable != "" || r.Reading != "" || slices.Contains(levels[profile+" "+id], "MUST") ||
				slices.Contains(levels[profile+" "+id], "MAY") // of a feature: its rules bind where it is offered
		})
		place := fmt.Sprintf("%s §%s %d", s.Document, s.At, s.N)
		if !judged && softened[place] == "" {
			t.Errorf("%s says %s, and nothing that carries it (%s) fails in profile %s", place, s.Word,
				strings.Join(s.By, ", "), profile)
		}
	}
}

func TestListOfSentencesAndRequirements(t *testing.T) {
	t.Parallel()
	for args, wants := range map[string][]string{
		"list --requirements --role rs":       {"HARDENED", "RS-401", "checks", "RS-NO-PASSTHROUGH"},
		"list --sentences EMA":                {"KEY WORD", "RAS-AT-AUDIENCE (3 checks)", "carried by requirements"},
		"list --sentences --role rs --json":   {`"document": "MCP 2025-11-25"`, `"by": [`},
		"list --sentences draft-04":           {"9.8.1", "none: no interface for protected discovery"},
		"list --sentences draft-04 --role rs": nil,
	} {
		var out bytes.Buffer
		code := execute(t.Context(), strings.Fields(args), &out, &out)
		if (code == exitConformant) != (wants != nil) {
			t.Errorf("%s: exit code %d", args, code)
		}
		for _, want := range wants {
			if !strings.Contains(unwrapped(out.String()), want) {
				t.Errorf("%s: %q is missing", args, want)
			}
		}
	}
}

// A check fails only where a sentence says MUST: one that its requirement carries and that stands in a document of the
// profile, where all documents are indexed; or a reading says why it fails all the same.
func TestFailuresStandOnSentences(t *testing.T) {
	t.Parallel()
	demanded, indexed := map[string]bool{}, map[string]bool{}
	for _, s := range catalogue.Sentences() {
		indexed[s.Document] = true
		if !slices.Contains([]string{"MUST", "MUST NOT", "REQUIRED", "SHALL", "SHALL NOT", "none"}, s.Word) {
			continue
		}
		for _, profile := range catalogue.Profiles {
			if catalogue.Beyond(profile, []reports.Source{{Document: s.Document}}) == "" {
				for _, id := range s.By {
					demanded[profile+" "+id] = true
				}
			}
		}
	}
	for _, profile := range catalogue.Profiles {
		for _, k := range check.AllIn(profile) {
			read := k.Requirement.Reading != "" || slices.ContainsFunc(k.Basis(), func(s reports.Source) bool {
				return !indexed[s.Document]
			})
			if k.Level == "MUST" && !read && !demanded[profile+" "+k.Requirement.ID] {
				t.Errorf("%s fails in profile %s, and no sentence that %s carries says MUST", k.ID, profile, k.Requirement.ID)
			}
		}
	}
}
