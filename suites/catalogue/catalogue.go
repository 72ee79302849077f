// Package catalogue holds what the specifications demand of each role, in our own words: one YAML file a role, and
// documents.yaml with the texts that they cite, all embedded. Checks cite entries by id; reports and explain show them.
package catalogue

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/emaconform/emaconform/reports"
)

// Requirement is one demand on one role.
type Requirement struct {
	ID   string `yaml:"id"` // stable, e.g. "RAS-AUD-EXACT"
	Role string `yaml:"-"`  // ras, rs, client or idp; from the file that it stands in
	// Level is the strictest level that it has in any profile: MUST, SHOULD or MAY (judged only when the feature is
	// offered; then its rules bind). LevelIn says which it has in one.
	Level string `yaml:"level"`
	// Levels are the levels in profiles where that does not follow from the documents; the reading says why.
	Levels map[string]string `yaml:"levels"`
	Title  string            `yaml:"title"` // a few words, for tables
	Says   string            `yaml:"says"`  // the demand, in a sentence or two

	Sources []reports.Source `yaml:"-"` // where it is written down
	// Test says how it can be judged: observe (from outside), config (something must be configured in the target),
	// attended (needs a person or a hook), no (cannot be seen from outside).
	Test string `yaml:"test"`
	// Severity is what an attacker gains when it is broken; SeverityWhy says it in a sentence.
	Severity    reports.Severity `yaml:"severity"`
	SeverityWhy string           `yaml:"severity_why"`
	// Follows names, for checks by their slug (* and ? match), the requirements and checks whose failure makes them
	// fail, too: they are then shown under their cause.
	Follows map[string][]string `yaml:"follows"`

	Try        []string `yaml:"try"`        // adversarial inputs; "->" gives the answer expected
	Why        string   `yaml:"why"`        // what goes wrong when it is broken
	Fix        string   `yaml:"fix"`        // how to fix an implementation that breaks it
	Untestable string   `yaml:"untestable"` // for test "no": the reason
	Reading    string   `yaml:"reading"`    // where documents disagree: the reading taken, and why
}

// Roles lists the roles in the order of the catalogue.
var Roles = []string{"ras", "rs", "client", "idp"}

//go:embed *.yaml sentences/*.yaml
var files embed.FS

var load = sync.OnceValue(func() []Requirement {
	all, err := read(files)
	if err != nil {
		panic("catalogue: " + err.Error())
	}
	return all
})

var loadDocuments = sync.OnceValue(func() library {
	docs, err := readDocuments(files)
	if err != nil {
		panic("catalogue: " + err.Error())
	}
	return docs
})

// All returns every requirement, role by role, in the order of the files. It panics when the embedded files are broken,
// which a test of this package rules out; so do Find and ForRole.
func All() []Requirement { return append([]Requirement(nil), load()...) }

// ForRole returns the requirements of one role, in the order of its file.
func ForRole(role string) []Requirement {
	var list []Requirement
	for _, r := range load() {
		if r.Role == role {
			list = append(list, r)
		}
	}
	return list
}

// Find returns the requirement of this id.
func Find(id string) (Requirement, bool) {
	for _, r := range load() {
		if r.ID == id {
			return r, true
		}
	}
	return Requirement{}, false
}

// read reads the files of all roles.
func read(files fs.FS) ([]Requirement, error) {
	docs, err := readDocuments(files)
	if err != nil {
		return nil, err
	}
	var all []Requirement
	for _, role := range Roles {
		entries, err := decode[entry](files, role+".yaml")
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			r, err := e.requirement(role, docs)
			if err != nil {
				return nil, fmt.Errorf("%s.yaml: %s: %w", role, e.ID, err)
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// decode reads a list from a YAML file; a key that T does not have is an error.
func decode[T any](files fs.FS, name string) ([]T, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var list []T
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}
