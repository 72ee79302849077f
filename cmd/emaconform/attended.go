package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/emaconform/emaconform/reports"
	page "github.com/emaconform/emaconform/suites/attended"
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
	all      bool
	secret   string
	state    string
	preset   *drive.Recipe // whose client it is; nil: any
}

func (f *attendedFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.on, "attended", false, "serve a page that walks a person through the scenarios with a desktop "+
		"client or IDE")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8639", "where to serve the page (with --attended)")
	c.Flags().IntVar(&f.basePort, "base-port", 8640, "first of the ports of the parties (with --attended)")
	c.Flags().BoolVar(&f.all, "all", false, "every scenario, where --attended has those of most weight without --check "+
		"and --label")
	c.Flags().StringVar(&f.secret, "secret", "", "what the client's secrets end in, 16 characters or more (with "+
		"--attended; default: the one in the state file). The environment variable is safer: other users see command lines")
	c.Flags().StringVar(&f.state, "state", "", "file that keeps the client's secrets for the next run (with --attended; "+
		"default: emaconform/client.json where the user's configuration is)")
}

// given are the flags that mean nothing without --attended, of those that were given.
func (*attendedFlags) given(f *pflag.FlagSet) []string {
	absent := func(name string) bool { return !f.Changed(name) }
	return slices.DeleteFunc([]string{"listen", "base-port", "all", "secret", "state"}, absent)
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

// attendedState is what stays from one attended run to the next.
type attendedState struct {
	Secret string `json:"secret"` // what the client's secrets end in
}

// shortestSecret is what a secret of one's own must have, in characters.
const shortestSecret = 16

// kept is the end of the client's secrets: the one that was given, or else the one of the last run, which the state
// file has.
func (f *attendedFlags) kept() (string, error) {
	if f.secret != "" {
		unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
		if len(f.secret) < shortestSecret || strings.ContainsFunc(f.secret, unprintable) {
			return "", fmt.Errorf("--secret: expected %d printable ASCII characters or more, without blanks", shortestSecret)
		}
		return f.secret, nil
	}
	if f.state == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", fmt.Errorf("there is no place to keep the client's secrets in: %w; name a file with --state", err)
		}
		f.state = filepath.Join(dir, "emaconform", "client.json")
	}
	var state attendedState
	text, err := os.ReadFile(f.state)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		state.Secret = rand.Text()
	case err != nil:
		return "", fmt.Errorf("--state: %w", err)
	case json.Unmarshal(text, &state) != nil || len(state.Secret) < shortestSecret:
		return "", fmt.Errorf("--state %s: expected a JSON object with a secret; delete it to have a new one made", f.state)
	default:
		return state.Secret, nil
	}
	if text, err = json.Marshal(state); err == nil {
		err = os.MkdirAll(filepath.Dir(f.state), 0o700)
	}
	if err == nil {
		err = os.WriteFile(f.state, append(text, '\n'), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("--state: cannot keep the client's secrets: %w", err)
	}
	return state.Secret, nil
}

// run serves the page until the person presses Finish, or the program is interrupted.
func (f *attendedFlags) run(c *cobra.Command, o client.Options, report *reportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	var err error
	if o.Attended.Secret, err = f.kept(); err != nil {
		return err
	}
	o.Attended.Short = !f.all && len(o.Selection.Checks) == 0 && o.Selection.Labels == ""
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
		stop, at, err := page.Serve(f.listen, attended.Handler())
		if err != nil {
			return nil, fmt.Errorf("--listen: cannot serve the page: %w", err)
		}
		fmt.Fprintf(c.ErrOrStderr(), "Open http://%s in a browser. Ctrl-C or the page's Finish button ends the run.\n", at)
		select {
		case <-attended.Finished():
		case <-ctx.Done():
		}
		stop()
		return attended.Report(), nil
	})
}
