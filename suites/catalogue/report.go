package catalogue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/reports"
)

// Version is the version of the catalogue. The first number changes when a requirement is added, removed or demands
// more, so that a target may be judged differently; the second when only words change.
const Version = "2.0"

// Digest is "sha256:" and the digest of the embedded files: equal digests are equal catalogues.
var Digest = sync.OnceValue(func() string {
	sum := sha256.New()
	var names []string
	for _, pattern := range []string{"*.yaml", "sentences/*.yaml"} {
		found, err := fs.Glob(files, pattern) // sorted
		if err != nil {
			panic("catalogue: " + err.Error())
		}
		names = append(names, found...)
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			panic("catalogue: " + err.Error())
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(data))
		sum.Write(data)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
})

// Report is the requirement as the report of a run by this profile shows it, not yet judged.
func (r Requirement) Report(profile string) reports.Requirement {
	var levels []reports.Level
	for _, p := range Profiles {
		levels = append(levels, reports.Level{Profile: p, Level: r.LevelIn(p)})
	}
	return reports.Requirement{
		ID: r.ID, Role: r.Role, Level: r.LevelIn(profile), Levels: levels, Title: r.Title, Says: r.Says,
		Reading: r.Reading, Sources: r.Sources,
		Why: r.Why, Fix: r.Fix, Severity: r.Severity, SeverityWhy: r.SeverityWhy, Untestable: r.Untestable,
	}
}

// Causes lists the requirements and checks from whose failure the failure of this check follows; nil when it stands for
// itself.
func Causes(requirement, check string) []string {
	r, ok := Find(requirement)
	if !ok {
		return nil
	}
	slug := strings.TrimPrefix(check, requirement+"/")
	var causes []string
	for _, pattern := range slices.Sorted(maps.Keys(r.Follows)) {
		if fits, err := path.Match(pattern, slug); err == nil && fits {
			causes = append(causes, r.Follows[pattern]...)
		}
	}
	return causes
}

// Matches reports whether one of the ids fits one of the patterns, in which * and ? match anything within a part, in
// any case; without patterns every id does.
func Matches(patterns []string, ids ...string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		for _, id := range ids {
			if ok, err := path.Match(strings.ToLower(p), strings.ToLower(id)); err == nil && ok {
				return true
			}
		}
	}
	return false
}
