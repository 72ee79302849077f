package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/client/drive"
)

// settle puts together what was given, what a preset says, and what the last attended run had.
func (f *clientFlags) settle(c *cobra.Command) error {
	var recipe *drive.Recipe
	if f.preset != "" {
		p, err := drive.FindRecipe(f.preset)
		if err != nil {
			return err
		}
		recipe = &p
		if client, ok := drive.Find(p.Name); ok && !f.attended.on {
			f.driven = &client
		} else {
			f.attended.on, f.attended.preset = true, recipe
		}
	}
	if f.attended.on {
		taken, err := f.attended.restore(c.Flags(), f.preset)
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "As in the last run, by %s: %s\n", f.attended.state, strings.Join(taken, " "))
		}
	}
	f.https = f.https || f.ca != ""
	if recipe != nil {
		f.apply(recipe)
	}
	if f.attended.on && f.ca == "" && f.attended.publicURL == "" { // beside the state, so that its path stays
		if err := os.MkdirAll(filepath.Dir(f.attended.state), 0o700); err != nil {
			return fmt.Errorf("there is no place to keep the CA in: %w; name a file with --ca", err)
		}
		f.ca = strings.TrimSuffix(f.attended.state, ".json") + "-ca.pem"
	}
	return nil
}

// apply makes a run one for the preset's client: over https, with its redirect URIs.
func (f *clientFlags) apply(p *drive.Recipe) {
	f.https = f.https || f.attended.publicURL == ""
	f.confidential = f.confidential || p.Confidential()
	for _, uri := range p.Redirects {
		if !slices.Contains(f.redirectURIs, uri) {
			f.redirectURIs = append(f.redirectURIs, uri)
		}
	}
}

// drive lets the run judge the installation of the preset's client: the one behind --, or the one in PATH.
func (f *clientFlags) drive(ctx context.Context, o *client.Options) error {
	if len(o.Command) > 1 {
		return fmt.Errorf("--preset %s: expected nothing but the name of the client's program behind --", f.preset)
	}
	path, err := f.driven.Locate(ctx, strings.Join(o.Command, ""))
	if err != nil {
		return fmt.Errorf("--preset %w. With --attended a page says what to type", err)
	}
	if o.Command, o.Environment, err = f.driven.Drive(path, drive.Options{Given: f.loggedIn}); err != nil {
		return err
	}
	o.LogsIn, o.OwnHome, o.ConnectsOnly = !f.loggedIn, true, f.driven.ConnectsOnly
	o.Describe = func(t *reports.Target) { t.Name, t.Command = f.preset, path }
	return nil
}

// beforeTerminal gives the client of a run a terminal of its own.
func beforeTerminal(o *client.Options) error {
	shown := *o
	args, environment, err := drive.BeforeTerminal(o.Command)
	o.Command, o.Environment = args, append(o.Environment, environment...)
	o.Describe = func(t *reports.Target) { t.Command = strings.Join(shown.Command, " ") }
	return err
}
