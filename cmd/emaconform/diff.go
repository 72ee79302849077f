package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
)

func newDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Say in Markdown how a run differs from an earlier one",
		Long: "Says in Markdown, for a pull request, how a run differs from an earlier one: new failures, what is " +
			"fixed, other outcomes,\nother evidence, other coverage. Exit code 1: something fails that did not fail before.",
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
		return nil, readable(path, err)
	}
	defer file.Close()
	report, err := reports.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}
