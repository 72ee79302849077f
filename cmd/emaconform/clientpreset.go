package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/client/drive"
)

// apply makes a run one for the preset's client: over https, with its redirect URIs, attended unless its command line
// is driven.
func (f *clientFlags) apply(p drive.Recipe) {
	if client, ok := drive.Find(p.Name); ok && !f.attended.on {
		f.driven = &client
	} else if f.attended.on, f.attended.preset = true, &p; f.ca == "" {
		f.ca = "emaconform-ca.pem"
	}
	f.https = true
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
	if o.Command, o.Environment, err = f.driven.Drive(path, drive.Options{}); err != nil {
		return err
	}
	o.LogsIn, o.OwnHome, o.ConnectsOnly = true, true, f.driven.ConnectsOnly
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
