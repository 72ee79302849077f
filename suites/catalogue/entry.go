package catalogue

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/emaconform/emaconform/reports"
)

// entry is a requirement as the YAML files write it.
type entry struct {
	Requirement `yaml:",inline"`

	Src []string `yaml:"src"` // citations, e.g. "EMA §7.4.2"
}

// document is a text that entries cite; see documents.yaml.
type document struct {
	Name     string   `yaml:"name"`
	Title    string   `yaml:"title"`
	Revision string   `yaml:"revision"` // of the text that was read: a commit, a number, an edition
	Date     string   `yaml:"date"`     // of that revision
	Proposal string   `yaml:"proposal"` // for a text that is only proposed: what it is called
	Profiles []string `yaml:"profiles"` // whose verdicts stand on it; none: all
	// Unindexed says why its sentences are not in the index, of a document of which they are not.
	Unindexed string            `yaml:"unindexed"`
	URL       string            `yaml:"url"`
	Sections  map[string]string `yaml:"sections"` // section → what follows the URL
	Anchor    string            `yaml:"anchor"`   // for documents without sections; {} stands for the section's number
}

type library map[string]document

func readDocuments(files fs.FS) (library, error) {
	list, err := decode[document](files, "documents.yaml")
	if err != nil {
		return nil, err
	}
	docs := library{}
	for _, d := range list {
		docs[d.Name] = d
	}
	return docs, nil
}

// cite turns "NAME §SECTION" into a source with its URL.
func (l library) cite(citation string) (reports.Source, error) {
	name, section, ok := strings.Cut(citation, " §")
	d, known := l[name]
	if !ok || !known {
		return reports.Source{}, fmt.Errorf("%q is no citation of a known document: write \"NAME §SECTION\"", citation)
	}
	s := reports.Source{Document: name, Section: section, URL: d.URL, Revision: d.Revision, Date: d.Date}
	if d.Sections == nil {
		s.URL += strings.ReplaceAll(d.Anchor, "{}", section)
		return s, nil
	}
	place, ok := d.Sections[section]
	if !ok {
		return reports.Source{}, fmt.Errorf("%s has no section %q in documents.yaml", name, section)
	}
	s.URL += place
	return s, nil
}

// requirement completes an entry of this role's file.
func (e entry) requirement(role string, docs library) (Requirement, error) {
	r := e.Requirement
	r.Role = role
	for _, c := range e.Src {
		s, err := docs.cite(c)
		if err != nil {
			return r, err
		}
		r.Sources = append(r.Sources, s)
	}
	return r, nil
}
