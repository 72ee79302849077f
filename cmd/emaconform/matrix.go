package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/fixtures/disturb"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

func newMatrix() *cobra.Command {
	var list, byCheck, full, honest, disturbances bool
	var only []string
	var role string
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Prove that every check can fail: run the suite against every defect of the reference target",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if disturbances {
				return listDisturbances(c.OutOrStdout(), list)
			}
			if honest {
				return printHonest(c, role, list, only)
			}
			choose, build := roles.ServerDefects, roles.Server
			switch role {
			case "server":
			case "client":
				choose, build = roles.ClientDefects, roles.Client
			case "idp":
				choose, build = roles.IdPDefects, roles.IdP
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
	c.Flags().StringVar(&role, "role", "server", "server: the reference target; client: the reference client; idp: the "+
		"reference identity provider")
	c.Flags().BoolVar(&list, "list", false, "list the defects and run nothing")
	c.Flags().BoolVar(&disturbances, "disturbances", false,
		"with --list: what can come between a suite and what it judges")
	c.Flags().BoolVar(&byCheck, "by-check", false, "a row for each check instead of each defect")
	c.Flags().BoolVar(&full, "full", false, "run every check against every defect, also those that wait and test "+
		"something else")
	c.Flags().StringSliceVar(&only, "defect", nil, "only these defects; * and ? match")
	c.Flags().StringSliceVar(&only, "variant", nil, "with --honest: only these variants, one by one; * and ? match")
	c.Flags().BoolVar(&honest, "honest", false, "the other way round: run the suite against every lawful variant of the "+
		"target, of which nothing may fail")
	return c
}

func listDisturbances(w io.Writer, list bool) error {
	if !list {
		return errors.New("--disturbances goes with --list: server --disturb and client --disturb put one in between")
	}
	for _, d := range disturb.All() {
		fmt.Fprintf(w, "%-14s  %s\n", d.ID, d.Title)
	}
	return nil
}

func printMatrix(c *cobra.Command, build roles.Builder, list []matrix.Defect, byCheck, full, partial bool) error {
	done := 0
	m, err := build(c.Context(), list, full, func(row matrix.Row) {
		done++
		fmt.Fprintf(c.ErrOrStderr(), "%3d of %d  %s: noticed by %d\n", done, len(list), row.ID, len(row.Noticed))
	})
	if err != nil {
		return err
	}
	t := terminal.NewTable(c.OutOrStdout())
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
	t := terminal.NewTable(w)
	t.AppendHeader(table.Row{"defect", "mistake", "breaks"})
	for _, d := range list {
		t.AppendRow(table.Row{d.ID, d.Title, strings.Join(d.Breaks, " ")})
	}
	t.Render()
}

// printHonest judges every lawful variant and prints what warns, and what is wrong.
func printHonest(c *cobra.Command, role string, list bool, patterns []string) error {
	out := c.OutOrStdout()
	l, err := roles.LawfulOf(role)
	if err != nil {
		return err
	}
	if list {
		t := terminal.NewTable(out)
		t.AppendHeader(table.Row{"variant", "choice", "allowed by"})
		for _, v := range l.All {
			t.AppendRow(table.Row{v.ID, v.Title, v.Allows})
		}
		t.Render()
		return nil
	}
	runs, err := l.Only(patterns)
	if err != nil {
		return err
	}
	h, err := matrix.Honest(c.Context(), l.All, runs, l.Judge, func(group []string) {
		fmt.Fprintf(c.ErrOrStderr(), "judged: %s\n", strings.Join(group, ", "))
	})
	if err != nil {
		return err
	}
	if len(h.Warnings) > 0 {
		t := terminal.NewTable(out)
		t.AppendHeader(table.Row{"warns", "of a target that differs in", "because"})
		for _, w := range h.Warnings {
			t.AppendRow(table.Row{w.Check, w.Variant, w.Reason})
		}
		t.Render()
	}
	for _, p := range h.Problems {
		fmt.Fprintln(out, p)
	}
	fmt.Fprintf(out, "\n%d variants in %d runs: %d warnings with a reason, %d problems.\n",
		len(l.All), len(runs), len(h.Warnings), len(h.Problems))
	if len(h.Problems) > 0 {
		return exitCode(exitNotConformant)
	}
	return nil
}
