package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
)

func newRender() *cobra.Command {
	var out string
	var formats []string
	c := &cobra.Command{
		Use:   "render REPORT.json",
		Short: "Write a stored JSON report in other formats",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return readable(args[0], err)
			}
			defer file.Close()
			report, err := reports.Read(file)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			written, err := reports.WriteAll(out, report, formats)
			for _, path := range written {
				fmt.Fprintln(c.OutOrStdout(), path)
			}
			return err
		},
	}
	c.Flags().StringVarP(&out, "out", "o", ".", "directory for the reports")
	c.Flags().StringSliceVar(&formats, "format", []string{"junit", "markdown", "html"}, "reports to write")
	return c
}
