package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/client/drive"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/target"
)

// attendedFlags are the flags of a run with a person at the client.
type attendedFlags struct {
	on       bool
	listen   string
	basePort int
	preset   *drive.Recipe // whose client it is; nil: any
}

func (f *attendedFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(
		&f.on,
		"attended",
		false,
		"serve a page that walks a person through the scenarios with a desktop client or IDE",
	)
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8639", "where to serve the page (with --attended)")
	c.Flags().IntVar(&f.basePort, "base-port", 8640, "first of the ports of the parties (with --attended)")
}

// given are the flags that mean nothing without --attended, of those that were given.
func (*attendedFlags) given(f *pflag.FlagSet) []string {
	absent := func(name string) bool { return !f.Changed(name) }
	return slices.DeleteFunc([]string{"listen", "base-port"}, absent)
}

// lastBasePort leaves a port to each of the parties of the largest world, and one for the end of a login.
const lastBasePort = 65535 - world.MaxParties

// check finds values that no run could use.
func (f *attendedFlags) check() error {
	if f.basePort < 1 || f.basePort > lastBasePort {
		return fmt.Errorf("--base-port %d: expected 1 to %d", f.basePort, lastBasePort)
	}
	return nil
}

// redirectable tells whether a login of a client can end there. An application's own scheme ought to have a dot
// (RFC 8252 7.1), but those of well-known IDEs have none.
func redirectable(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Opaque != "" || strings.Contains(uri, "#") { // opaque: localhost:8080 is no scheme
		return false
	}
	switch u.Scheme {
	case "http":
		return target.Loopback(uri)
	case "https":
		return u.Hostname() != ""
	}
	return u.Scheme != "" && u.Host+u.Path != ""
}

// run serves the page until the person presses Finish, or the program is interrupted.
func (f *attendedFlags) run(c *cobra.Command, o client.Options, report *reportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	return report.judge(c, func(ctx context.Context, _ engine.Progress) (*reports.Report, error) {
		o.Describe = func(t *reports.Target) { t.Name = "attended client" }
		attended, err := client.NewAttended(ctx, o, f.basePort)
		if err != nil {
			return nil, err
		}
		if f.preset != nil {
			if err := f.preset.Print(c.ErrOrStderr(), attended.Settings(), o.CAFile); err != nil {
				return nil, err
			}
		}
		listener, err := net.Listen("tcp", f.listen)
		if err != nil {
			return nil, fmt.Errorf("--listen: cannot serve the page: %w", err)
		}
		server := &http.Server{Handler: attended.Handler(), ReadHeaderTimeout: 10 * time.Second}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		fmt.Fprintf(
			c.ErrOrStderr(),
			"Open http://%s in a browser. Ctrl-C or the page's Finish button ends the run.\n",
			listener.Addr(),
		)
		select {
		case <-attended.Finished():
		case <-ctx.Done():
		case err := <-served:
			return nil, err
		}
		shutdown, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := server.Shutdown(shutdown); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return attended.Report(), nil
	})
}
