// Package roles fills the matrices for each role: its mistakes and its lawful choices, and how its reference party is
// judged with them.
package roles

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/fixtures/defects"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// ServerDefects are the defects of the reference target that match.
func ServerDefects(patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range defects.All() {
		list = append(list, matrix.Defect{ID: d.ID, Title: d.Title, Breaks: d.Breaks,
			Labels: labelsOf(d.Identifier, d.Way)})
	}
	return matching(list, "server", patterns)
}

// labelsOf are those of the checks that notice the comparison of an identifier in a wrong way; nil for other mistakes.
func labelsOf(identifier, way string) []string {
	if way == "" {
		return nil
	}
	return []string{"identifier:" + identifier, "way:" + way}
}

// matching are the defects whose ids match; none is an error.
func matching(all []matrix.Defect, role string, patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range all {
		if catalogue.Matches(patterns, d.ID) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no defect matches %s: `emaconform matrix --role %s --list` shows all",
			strings.Join(patterns, " "), role)
	}
	return list, nil
}

// together makes one target of all identifiers that are compared in the same wrong way: an attack on one of them leaves
// the others as they should be, so that each is noticed for itself.
func together(list []matrix.Defect) []matrix.Defect {
	var out []matrix.Defect
	at := map[string]int{} // where the target of a way stands in out
	for _, d := range list {
		if len(d.Labels) == 0 {
			out = append(out, d)
			continue
		}
		way := d.Labels[1]
		i, ok := at[way]
		if !ok {
			i, at[way] = len(out), len(out)
			out = append(out, matrix.Defect{ID: way})
		}
		out[i].Together = append(out[i].Together, d)
	}
	return out
}

// Server judges the reference target once for each defect, and for all comparisons of one way at once.
func Server(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error) {
	keys := &run.Keyring{}
	by := func(ctx context.Context, defect *matrix.Defect, checks []string) (*reports.Report, error) {
		reference := &demo.Target{Known: true}
		// which judges the most
		options := run.Options{Config: &target.Config{}, Workers: 1, Keyring: keys, Profile: catalogue.ProfileNext}
		options.Selection.Checks = checks
		if defect != nil {
			reference.Defects = []string{defect.ID}
			if len(defect.Together) > 0 {
				reference.Defects, options.Workers = nil, 4
				for _, one := range defect.Together {
					reference.Defects = append(reference.Defects, one.ID)
				}
			}
			if !slices.Contains(defect.Breaks, algorithms) {
				options.Config.IdP.Alg = string(jose.ES256) // signs in a thirtieth of the time
			}
		}
		defer reference.Close()
		if err := reference.Configure(&options); err != nil {
			return nil, err
		}
		return run.Run(ctx, options)
	}
	judge := func(ctx context.Context, defect *matrix.Defect) (*reports.Report, error) {
		if defect == nil {
			return by(ctx, nil, nil)
		}
		return by(ctx, defect, worthRunning(defect, full))
	}
	// A run waits now and then (for a token to expire, say), so that more runs than cores keep the machine busy.
	parallel := 4 * runtime.NumCPU()
	m, err := matrix.Build(ctx, together(list), judge, parallel, done)
	if err != nil || full || len(list) < len(defects.All()) {
		return m, err
	}
	return m, m.Extend(ctx, by, parallel)
}

// algorithms is the requirement whose checks make a difference between kinds of keys.
const algorithms = "RAS-SIG-ALG"

// worthRunning are the ids of the checks to run against a defect: those that should notice it. For a comparison of the
// grammar these are its own attacks, for every other mistake the checks of the requirements that it breaks, except for
// attacks, of which each has a mistake made for it. With full, all.
func worthRunning(d *matrix.Defect, full bool) []string {
	var ids []string
	for _, k := range check.All("ras", "rs") {
		own := k.Attack == nil && slices.Contains(d.Breaks, k.Requirement.ID)
		if k.Attack != nil {
			own = slices.ContainsFunc(d.Together, func(one matrix.Defect) bool { return one.ID == k.Attack.Defect() })
		}
		if full || own {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// Builder judges a correct target and one with each defect.
type Builder func(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error)
