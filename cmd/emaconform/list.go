package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/listing"
	"github.com/emaconform/emaconform/suites/provenance"
)

func newList() *cobra.Command {
	var asJSON, requirementsOnly, sentences, snapshot bool
	var role string
	c := &cobra.Command{
		Use:   "list [PATTERN…]",
		Short: "List the checks and the requirements that they judge",
		RunE: func(c *cobra.Command, patterns []string) error {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it is over before what it leaves would matter
			if role != "" && !slices.Contains(catalogue.Roles, role) {
				return fmt.Errorf("--role %q is none of %s", role, strings.Join(catalogue.Roles, ", "))
			}
			if snapshot {
				e := json.NewEncoder(c.OutOrStdout())
				return e.Encode(provenance.Listed{Catalogue: provenance.Catalogue(), Checks: provenance.Checks()})
			}
			if sentences {
				return listing.WriteSentences(c.OutOrStdout(), role, patterns, asJSON)
			}
			requirements, checks := listing.Find(role, patterns)
			if len(requirements) == 0 {
				return fmt.Errorf("nothing matches %s", strings.Join(patterns, " "))
			}
			if asJSON {
				return listing.WriteJSON(c.OutOrStdout(), requirements, checks)
			}
			if requirementsOnly {
				listing.WriteRequirements(c.OutOrStdout(), requirements, checks)
			} else {
				listing.WriteTable(c.OutOrStdout(), requirements, checks)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().BoolVar(&requirementsOnly, "requirements", false, "only the requirements: level in each profile, sources, "+
		"checks or the reason why there are none")
	c.Flags().BoolVar(&sentences, "sentences", false, "every normative sentence of the documents that bind here, and "+
		"what judges it")
	c.Flags().BoolVar(&snapshot, "snapshot", false, "the catalogue's version and digest and every check, by which later "+
		"programs take statements")
	c.Flags().StringVar(&role, "role", "", "only this role: ras, rs, client, idp")
	return c
}

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID…",
		Short: "Explain a check or a requirement: what is sent, what is expected, why it matters, how to fix it",
		Example: `  emaconform explain RAS-JTI-REPLAY
  emaconform explain 'RAS-AUD-EXACT/*'`,
		Args: func(_ *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return errors.New("name a check or a requirement, such as RAS-AUD-EXACT; `emaconform list` shows all")
			}
			return nil
		},
		RunE: func(c *cobra.Command, ids []string) error {
			for _, id := range ids {
				requirements, checks := listing.Find("", []string{id})
				if len(requirements) == 0 {
					return fmt.Errorf("there is no check and no requirement %q: `emaconform list` shows all%s", id,
						listing.Suggest(id))
				}
				for _, r := range requirements {
					listing.Explain(c.OutOrStdout(), r, checks)
				}
			}
			return nil
		},
	}
}
