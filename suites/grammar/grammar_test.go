package grammar

import (
	"bytes"
	"encoding/json"
	"testing"
)

// samples are right values of each kind.
var samples = map[string]Identifier{
	"https://idp.acme.example/oauth2/default": {Kind: Member | URL | Dotted | Lookup},
	"http://127.0.0.1:8080/mcp":               {Kind: Member | URL | Dotted | Lookup},
	"00u1alice":                               {Kind: Member | Lookup},
	"alice@acme.example":                      {Kind: Member | Email | Dotted},
	"1001":                                    {Kind: Member | Digits},
	"1795860000":                              {Kind: Date},
}

// decoded is a value as a target sees it.
func decoded(t *testing.T, v any) (seen any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

// A way's own mistake lets each of its variants through, and is one: no variant is the right value.
func TestEachMistakeTakesItsVariants(t *testing.T) {
	made := map[string]bool{}
	for right, identifier := range samples {
		for _, a := range identifier.Attacks() {
			given, ok := a.Variant.Of(right)
			if !ok {
				continue
			}
			made[a.name()] = true
			seen := decoded(t, given)
			if seen == right && identifier.Kind&Date == 0 { // a date is a number
				t.Errorf("%s of %q is the right value", a.name(), right)
			}
			if a.Way.ID == "as-boolean" {
				continue // whose mistake knows no right one
			}
			if !a.Way.Same(right, seen) {
				t.Errorf("%s of %q is %v, which the way's own mistake refuses", a.name(), right, seen)
			}
		}
	}
	for _, w := range Ways() {
		for _, v := range w.Variants {
			if a := (Attack{Way: w, Variant: v}); v.Write == nil && !made[a.name()] {
				t.Errorf("no sample has a variant %s", a.name())
			}
		}
	}
}

// What is identical is found first, however lax the way.
func TestFindPrefersWhatIsIdentical(t *testing.T) {
	for _, w := range Ways() {
		if w.Same == nil {
			continue // of whole JWTs
		}
		if found, _ := w.Find([]string{"alice", "alice0"}, "alice0"); found != "alice0" {
			t.Errorf("%s takes alice0 for %q", w.ID, found)
		}
		if found, ok := w.Find([]string{"alice", "bob"}, "somebody-else"); ok {
			t.Errorf("%s takes somebody-else for %q", w.ID, found)
		}
	}
}

// The ids are part of the ids of checks and defects: they are unique and can be selected.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range Ways() {
		if w.ID == "" || w.Title == "" || w.Why == "" || len(w.Variants) == 0 || seen[w.ID] {
			t.Errorf("way %q: id, title, why or variants are missing, or the id stands twice", w.ID)
		}
		seen[w.ID] = true
		slugs := map[string]bool{}
		for _, v := range w.Variants {
			if slugs[v.Slug] || v.Slug == "" && len(w.Variants) > 1 || v.What == "" {
				t.Errorf("way %s: variant %q has no slug of its own, or does not say what it is", w.ID, v.Slug)
			}
			slugs[v.Slug] = true
		}
	}
}
