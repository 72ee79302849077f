package catalogue

import (
	"io/fs"
	"sync"
)

// Sentence is a place in a document where a key word of RFC 2119 stands, and what became of it: the entries that carry
// the sentence, or the reason why none does.
type Sentence struct {
	Document string   `json:"document"`      // as documents.yaml names it
	At       string   `json:"section"`       // number or heading
	N        int      `json:"number"`        // among the places of the section, from 1
	Word     string   `json:"word"`          // the key word; "none" for a sentence that demands without one
	By       []string `json:"by,omitempty"`  // ids of entries
	Why      string   `json:"why,omitempty"` // where there are none
}

// indexed is what a file of the folder sentences says of a document. For each place where a key word of RFC 2119 stands
// (the section, the number among those of the section, the key word; none: a sentence that demands without one) it
// names the entries that carry the sentence, or why none does. Sentences themselves are not copied.
type indexed struct {
	Document  string `yaml:"document"`
	Sentences []struct {
		At   string   `yaml:"at"`
		N    int      `yaml:"n"`
		Word string   `yaml:"word"`
		By   []string `yaml:"by"`
		Why  string   `yaml:"why"`
	} `yaml:"sentences"`
}

var loadSentences = sync.OnceValue(func() (all []Sentence) {
	names, err := fs.Glob(files, "sentences/*.yaml")
	if err != nil {
		panic("catalogue: " + err.Error()) // our own pattern
	}
	for _, name := range names {
		list, err := decode[indexed](files, name)
		if err != nil {
			panic("catalogue: " + err.Error())
		}
		for _, d := range list {
			for _, s := range d.Sentences {
				all = append(all, Sentence{d.Document, s.At, s.N, s.Word, s.By, s.Why})
			}
		}
	}
	return all
})

// Sentences returns the index of normative sentences, document by document, in their order.
func Sentences() []Sentence { return append([]Sentence(nil), loadSentences()...) }
