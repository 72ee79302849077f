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
			list = append(list, matrix.Defect{ID: d.ID, Title: "The identity provider " + d.Title + ".", Breaks: requirementsOf(d.Breaks)})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no defect matches %s: `emaconform matrix --role idp --list` shows all", strings.Join(patterns, " "))
	}
	return list, nil
}

// buildIdPMatrix judges the reference identity provider once for each defect: by the checks that should notice it or, when it
// is to be full, by all.
func buildIdPMatrix(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error) {
	judgeOne := func(ctx context.Context, defect *matrix.Defect) (*reports.Report, error) {
		reference := &embeddedIdP{known: true}
		defer reference.Close()
		var options idprun.Options
		if defect != nil {
			reference.defects = []string{defect.ID}
			if d, ok := fixture.Find(defect.ID); ok && !full {
				options.Selection = engine.Selection{Checks: d.Breaks}
			}
		}
		if err := reference.configure(ctx, &options); err != nil {
			return nil, err
		}
		return idprun.Run(ctx, options)
	}
	return matrix.Build(ctx, list, judgeOne, 2*runtime.NumCPU(), done)
}
