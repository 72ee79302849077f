package roles

import (
	"context"
	"slices"
	"strings"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/matrix"
)

// ClientDefects are the defects of the reference client that match.
func ClientDefects(patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range fixture.Defects() {
		list = append(list, matrix.Defect{ID: d.ID, Title: "The client " + d.Title + ".", Breaks: requirementsOf(d.Breaks)})
	}
	return matching(list, "client", patterns)
}

// requirementsOf are the requirements of checks, each once.
func requirementsOf(checks []string) []string {
	var list []string
	for _, id := range checks {
		requirement, _, _ := strings.Cut(id, "/")
		if !slices.Contains(list, requirement) {
			list = append(list, requirement)
		}
	}
	return list
}

// Client judges the reference client once for each defect: by the checks that should notice it or, when it
// is to be full, by all.
func Client(
	ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row),
) (*matrix.Matrix, error) {
	judge := func(ctx context.Context, defect *matrix.Defect) (*reports.Report, error) {
		var ids []string
		var selection engine.Selection
		if defect != nil {
			ids = []string{defect.ID}
			if d, ok := fixture.Find(defect.ID); ok && !full {
				selection.Checks = d.Breaks
			}
		}
		args, environment, err := fixture.Command(ids...)
		if err != nil {
			return nil, err
		}
		return client.Run(ctx, client.Options{
			Command: args, Environment: environment, Timeout: impatient, Selection: selection,
			Document: fixture.Document(client.DefaultClientID, ids...),
			Profile:  catalogue.ProfileNext, // which judges the most
		})
	}
	return matrix.Build(ctx, list, judge, 2, done)
}

// impatient bounds clients that wait for ever. A run of the reference client is quick, and one that is slow gets more.
const impatient = 6 * time.Second

// clientVariants are the lawful ways to be a client that the reference client knows, judged one by one.
func clientVariants() (l Lawful) {
	for _, v := range fixture.Variants() {
		warns := map[string]string{}
		for pattern, reason := range v.Warns {
			requirement, _, _ := strings.Cut(pattern, "/")
			warns[requirement] = reason
		}
		l.All = append(l.All, matrix.Variant{ID: v.ID, Title: "The client " + v.Title + ".", Allows: v.Basis, Warns: warns})
		l.Runs = append(l.Runs, []string{v.ID})
	}
	l.Judge = func(ctx context.Context, ids, checks []string) (*reports.Report, error) {
		args, environment, err := fixture.Command(ids...)
		if err != nil {
			return nil, err
		}
		o := client.Options{Command: args, Environment: environment, Timeout: impatient,
			Selection: engine.Selection{Checks: checks}, Document: fixture.Document(client.DefaultClientID, ids...)}
		for _, v := range fixture.Variants() {
			if slices.Contains(ids, v.ID) {
				o.RedirectURIs = append(o.RedirectURIs, v.RedirectURIs...)
			}
		}
		return client.Run(ctx, o)
	}
	return l
}
