package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	fixture "github.com/emaconform/emaconform/fixtures/idp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/matrix"
)

// selectIdPDefects are the defects of the reference identity provider that match.
func selectIdPDefects(patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range fixture.Defects() {
		if matchesAny(patterns, d.ID) {
			one := matrix.Defect{ID: d.ID, Title: "The identity provider " + d.Title + ".", Breaks: requirementsOf(d.Breaks)}
			if d.Way != "" {
				one.Labels = []string{"identifier:" + d.Identifier, "way:" + d.Way}
			}
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no defect matches %s: `emaconform matrix --role idp --list` shows all", strings.Join(patterns, " "))
	}
	return list, nil
}

// buildIdPMatrix judges the reference identity provider once for each defect, and for all comparisons of one way at once: by the
// checks that should notice it or, when it is to be full, by all.
func buildIdPMatrix(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error) {
	judgeOne := func(ctx context.Context, defect *matrix.Defect) (*reports.Report, error) {
		reference := &embeddedIdP{known: true}
		defer reference.Close()
		var options idprun.Options
		if defect != nil {
			if reference.defects = []string{defect.ID}; len(defect.Together) > 0 {
				reference.defects = nil
			}
			for _, one := range defect.Together {
				reference.defects = append(reference.defects, one.ID)
			}
			if !full {
				options.Selection = engine.Selection{Checks: breaks(reference.defects)}
			}
		}
		if err := reference.configure(ctx, &options); err != nil {
			return nil, err
		}
		return idprun.Run(ctx, options)
	}
	return matrix.Build(ctx, together(list), judgeOne, 2*runtime.NumCPU(), done)
}

// breaks are the checks that have to notice these defects.
func breaks(defects []string) (checks []string) {
	for _, id := range defects {
		if d, ok := fixture.Find(id); ok {
			checks = append(checks, d.Breaks...)
		}
	}
	return checks
}
