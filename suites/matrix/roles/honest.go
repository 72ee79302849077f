package roles

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/fixtures/variants"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// allVariants are the choices that the reference target can make.
func allVariants() []matrix.Variant {
	var list []matrix.Variant
	for _, v := range variants.All() {
		list = append(list, matrix.Variant{ID: v.ID, Title: v.Title, Allows: v.Allows, Warns: v.Warns})
	}
	return list
}

// Lawful are the choices of one role: all of them, the runs in which they are judged together, and what judges.
type Lawful struct {
	All   []matrix.Variant
	Runs  [][]string
	Judge matrix.JudgeVariants
}

// LawfulOf are the choices of a role.
func LawfulOf(role string) (Lawful, error) {
	switch role {
	case "server":
		return Lawful{allVariants(), variants.Runs(), judgeVariants(&run.Keyring{})}, nil
	case "idp":
		return Lawful{idpVariants(), idpVariantRuns(), judgeIdPVariants}, nil
	case "client":
		return clientVariants(), nil
	}
	return Lawful{}, fmt.Errorf("there is no role %q: --role is server, client or idp", role)
}

// Only are the variants that match, one by one; without patterns the runs are left as they are.
func (l Lawful) Only(patterns []string) ([][]string, error) {
	if len(patterns) == 0 {
		return l.Runs, nil
	}
	var list [][]string
	for _, v := range l.All {
		if catalogue.Matches(patterns, v.ID) {
			list = append(list, []string{v.ID})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no variant matches %s: `emaconform matrix --honest --list` shows all",
			strings.Join(patterns, " "))
	}
	return list, nil
}

// judgeVariants judges the reference target with these choices.
func judgeVariants(keys *run.Keyring) matrix.JudgeVariants {
	return func(ctx context.Context, ids, checks []string) (*reports.Report, error) {
		reference := &demo.Target{Variants: ids}
		defer reference.Close()
		options := run.Options{Config: &target.Config{}, Keyring: keys}
		options.Selection.Checks = checks
		options.Config.IdP.Alg = string(jose.ES256)
		if err := reference.Configure(&options); err != nil {
			return nil, err
		}
		return run.Run(ctx, options)
	}
}
