package catalogue

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"testing"
)

var keyWords = []string{"MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED", "SHOULD", "SHOULD NOT", "RECOMMENDED",
	"NOT RECOMMENDED",
	"MAY", "OPTIONAL", "none"}

// TestSentencesAreCarried checks that each place of the index has entries that exist, or a reason, and that none is
// left out.
func TestSentencesAreCarried(t *testing.T) {
	docs := loadDocuments()
	last := map[string]int{}
	for _, s := range Sentences() {
		place := fmt.Sprintf("%s §%s, sentence %d (%s)", s.Document, s.At, s.N, s.Word)
		if _, ok := docs[s.Document]; !ok {
			t.Errorf("%s: documents.yaml has no such document", place)
		}
		if !slices.Contains(keyWords, s.Word) {
			t.Errorf("%s: this is no key word of RFC 2119", place)
		}
		section := s.Document + " §" + s.At
		if last[section]++; s.N != last[section] {
			t.Errorf("%s: the one before it is number %d", place, last[section]-1)
		}
		if (len(s.By) == 0) == (s.Why == "") {
			t.Errorf("%s: it needs either entries that carry it or the reason why none does", place)
		}
		if len(s.By) == 0 && len(s.Why) < 20 {
			t.Errorf("%s: %q is no reason", place, s.Why)
		}
		for _, id := range s.By {
			if _, ok := Find(id); !ok {
				t.Errorf("%s is carried by %s, which does not exist", place, id)
			}
		}
	}
}

// TestDocumentsAreIndexed checks that each document has its sentences in the index, or says why not.
func TestDocumentsAreIndexed(t *testing.T) {
	indexed := map[string]bool{}
	for _, s := range Sentences() {
		indexed[s.Document] = true
	}
	for name, d := range loadDocuments() {
		if indexed[name] == (d.Unindexed != "") {
			t.Errorf("%s needs either an index of its sentences or, in documents.yaml, the reason why it has none", name)
		}
	}
}

// TestNoSentenceIsMissing checks the index against the places that the pinned documents have.
func TestNoSentenceIsMissing(t *testing.T) {
	file, err := os.Open("testdata/places.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	carried := map[string]bool{}
	for _, s := range Sentences() {
		carried[fmt.Sprintf("%s\t%s\t%d\t%s", s.Document, s.At, s.N, s.Word)] = true
	}
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && line[0] != '#' {
			n++
			if !carried[line] {
				t.Errorf("the index does not say what carries %q", line)
			}
		}
	}
	if n != len(carried) {
		t.Errorf("the documents have %d places, the index has %d", n, len(carried))
	}
}
