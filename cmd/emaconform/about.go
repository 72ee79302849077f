package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/emaconform/emaconform/docs"
	"github.com/emaconform/emaconform/fixtures/samples"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/attest"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/listing"
	"github.com/emaconform/emaconform/suites/provenance"
	"github.com/emaconform/emaconform/suites/target"
)

// newVersion says what a report needs to be understood later: which program, and by which list of demands it judges.
func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version and revision of the program, and version and digest of its catalogue",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			tool, list := provenance.Tool(), provenance.Catalogue()
			out := c.OutOrStdout()
			fmt.Fprintf(out, "emaconform %s (%s, %s)\n", tool.Version, tool.Go, tool.Platform)
			if tool.Revision != "" {
				fmt.Fprintf(out, "revision   %s\n", tool.Revision)
			}
			fmt.Fprintf(out, "catalogue  %s %s\n", list.Version, list.Digest)
			_, err := fmt.Fprintf(out, "binary     %s\n", tool.Digest)
			return err
		},
	}
}

func newConfig() *cobra.Command {
	var role, vendor string
	c := &cobra.Command{
		Use:   "config",
		Short: "Print a configuration file with every key, to start from",
		Example: `  emaconform config > ema.yaml
  emaconform config --role idp > idp.yaml
  emaconform config --role idp --vendor okta > idp.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			sample, ok := map[string]string{"server": samples.Server, "idp": samples.IdP,
				"idp okta": samples.IdPOkta}[strings.TrimSpace(role+" "+vendor)]
			switch {
			case role != "server" && role != "idp":
				return fmt.Errorf("--role %q is none of server, idp", role)
			case !ok:
				return fmt.Errorf("--vendor %q: there is a file for okta, with --role idp; leave it out for one "+
					"with every key", vendor)
			}
			_, err := fmt.Fprint(c.OutOrStdout(), sample)
			return err
		},
	}
	c.Flags().StringVar(&role, "role", "server", "server: for emaconform server; idp: for emaconform idp")
	c.Flags().StringVar(&vendor, "vendor", "", "okta: with what is known of it filled in (with --role idp)")
	return c
}

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [report|config|idp-config|statement]",
		Short: "Print the JSON Schema of the JSON report (default), a configuration file, or what a statement says",
		Example: "  emaconform schema config > ema.schema.json   # then, on top of ema.yaml: # " +
			"yaml-language-server: $schema=ema.schema.json",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"report", "config", "idp-config", "statement"},
		RunE: func(c *cobra.Command, args []string) error {
			schema := reports.Schema
			switch {
			case len(args) == 0:
			case args[0] == "config":
				schema = target.Schema(samples.Comments(samples.Server))
			case args[0] == "idp-config":
				schema = config.Schema(samples.Comments(samples.IdP))
			case args[0] == "statement":
				schema = attest.PredicateSchema
			}
			_, err := c.OutOrStdout().Write(schema)
			return err
		},
	}
}

func newDocs() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "docs site|man",
		Short: "Write the documentation site, or man pages, to a folder",
		Example: `  emaconform docs site --out public
  emaconform docs man --out /usr/local/share/man/man1`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"site", "man"},
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(out, 0o755); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			c.Root().DisableAutoGenTag = true // no dates: the same program writes the same files
			if args[0] == "man" {
				return doc.GenManTree(c.Root(), &doc.GenManHeader{Title: "EMACONFORM", Section: "1"}, out)
			}
			return docs.Build(out, docs.Reference{
				Root: c.Root(), Version: provenance.Tool().Version, Catalogue: provenance.Catalogue(),
				Requirements: catalogue.All(), Checks: documented(),
				Config: samples.Server, ConfigSchema: target.Schema(samples.Comments(samples.Server)),
				Weights: func(q catalogue.Requirement) string { return listing.Weights(listing.Levels(q.LevelIn)) },
			})
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "emaconform-docs", "folder to write to; made when it is missing")
	return c
}

// documented are the checks of every role as the site shows them.
func documented() []docs.Check {
	var list []docs.Check
	for _, k := range listing.All() {
		list = append(list, docs.Check{
			ID: k.ID, Requirement: k.Requirement, Level: k.Level, Title: k.Title, Sends: k.Sends, Expects: k.Expects,
			Labels: k.Labels, Needs: k.Needs, Weights: listing.Weights(k.Levels),
		})
	}
	return list
}
