package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/attest"
	"github.com/emaconform/emaconform/reports/files"
	"github.com/emaconform/emaconform/reports/terminal"
)

func newRender() *cobra.Command {
	var out, sarif, annotate string
	var formats []string
	c := &cobra.Command{
		Use:   "render REPORT.json",
		Short: "Write a stored JSON report in other formats",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			report, err := readReport(args[0])
			if err != nil {
				return err
			}
			if err := complete(c, args[0], report); err != nil {
				return err
			}
			written, err := reports.WriteAll(out, report, formats)
			for _, path := range written {
				fmt.Fprintln(c.OutOrStdout(), path)
			}
			if err != nil {
				return err
			}
			return renderFindings(c.OutOrStdout(), report, out, sarif, annotate)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", ".", "directory for the reports")
	c.Flags().StringSliceVar(&formats, "format", []string{"junit", "markdown", "html"}, "reports to write")
	c.Flags().StringVar(&sarif, "sarif", "", "also write report.sarif, whose findings are shown at this file of "+
		"the repository")
	c.Flags().StringVar(&annotate, "annotate", "", "also print findings as annotations of GitHub Actions at this "+
		"file of the repository")
	return c
}

// renderFindings writes what code scanning and GitHub Actions show at a file of the repository.
func renderFindings(w io.Writer, r *reports.Report, out, sarif, annotate string) error {
	if sarif != "" {
		var log bytes.Buffer
		if err := reports.WriteSARIF(&log, r, sarif); err != nil {
			return err
		}
		path := filepath.Join(out, "report.sarif")
		if err := files.Write(path, log.Bytes()); err != nil {
			return err
		}
		fmt.Fprintln(w, path)
	}
	if annotate != "" {
		return reports.WriteAnnotations(w, r, annotate)
	}
	return nil
}

// complete refuses a report from which checks of the catalogue were left out. Of one that another catalogue made
// nothing can be said, which is told.
func complete(c *cobra.Command, path string, r *reports.Report) error {
	if ours := known(); r.Catalogue.Digest != ours.Catalogue.Digest {
		fmt.Fprintf(c.ErrOrStderr(), "%s was made with another catalogue (%s, this program has %s): whether checks "+
			"were left out cannot be told\n", path, orUnknown(r.Catalogue.String()), ours.Catalogue)
		return nil
	} else if err := attest.Complete(r, ours); err != nil {
		return fmt.Errorf("%s: the report was changed: %w", path, err)
	}
	return nil
}

func newDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Say in Markdown how a run differs from an earlier one",
		Long: `Says in Markdown, for a pull request, how a run differs from an earlier one: new failures, what is fixed, other
outcomes, other evidence, other coverage. Exit code 1: something fails that did not fail before.`,
		Example: `  emaconform diff main/report.json emaconform-report/report.json >> "$GITHUB_STEP_SUMMARY"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			old, err := readReport(args[0])
			if err != nil {
				return err
			}
			now, err := readReport(args[1])
			if err != nil {
				return err
			}
			worse, err := reports.Diff(c.OutOrStdout(), old, now)
			if err == nil && worse {
				return exitCode(exitNotConformant)
			}
			return err
		},
	}
}

// readReport reads a stored report; the error names the file.
func readReport(path string) (*reports.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, terminal.Readable(path, err)
	}
	defer file.Close()
	report, err := reports.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}
