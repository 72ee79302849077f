package main

import (
	"path"
	"slices"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/idp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// Every check of the role can fail, every defect is noticed, every requirement is accounted for.
func TestKillMatrixOfTheIdentityProvider(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite against many identity providers")
	}
	list, err := roles.IdPDefects(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := roles.IdP(t.Context(), list, false, func(matrix.Row) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range m.Problems() {
		t.Error(problem)
	}
	if len(m.Rows) < 80 {
		t.Errorf("%d defects: expected 80 at least", len(m.Rows))
	}
}

// Each defect names checks that there are, and each check has a defect that names it.
func TestDefectsOfTheIdentityProviderNameChecks(t *testing.T) {
	var named []string
	for _, d := range fixture.Defects() {
		for _, pattern := range d.Breaks {
			before := len(named)
			for _, c := range check.All("idp") {
				if ok, err := path.Match(pattern, c.ID); err != nil {
					t.Fatal(err)
				} else if ok {
					named = append(named, c.ID)
				}
			}
			if len(named) == before {
				t.Errorf("%s: no check matches %q", d.ID, pattern)
			}
		}
	}
	for _, c := range check.All("idp") {
		if !slices.Contains(named, c.ID) {
			t.Errorf("no defect breaks %s", c.ID)
		}
	}
}
