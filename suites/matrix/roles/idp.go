package roles

import (
	"context"
	"runtime"

	fixture "github.com/emaconform/emaconform/fixtures/idp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/matrix"
)

// IdPDefects are the defects of the reference identity provider that match.
func IdPDefects(patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range fixture.Defects() {
		list = append(list, matrix.Defect{ID: d.ID, Title: "The identity provider " + d.Title + ".",
			Breaks: requirementsOf(d.Breaks), Labels: labelsOf(d.Identifier, d.Way)})
	}
	return matching(list, "idp", patterns)
}

// IdP judges the reference identity provider once for each defect, and for all comparisons of one way at
// once: by the checks that should notice it or, when it is to be full, by all.
func IdP(ctx context.Context, list []matrix.Defect, full bool,
	done func(matrix.Row)) (*matrix.Matrix, error) {
	judgeOne := func(ctx context.Context, defect *matrix.Defect) (*reports.Report, error) {
		reference := &demo.IdP{Known: true}
		defer reference.Close()
		options := idprun.Options{Profile: catalogue.ProfileNext} // which judges the most
		if defect != nil {
			if reference.Defects = []string{defect.ID}; len(defect.Together) > 0 {
				reference.Defects = nil
			}
			for _, one := range defect.Together {
				reference.Defects = append(reference.Defects, one.ID)
			}
			if !full {
				options.Selection = engine.Selection{Checks: breaks(reference.Defects)}
			}
		}
		if err := reference.Configure(ctx, &options); err != nil {
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

// idpVariants are the choices that the reference identity provider can make.
func idpVariants() (list []matrix.Variant) {
	for _, v := range fixture.Variants() {
		list = append(list, matrix.Variant{ID: v.ID, Title: "The identity provider " + v.Title + ".", Allows: v.Allows,
			Warns: v.Warns})
	}
	return list
}

// idpVariantRuns are the runs in which the variants are judged together: those of a run do not interact.
func idpVariantRuns() [][]string {
	return [][]string{
		{"strict-scopes", "static-refresh", "denial-403", "scope-echo", "resource-required", "adds-act",
			"jwt-access-tokens", "rsa", "no-expires-in", "pages-of-its-own", "short-id-tokens"},
		{"no-refresh-exchange", "denial-400", "one-resource", "resource-list", "scopes-by-default",
			"authentication-claim", "no-dpop",
			"rfc8414-only", "type-in-small-letters", "comment-read-over"},
		{"no-refresh-tokens", "invalid-grant", "audience-list", "dpop-nonce", "denied-at-sign-in", "ten-minutes",
			"asks-before-refusing"},
	}
}

// judgeIdPVariants judges the reference identity provider with these choices.
func judgeIdPVariants(ctx context.Context, ids, checks []string) (*reports.Report, error) {
	reference := &demo.IdP{Variants: ids}
	defer reference.Close()
	options := idprun.Options{Selection: engine.Selection{Checks: checks}}
	if err := reference.Configure(ctx, &options); err != nil {
		return nil, err
	}
	return idprun.Run(ctx, options)
}
