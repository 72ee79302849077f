package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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
	kept     attendedState // for the next run

	bind, publicURL             string
	certificate, certificateKey string

	preset *drive.Recipe // whose client it is; nil: any
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
	c.Flags().StringVar(&f.state, "state", "", "file that keeps settings and the client's secrets for the next run (with "+
		"--attended; default: emaconform/client.json, or client-PRESET.json, where the user's configuration is)")
	c.Flags().StringVar(&f.bind, "bind", "", "address of this machine that the parties listen on, for a client that is "+
		"not on it (with --attended; default 127.0.0.1)")
	c.Flags().StringVar(&f.publicURL, "public-url", "", "origin by which the client knows the parties, all at the first "+
		"port: https://ema.example has a path for each, https://{party}.ema.example a name (with --attended)")
	c.Flags().StringVar(&f.certificate, "certificate", "", "PEM file with your certificate for --public-url, and those "+
		"between it and its CA; none: whoever is in front speaks TLS")
	c.Flags().StringVar(&f.certificateKey, "certificate-key", "", "PEM file with its private key")
}

// given are the flags that mean nothing without --attended, of those that were given.
func (*attendedFlags) given(f *pflag.FlagSet) []string {
	absent := func(name string) bool { return !f.Changed(name) }
	return slices.DeleteFunc([]string{"listen", "base-port", "all", "secret", "state", "bind", "public-url",
		"certificate", "certificate-key"}, absent)
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

// place is where the parties are; an error says what of it no client could reach.
func (f *attendedFlags) place() (p world.Place, err error) {
	p = world.Place{Bind: f.bind, PublicURL: f.publicURL}
	ip := net.ParseIP(f.bind)
	if f.publicURL == "" {
		switch {
		case f.certificate+f.certificateKey != "":
			return p, errors.New("--certificate is for --public-url: say by which names the client reaches it")
		case ip != nil && ip.IsUnspecified():
			return p, fmt.Errorf("--bind %s: these are all addresses of this machine: say by which one the client reaches "+
				"it with --public-url, or bind that one", f.bind)
		}
		return p, nil
	}
	u, err := url.Parse(strings.Replace(f.publicURL, world.PartyPlaceholder, "idp", 1))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery+u.Fragment != "" || u.User != nil || strings.Contains(u.Host, "{") {
		return p, fmt.Errorf("--public-url %q: expected an origin such as https://ema.example, or with a name for each "+
			"party https://{party}.ema.example", f.publicURL)
	}
	switch {
	case (f.certificate == "") != (f.certificateKey == ""):
		return p, errors.New("--certificate and --certificate-key are two files that belong together: give both")
	case f.certificate == "":
		return p, nil
	case u.Scheme != "https":
		return p, fmt.Errorf("--certificate is for https, but --public-url is %s", f.publicURL)
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.certificateKey)
	if err != nil {
		return p, fmt.Errorf("--certificate: %w", err)
	}
	p.Certificate = &pair
	return p, f.covers(p)
}

// covers wants a certificate that is good today, for the host of every party.
func (f *attendedFlags) covers(p world.Place) error {
	leaf := p.Certificate.Leaf
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return fmt.Errorf("--certificate %s: it is good from %s to %s", f.certificate, leaf.NotBefore.Format(time.DateOnly),
			leaf.NotAfter.Format(time.DateOnly))
	}
	for _, origin := range p.Origins() {
		u, err := url.Parse(origin)
		if err == nil {
			err = leaf.VerifyHostname(u.Hostname())
		}
		if err != nil {
			return fmt.Errorf("--certificate %s is not for %s: it is for %s", f.certificate, origin,
				strings.Join(leaf.DNSNames, ", "))
		}
	}
	return nil
}

// run serves the page until the person presses Finish, or the program is interrupted.
func (f *attendedFlags) run(c *cobra.Command, o client.Options, report *reportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	var err error
	if o.Place, err = f.place(); err != nil {
		return err
	}
	o.Attended = client.Attention{Secret: f.secret,
		Short: !f.all && len(o.Selection.Checks) == 0 && o.Selection.Labels == ""}
	if f.preset != nil {
		o.Attended.Recipe = f.preset.Text
	}
	return report.judge(c, func(ctx context.Context, _ engine.Progress) (*reports.Report, error) {
		o.Describe = func(t *reports.Target) { t.Name = "attended client" }
		attended, err := client.NewAttended(ctx, o, f.basePort)
		if err != nil {
			return nil, err
		}
		if f.preset != nil {
			text, err := f.preset.Text(attended.Settings())
			if err != nil {
				return nil, err
			}
			fmt.Fprint(c.ErrOrStderr(), text)
		}
		f.whereabouts(c.ErrOrStderr(), o.Place)
		stop, at, err := page.Serve(f.listen, attended.Handler())
		if err != nil {
			return nil, fmt.Errorf("--listen: cannot serve the page: %w: choose another address with --listen", err)
		}
		if err := f.save(); err != nil { // now that all of it has proved to be usable
			stop()
			return nil, err
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

// whereabouts says what others can reach, and what has to lead there.
func (f *attendedFlags) whereabouts(w io.Writer, p world.Place) {
	if ip := net.ParseIP(p.Bind); p.Bind != "" && (ip == nil || !ip.IsLoopback()) {
		fmt.Fprintf(w, "Other machines can reach the parties at %s: an identity provider that lets everybody in. Trust it "+
			"nowhere else.\n", p.Bind)
	}
	if p.PublicURL == "" {
		return
	}
	at := net.JoinHostPort(cmp.Or(p.Bind, "127.0.0.1"), strconv.Itoa(f.basePort))
	speaks := "speaks TLS with your certificate"
	if p.Certificate == nil {
		speaks = "speaks http: whoever is in front speaks TLS, if anybody, and passes the Host header on"
	}
	where := p.PublicURL
	if !p.Paths() {
		where = strings.Join(p.Origins(), ", ")
	}
	fmt.Fprintf(w, "The parties are all at %s, which %s. What has to lead there: %s\n", at, speaks, where)
}
