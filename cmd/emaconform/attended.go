package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/run"
)

// attendedFlags are the flags of a run with a person at the client.
type attendedFlags struct {
	on          bool
	listen      string
	basePort    int
	redirectURI string
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
	c.Flags().StringVar(
		&f.redirectURI,
		"redirect-uri",
		"",
		"the redirect URI that the client's logins end at (with --attended)",
	)
}

// run serves the page until the person presses Finish, or the program is interrupted.
func (f *attendedFlags) run(c *cobra.Command, o client.Options, report *reportFlags) error {
	return report.judge(c, func(ctx context.Context, _ run.Progress) (*reports.Report, error) {
		o.Describe = func(t *reports.Target) { t.Name = "attended client" }
		attended, err := client.NewAttended(ctx, o, f.basePort, f.redirectURI)
		if err != nil {
			return nil, err
		}
		listener, err := net.Listen("tcp", f.listen)
		if err != nil {
			return nil, fmt.Errorf("cannot serve the page: %w", err)
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
