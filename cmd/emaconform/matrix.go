package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/fixtures/defects"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

func newMatrix() *cobra.Command {
	var list, byCheck, full, honest bool
	var only []string
	var role string
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Prove that every check can fail: run the suite against every defect of the reference target",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if honest {
				return printHonest(c, role, list, only)
			}
			choose, build := selectDefects, buildMatrix
			switch role {
			case "server":
			case "client":
				choose, build = selectClientDefects, buildClientMatrix
			case "idp":
				choose, build = selectIdPDefects, buildIdPMatrix
			default:
				return fmt.Errorf("--role %q is none of server, client, idp", role)
			}
			selected, err := choose(only)
			if err != nil {
				return err
			}
			if list {
				printDefects(c.OutOrStdout(), selected)
				return nil
			}
			return printMatrix(c, build, selected, byCheck, full, len(only) > 0)
		},
	}
	c.Flags().StringVar(&role, "role", "server", "server: the reference target; client: the reference client; idp: the reference identity provider")
	c.Flags().BoolVar(&list, "list", false, "list the defects and run nothing")
	c.Flags().BoolVar(&byCheck, "by-check", false, "a row for each check instead of each defect")
	c.Flags().BoolVar(&full, "full", false, "run every check against every defect, also those that wait and test something else")
	c.Flags().StringSliceVar(&only, "defect", nil, "only these defects; * and ? match")
	c.Flags().StringSliceVar(&only, "variant", nil, "with --honest: only these variants, one by one; * and ? match")
	c.Flags().BoolVar(&honest, "honest", false, "the other way round: run the suite against every lawful variant of the target, of which nothing may fail")
	return c
}

func selectDefects(patterns []string) ([]matrix.Defect, error) {
	var list []matrix.Defect
	for _, d := range defects.All() {
		if !matchesAny(patterns, d.ID) {
			continue
		}
		one := matrix.Defect{ID: d.ID, Title: d.Title, Breaks: d.Breaks}
		if d.Way != "" {
			one.Labels = []string{"identifier:" + d.Identifier, "way:" + d.Way}
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no defect matches %s: `emaconform matrix --list` shows all", strings.Join(patterns, " "))
	}
	return list, nil
}

// together makes one target of all identifiers that are compared in the same wrong way: an attack on one of them leaves the
// others as they should be, so that each is noticed for itself.
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

// buildMatrix judges the reference target once for each defect, and for all comparisons of one way at once.
func buildMatrix(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error) {
	keys := &run.Keyring{}
	by := func(ctx context.Context, defect *matrix.Defect, checks []string) (*reports.Report, error) {
		reference := &embedded{known: true}
		options := run.Options{Config: &target.Config{}, Workers: 1, Keyring: keys, Profile: catalogue.ProfileNext} // which judges the most
		options.Selection.Checks = checks
		if defect != nil {
			reference.defects = []string{defect.ID}
			if len(defect.Together) > 0 {
				reference.defects, options.Workers = nil, 4
				for _, one := range defect.Together {
					reference.defects = append(reference.defects, one.ID)
				}
			}
			if !slices.Contains(defect.Breaks, algorithms) {
				options.Config.IdP.Alg = string(jose.ES256) // signs in a thirtieth of the time
			}
		}
		defer reference.Close()
		if err := reference.configure(&options); err != nil {
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
	parallel := 2 * runtime.NumCPU()
	m, err := matrix.Build(ctx, together(list), judge, parallel, done)
	if err != nil || full || len(list) < len(defects.All()) {
		return m, err
	}
	return m, m.Extend(ctx, by, parallel)
}

// algorithms is the requirement whose checks make a difference between kinds of keys.
const algorithms = "RAS-SIG-ALG"

// worthRunning are the ids of the checks to run against a defect: those that should notice it. For a comparison of the grammar
// these are its own attacks, for every other mistake the checks of the requirements that it breaks, except for attacks, of which
// each has a mistake made for it. With full, all.
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

// builder judges a correct target and one with each defect.
type builder func(ctx context.Context, list []matrix.Defect, full bool, done func(matrix.Row)) (*matrix.Matrix, error)

func printMatrix(c *cobra.Command, build builder, list []matrix.Defect, byCheck, full, partial bool) error {
	done := 0
	m, err := build(c.Context(), list, full, func(row matrix.Row) {
		done++
		fmt.Fprintf(c.ErrOrStderr(), "%3d of %d  %s: noticed by %d\n", done, len(list), row.ID, len(row.Noticed))
	})
	if err != nil {
		return err
	}
	t := newTable(c.OutOrStdout())
	if byCheck {
		killers := m.Killers()
		t.AppendHeader(table.Row{"check", "killed by"})
		for _, k := range m.Correct.Checks {
			t.AppendRow(table.Row{k.ID, strings.Join(killers[k.ID], " ")})
		}
	} else {
		t.AppendHeader(table.Row{"defect", "noticed by"})
		for _, row := range m.Rows {
			noticed := strings.Join(marked(row), " ")
			if row.Stopped != "" {
				noticed = "the preflight: " + row.Stopped
			}
			t.AppendRow(table.Row{row.ID, noticed})
		}
	}
	t.Render()
	fmt.Fprintf(c.OutOrStdout(), "\n%d defects, %d checks.\n", len(m.Rows), len(m.Correct.Checks))
	problems := m.Problems()
	if partial { // a part of the defects proves nothing about the others' checks
		problems = slices.DeleteFunc(problems, func(p string) bool { return !strings.HasPrefix(p, "defect ") })
	}
	for _, p := range problems {
		fmt.Fprintln(c.OutOrStdout(), p)
	}
	if len(problems) > 0 {
		return exitCode(exitNotConformant)
	}
	return nil
}

// marked are the checks that notice a defect, with a mark behind those that only warn.
func marked(row matrix.Row) []string {
	list := slices.Clone(row.Noticed)
	for i, id := range list {
		if !slices.Contains(row.Failed, id) {
			list[i] += " (warns)"
		}
	}
	return list
}

func printDefects(w io.Writer, list []matrix.Defect) {
	t := newTable(w)
	t.AppendHeader(table.Row{"defect", "mistake", "breaks"})
	for _, d := range list {
		t.AppendRow(table.Row{d.ID, d.Title, strings.Join(d.Breaks, " ")})
	}
	t.Render()
}

func newTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SuppressTrailingSpaces()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 90, WidthMaxEnforcer: text.WrapSoft}, {Number: 3, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}})
	return t
}
