package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/docs"
	"github.com/emaconform/emaconform/reports/attest"
	"github.com/emaconform/emaconform/reports/files"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/provenance"
)

func newResults() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "results DIRECTORY",
		Short: "Make a page of vendors' statements",
		Long: "Verifies each DIRECTORY/VENDOR/CONNECTOR/VERSION/statement.json with DIRECTORY/VENDOR/vendor.key.pub and\n" +
			"DIRECTORY/policy.yaml, and writes a page of them. Exit code 1: one does not hold; then no page is written.",
		Example: "  emaconform results results --out public/results.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			policy, _, err := attest.LoadPolicy(filepath.Join(args[0], "policy.yaml"))
			if err != nil {
				return err
			}
			statements, err := filepath.Glob(filepath.Join(args[0], "*", "*", "*", "statement.json"))
			if err != nil {
				return err
			}
			var list []docs.Result
			var problems int
			now := time.Now()
			for _, file := range statements {
				result, err := listedResult(c.Context(), args[0], file, policy, now)
				if err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "%s: %v\n", file, err)
					problems++
					continue
				}
				list = append(list, result)
			}
			if problems > 0 {
				return exitCode(exitNotConformant)
			}
			page, err := docs.Results(provenance.Tool().Version, now, list)
			if err != nil {
				return err
			}
			if err := files.Write(out, page); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", out, plural(len(list), "result"))
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "results.html", "file to write")
	return c
}

var resultPath = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// listedResult is a statement of the list, which has to hold.
func listedResult(ctx context.Context, dir, file string, policy *attest.Policy,
	now time.Time) (r docs.Result, err error) {
	relative, err := filepath.Rel(dir, file)
	if err != nil {
		return r, err
	}
	part := strings.Split(filepath.ToSlash(relative), "/")
	for _, name := range part {
		if !resultPath.MatchString(name) {
			return r, fmt.Errorf("%q: expected lower-case letters, digits, dots and hyphens", name)
		}
	}
	key, err := attest.LoadKey(filepath.Join(dir, part[0], "vendor.key.pub"))
	if err != nil {
		return r, err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return r, terminal.Readable(file, err)
	}
	o, err := attest.Open(raw)
	if err != nil {
		return r, err
	}
	if _, err := o.SignedBy(ctx, []attest.Signer{{Name: part[0], Key: key}}); err != nil {
		return r, err
	}
	if err := o.Complete(known()); err != nil {
		return r, err
	}
	if short := policy.Violations(o, now); len(short) > 0 {
		return r, errors.New(strings.Join(short, "; "))
	}
	v := &verification{Opened: o}
	return docs.Result{
		Vendor: part[0], Connector: part[1], Version: part[2], Roles: o.Roles, Profile: o.Profile,
		Level: o.Level(), Proof: v.proof(),
		Signer: part[0], Judged: o.Coverage.Judged, Checks: o.Coverage.Checks, Finished: o.Finished.UTC(),
		Age: attest.Age(now.Sub(o.Finished)),
	}, nil
}
