package attest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
)

// Known is what this program knows of the catalogue: by it the ids in a report or statement are complete or not.
type Known struct {
	Catalogue reports.Catalogue
	Checks    []reports.NotRun // every check of every role
	// Before is the catalogue before this one, by which statements count, too; nil when there is none.
	Before *Known
}

// Complete compares the checks of a report with the catalogue: each check of the roles under test must stand in it,
// once. A report of another catalogue is an error, too: nothing can be said of it.
func Complete(r *reports.Report, known Known) error {
	if r.Catalogue.Digest != known.Catalogue.Digest {
		return fmt.Errorf("the report was made with catalogue %s, this program has another one (%s): whether "+
			"checks were left out cannot be told", r.Catalogue, known.Catalogue)
	}
	var ids, roles []string
	for _, c := range r.Checks {
		ids = append(ids, c.ID)
	}
	for _, c := range r.NotRun {
		ids = append(ids, c.ID)
	}
	for _, q := range r.Requirements {
		if !slices.Contains(roles, q.Role) {
			roles = append(roles, q.Role)
		}
	}
	return known.complete(ids, roles)
}

// complete names the ids that are missing, unknown or there twice.
func (k Known) complete(ids, roles []string) error {
	given := map[string]int{}
	for _, id := range ids {
		given[id]++
	}
	var missing, twice []string
	for _, c := range k.Checks {
		if !slices.Contains(roles, c.Role) {
			continue
		}
		switch n := given[c.ID]; {
		case n == 0:
			missing = append(missing, c.ID)
		case n > 1:
			twice = append(twice, c.ID)
		}
		delete(given, c.ID)
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("%d checks of the catalogue were left out: %s", len(missing), some(missing))
	case len(twice) > 0:
		return fmt.Errorf("%d checks have two outcomes: %s", len(twice), some(twice))
	case len(given) > 0:
		var unknown []string
		for id := range given {
			unknown = append(unknown, id)
		}
		slices.Sort(unknown)
		return fmt.Errorf("%d checks are not in the catalogue: %s", len(unknown), some(unknown))
	}
	return nil
}

// some lists the first of many.
func some(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
