package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
)

// The profiles: each is a set of documents that its verdicts stand on.
const (
	ProfileEMA      = "ema"      // EMA as published, the base draft, the RFCs that they build on, MCP: the default
	ProfileHardened = "hardened" // the security text that is proposed for EMA, RFC 8725 and RFC 9700 as well
	ProfileIDJAG    = "id-jag"   // the base draft and the RFCs alone
	ProfileNext     = "next"     // what open proposals would change, as well
)

// Profiles lists the profiles, the default first.
var Profiles = []string{ProfileEMA, ProfileHardened, ProfileIDJAG, ProfileNext}

// None is the level of what a profile does not judge.
const None = "none"

// strictness orders the levels.
var strictness = []string{None, "MAY", "SHOULD", "MUST"}

// Weaker returns the weaker of two levels.
func Weaker(a, b string) string {
	if slices.Index(strictness, a) < slices.Index(strictness, b) {
		return a
	}
	return b
}

// LevelIn is how much the requirement weighs in a profile.
func (r Requirement) LevelIn(profile string) string {
	if level, stated := r.Levels[profile]; stated {
		return level
	}
	return LevelOf(profile, r.Level, r.Sources)
}

// LevelOf is how much a demand of these sources, which has this level there, weighs in a profile. It weighs all of it
// when one of the sources is a document of the profile. What only documents of the profile hardened ask for is a SHOULD
// in the profile ema, which warns and says so. Everything else that is beyond a profile is nothing in it.
func LevelOf(profile, level string, sources []reports.Source) string {
	switch {
	case slices.ContainsFunc(sources, func(s reports.Source) bool { return holds(profile, s) }):
		return level
	case profile == ProfileEMA && slices.ContainsFunc(sources, func(s reports.Source) bool {
		return holds(ProfileHardened, s)
	}):
		return Weaker(level, "SHOULD")
	}
	return None
}

// Beyond says in a few words who alone makes a demand that no document of the profile makes, "" when one does.
func Beyond(profile string, sources []reports.Source) string {
	if slices.ContainsFunc(sources, func(s reports.Source) bool { return holds(profile, s) }) {
		return ""
	}
	var names []string
	for _, s := range sources {
		name := s.Document
		if d := loadDocuments()[s.Document]; d.Proposal != "" {
			name = d.Proposal
		}
		names = append(names, fmt.Sprintf("%s, section %s", name, s.Section))
	}
	return strings.Join(names, "; ")
}

// holds reports whether a profile's verdicts stand on the document of this source.
func holds(profile string, s reports.Source) bool {
	d := loadDocuments()[s.Document]
	return len(d.Profiles) == 0 || slices.Contains(d.Profiles, profile)
}

// Cite is the source that a citation, "NAME §SECTION", stands for. A citation of no known document or section is an
// error.
func Cite(citation string) (reports.Source, error) { return loadDocuments().cite(citation) }
