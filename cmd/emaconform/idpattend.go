package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/suites/idp/signin"
)

// attend serves the page on which a person signs in, and waits for them.
func attend(c *cobra.Command, listen string) func(context.Context, *signin.Desk, []signin.Ask) error {
	return func(ctx context.Context, d *signin.Desk, asks []signin.Ask) error {
		return d.Attend(ctx, listen, asks, c.ErrOrStderr())
	}
}
