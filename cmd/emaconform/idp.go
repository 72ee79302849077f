package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/idp/config"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/idp/signin"
)

// idpFlags are the flags of `emaconform idp`.
type idpFlags struct {
	issuer    string
	config    string
	name      string
	profile   string
	checks    []string
	labels    string
	workers   int
	intrusive bool
	listen    string
	defects   []string
	variants  []string
	roundTrip time.Duration
	timeout   time.Duration
	reportFlags
}

const idpLong = `Judges an identity provider that issues ID-JAGs: signs people in, makes honest and hostile token
exchanges, and looks at what comes back.

Without --issuer and --config it judges the mock IdP that is built in, set up as a conformant one. For one of yours,
` + "`emaconform config --role idp`" + ` prints a configuration with every key. Signing in works in four ways: a
command that prints a token response, a file with one, HTML forms that are filled in, and a page that walks a person
through it.`

func newIdP() *cobra.Command {
	f := &idpFlags{}
	c := &cobra.Command{
		Use:   "idp",
		Short: "Judge an identity provider that issues ID-JAGs",
		Long:  idpLong,
		Example: `  emaconform idp
  emaconform idp --issuer https://acme.example --config idp.yaml
  emaconform idp --config idp.yaml --check 'IDP-PAIRING'
  emaconform idp --defect resource-copied`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("idp takes no arguments, but got %q: is it the --issuer?", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := fromEnvironment(c.Flags(), os.Environ()); err != nil {
				return err
			}
			return f.run(c)
		},
	}
	c.Flags().StringVar(&f.issuer, "issuer", "", "issuer identifier of the identity provider")
	c.Flags().StringVarP(&f.config, "config", "c", "", "configuration file (YAML)")
	c.Flags().StringVar(&f.name, "name", "", "what reports call the identity provider")
	c.Flags().StringVar(&f.profile, "profile", catalogue.ProfileEMA, profileHelp)
	c.Flags().StringSliceVar(&f.checks, "check", nil, "only these checks or requirements; * and ? match")
	c.Flags().StringVar(&f.labels, "label", "", "only checks with these labels, e.g. 'must && !slow'")
	c.Flags().IntVar(&f.workers, "workers", 0, "how many requests at a time, at most (default: as many as the "+
		"identity provider bears)")
	c.Flags().BoolVar(&f.intrusive, "intrusive", false, "also checks that could hurt an identity provider which is "+
		"not on loopback")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8639", "where to serve the page for sign_in: attended")
	c.Flags().StringSliceVar(&f.defects, "defect", nil, "switch defects on in the reference identity provider (see "+
		"emaconform matrix --role idp --list)")
	c.Flags().StringSliceVar(&f.variants, "variant", nil,
		"switch honest differences on in the reference identity provider")
	c.Flags().DurationVar(&f.roundTrip, "round-trip", 0, "put the reference identity provider this far away")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "time limit of the whole run (default 15m)")
	f.add(c)
	return c
}

func (f *idpFlags) run(c *cobra.Command) error {
	switch {
	case knownProfile(f.profile) != nil:
		return knownProfile(f.profile)
	case f.workers < 0:
		return fmt.Errorf("--workers %d: expected 0 (choose for me) or more", f.workers)
	case f.roundTrip < 0:
		return fmt.Errorf("--round-trip %s: expected 0 or more", f.roundTrip)
	}
	if err := timeLimits(c.Flags(), "timeout"); err != nil {
		return err
	}
	options := idprun.Options{
		Profile: f.profile, Selection: engine.Selection{Checks: f.checks, Labels: f.labels}, Workers: f.workers,
		Intrusive: f.intrusive,
		Nonce:     f.nonce,
		Seed:      f.seed,
	}
	if f.issuer == "" && f.config == "" {
		reference := &demo.IdP{Defects: f.defects, Variants: f.variants, RoundTrip: f.roundTrip}
		defer reference.Close()
		if err := reference.Configure(c.Context(), &options); err != nil {
			return err
		}
	} else {
		if len(f.defects)+len(f.variants) > 0 || f.roundTrip > 0 {
			return fmt.Errorf("--defect, --variant and --round-trip are for the reference identity provider, not for " +
				"one of yours")
		}
		var err error
		if options.Config, err = f.load(); err != nil {
			return err
		}
		options.Attend = attend(c, f.listen)
	}
	if f.timeout > 0 {
		options.Config.Timing.Run = f.timeout
	}
	return f.judge(c, func(ctx context.Context, p engine.Progress) (*reports.Report, error) {
		options.Progress = p
		return idprun.Run(ctx, options)
	})
}

// load reads the file, and lays the flags over it.
func (f *idpFlags) load() (*config.Config, error) {
	if f.config == "" {
		return nil, fmt.Errorf("--issuer alone says too little: name clients, targets, users and how they sign in " +
			"with --config (`emaconform config --role idp` prints a file to start from)")
	}
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	if f.issuer != "" {
		c.IdP.Issuer = f.issuer
	}
	if f.name != "" {
		c.Name = f.name
	}
	return c, nil
}

// attend serves the page on which a person signs in, and waits for them.
func attend(c *cobra.Command, listen string) func(context.Context, *signin.Desk, []signin.Ask) error {
	return func(ctx context.Context, d *signin.Desk, asks []signin.Ask) error {
		return d.Attend(ctx, listen, asks, c.ErrOrStderr())
	}
}
