package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/console"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/saml"
	"github.com/emaconform/emaconform/reports/terminal"
)

const mockIdPLong = `Serves a mock enterprise identity provider: OpenID Connect sign-in, and token exchange for ID-JAGs,
as Okta does it.

Without --config there are a few people, two clients and three connectors. To point it at a server of your own, name its
authorization server and its MCP server: --audience https://auth.example --resource https://mcp.example/mcp
--scope read.

It is for development and tests: anyone can sign in as anyone, and its secrets are printed.`

// mockIdPFlags are the flags of emaconform mockidp.
type mockIdPFlags struct {
	config, listen, issuer, keys, alg, ca string
	samlCertificate                       string
	flavour, silent, audit                string
	control, controlListen                string
	console                               string
	noControl, json, quiet                bool
	audience, resource, rasClient         string
	scopes, hosts                         []string
	secrets                               string
	fixedSecrets                          bool
	https, connector                      bool
	connectorListen                       string

	beside *beside // nil without --connector
}

func newMockIdP() *cobra.Command {
	f := &mockIdPFlags{}
	c := &cobra.Command{
		Use:   "mockidp",
		Short: "Serve a mock identity provider for development",
		Long:  mockIdPLong,
		Example: `  emaconform mockidp
  emaconform mockidp --connector --console=write
  emaconform mockidp --audience http://localhost:8080 --resource http://localhost:8080/mcp --scope notes.read
  emaconform mockidp --config idp.yaml --silent alice@acme.example`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.flavour == "help" {
				return flavour.Describe(c.OutOrStdout())
			}
			return f.serve(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.addShared(c)
	flags := c.Flags()
	flags.StringVarP(&f.config, "config", "c", "", "configuration file (YAML); reloaded when it changes")
	flags.StringVar(&f.listen, "listen", "", "address to listen on (default 127.0.0.1:9400)")
	flags.StringVar(&f.issuer, "issuer", "", "issuer identifier (default: from the address)")
	flags.StringVar(&f.keys, "keys", "",
		"file with the signing keys; made when it is missing (default: new keys each time)")
	flags.StringVar(&f.ca, "ca", "", "file with a CA for serving https; made when it is missing")
	flags.BoolVar(&f.https, "https", false, "serve https by a CA that stays (--ca; default: in the user's "+
		"configuration directory)")
	flags.BoolVar(&f.connector, "connector", false, "with a working connector beside it: an authorization server and "+
		"an MCP server that trust it")
	flags.StringVar(&f.connectorListen, "connector-listen", "127.0.0.1:9401", "address of that connector")
	flags.StringVar(&f.samlCertificate, "saml-certificate", "",
		"file with the certificate and key that sign SAML assertions; made when it is missing (default: new ones each time)")
	flags.StringVar(&f.silent, "silent", "", "login that is signed in without a page (login_hint names another)")
	flags.StringVar(&f.audit, "audit", "", "file that the audit log is appended to, as JSON lines")
	flags.StringVar(&f.secrets, "secrets", "",
		"file with the clients' secrets of the default configuration; made when it is missing (default: in the "+
			"user's configuration directory)")
	flags.BoolVar(&f.fixedSecrets, "fixed-secrets", false, "use the documented secrets of the default configuration, "+
		"which everyone knows")
	flags.StringVar(&f.control, "control-secret", "", "secret of the control API (default: a new one, printed)")
	flags.StringVar(&f.controlListen, "control-listen", "", "address of the control API (default: the issuer's, "+
		"below /control)")
	flags.StringVar(&f.console, "console", "", "serve a web console below /console: read (also without a value) or write")
	flags.Lookup("console").NoOptDefVal = "read"
	flags.StringSliceVar(&f.hosts, "allow-host", nil,
		"host name that requests may be for, besides the issuer's and localhost (repeatable; * is any)")
	flags.BoolVar(&f.noControl, "no-control", false, "no control API")
	flags.StringVar(&f.audience, "audience", "", "issuer of an authorization server of yours: a connector for it is added")
	flags.StringVar(&f.resource, "resource", "", "its MCP server's resource identifier")
	flags.StringSliceVar(&f.scopes, "scope", nil, "its scopes")
	flags.StringVar(&f.rasClient, "ras-client-id", "", "the clients' id there (default: their id here)")
	flags.BoolVar(&f.json, "json", false, "say what is served as one JSON object, for scripts")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no line for each decision")
	c.AddCommand(newMockIdPExport(), newMockIdPConfig())
	return c
}

// addShared adds the flags that say whose tokens it imitates.
func (f *mockIdPFlags) addShared(c *cobra.Command) {
	c.Flags().StringVar(&f.alg, "alg", "", "signature algorithm of new keys: RS256, ES256, EdDSA, PS256")
	c.Flags().StringVar(&f.flavour, "flavour", "", "whose tokens it imitates: "+strings.Join(flavour.Names(), ", ")+
		" (default "+flavour.Default+"; help says how they differ)")
}

func newMockIdPExport() *cobra.Command {
	f := &mockIdPFlags{}
	c := &cobra.Command{
		Use:   "export DIRECTORY --keys FILE",
		Short: "Write the issuer's metadata and public keys as files",
		Long: "Writes what a server needs to trust the mock identity provider without reaching it: its metadata and " +
			"its public keys.\nServe the files at the issuer's URL, or give jwks.json to the server. Keep --keys: " +
			"later runs sign with them.",
		Example: "  emaconform mockidp export ./idp --issuer https://idp.example --keys idp-keys.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("export takes one argument, the directory to write to, but got %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return f.export(c.OutOrStdout(), args[0]) },
	}
	f.addShared(c)
	c.Flags().StringVar(&f.keys, "keys", "", "file with the signing keys; made when it is missing (required)")
	c.Flags().StringVarP(&f.config, "config", "c", "", "configuration file (YAML) that names issuer or flavour")
	c.Flags().StringVar(&f.issuer, "issuer", "",
		"issuer identifier (default: the configuration's, or http://127.0.0.1:9400)")
	return c
}

func newMockIdPConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "config [FILE]",
		Short: "Check a configuration file; without one, print the default configuration to start from",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				raw, err := directory.Default().YAML()
				if err == nil {
					_, err = c.OutOrStdout().Write(raw)
				}
				return err
			}
			d, err := directory.Load(args[0])
			if err != nil {
				return terminal.Readable(args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is sound: %d users, %d clients, %d connectors, %d connections, %d policies\n",
				args[0], len(d.Users), len(d.Clients), len(d.Connectors), len(d.Connections), len(d.Policies))
			return nil
		},
	}
}

// load reads a configuration file, "" is the default configuration, and lays the flags over it.
func (f *mockIdPFlags) load(path string) (*directory.Directory, error) {
	d := directory.Default().Clone()
	if path != "" {
		var err error
		if d, err = directory.Load(path); err != nil {
			return nil, terminal.Readable(path, err)
		}
	}
	s := &d.Settings
	for into, value := range map[*string]string{&s.Listen: f.listen, &s.Issuer: f.issuer, &s.Flavour: f.flavour,
		&s.SilentLogin: f.silent} {
		if value != "" {
			*into = value
		}
	}
	if s.Listen == "" {
		s.Listen = "127.0.0.1:9400"
	}
	if f.beside != nil {
		return d, f.beside.add(d)
	}
	return d, f.addConnector(d)
}

// options are those that the flags and the configuration ask for.
func (f *mockIdPFlags) options() (o mockidp.ServerOptions, err error) {
	if o.Directory, err = f.load(f.config); err != nil {
		return o, err
	}
	s := o.Directory.Settings
	o.Listen, o.URL = s.Listen, s.Issuer
	style, err := flavour.Find(s.Flavour)
	if err != nil {
		return o, err
	}
	alg := jose.SignatureAlgorithm(f.alg)
	if alg == "" {
		alg = style.Algorithm
	}
	switch {
	case f.keys != "":
		// With one for ES256 besides, which the checks of `emaconform server` use when they are given this file.
		o.Keys, err = mockidp.LoadOrCreateKeySet(f.keys, slices.Compact([]jose.SignatureAlgorithm{alg, jose.ES256})...)
	case f.alg != "":
		o.Keys, err = mockidp.NewKeySet(alg)
	}
	return o, err
}

// addConnector adds the connector that the flags describe, and connects every client with it.
func (f *mockIdPFlags) addConnector(d *directory.Directory) error {
	if f.audience == "" {
		if f.resource != "" || len(f.scopes) > 0 || f.rasClient != "" {
			return errors.New("--resource, --scope and --ras-client-id need --audience: the issuer of your authorization server")
		}
		return nil
	}
	r := directory.Connector{ID: "yours", Name: "Yours", Audience: f.audience, Scopes: f.scopes,
		Assigned: directory.Assignment{Everyone: true}}
	if f.resource != "" {
		r.Resources = []string{f.resource}
	}
	d.Connectors = append(d.Connectors, r)
	for _, k := range d.Clients {
		id := f.rasClient
		if id == "" {
			id = k.ID
		}
		d.Connections = append(d.Connections, directory.Connection{Client: k.ID, Connector: r.ID, ClientID: id})
	}
	return d.Compile()
}

// keepSecrets replaces the documented secrets of the default configuration, and says where the others are.
func (f *mockIdPFlags) keepSecrets(d *directory.Directory, stderr io.Writer) (err error) {
	switch {
	case f.secrets != "" && (f.config != "" || f.fixedSecrets):
		return errors.New("--secrets is for the default configuration: leave it out with --config, which has its " +
			"own, and with --fixed-secrets")
	case f.config != "" || f.fixedSecrets:
		return nil
	case f.secrets == "":
		if f.secrets, err = secretsFile(); err != nil {
			return err
		}
	}
	if err = ownSecrets(d, f.secrets); err == nil {
		fmt.Fprintf(stderr, "The clients' secrets are kept in %s (--fixed-secrets: the documented ones).\n", f.secrets)
	}
	return err
}

// memoryGoal is what the collector of garbage works towards. What clients make the mock IdP hold is bounded below it.
const memoryGoal = 150 << 20

func (f *mockIdPFlags) serve(ctx context.Context, stdout, stderr io.Writer) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	o.NextKey, o.AllowedHosts = true, f.hosts
	if err := f.keepSecrets(o.Directory, stderr); err != nil {
		return err
	}
	o.Log = slog.New(slog.NewTextHandler(stderr, nil))
	if o.ControlListen = f.controlListen; !f.noControl {
		if o.ControlSecret = f.control; o.ControlSecret == "" {
			o.ControlSecret = rand.Text()
		}
	}
	if err := f.certificates(&o); err != nil {
		return err
	}
	if f.audit != "" {
		file, err := os.OpenFile(f.audit, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		o.AuditLines = file
	}
	if f.connector {
		if f.beside, err = f.startBeside(ctx, &o); err != nil {
			return err
		}
		defer func() { _ = f.beside.target.Close() }() // it ends with the process
		if err := f.beside.add(o.Directory); err != nil {
			return err
		}
	}
	if o.Console, err = f.consoleHandler(); err != nil {
		return err
	}
	debug.SetMemoryLimit(memoryGoal)
	server, err := mockidp.Serve(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }() // it ends with the process
	if f.config != "" {
		if err := server.Watch(ctx, f.config, f.load, reloaded(stderr, f.config)); err != nil {
			return err
		}
	}
	if err := f.announce(stdout, stderr, server, o); err != nil {
		return err
	}
	if !f.quiet {
		narrate(ctx, stderr, server)
	}
	<-ctx.Done()
	return nil
}

// certificates are what the server shows: of a CA for https, and for signing in by SAML.
func (f *mockIdPFlags) certificates(o *mockidp.ServerOptions) (err error) {
	if f.https && f.ca == "" {
		if f.ca, err = keptCA(); err != nil {
			return err
		}
	}
	if f.ca != "" {
		if o.CA, err = mockidp.LoadOrCreateCA(f.ca); err != nil {
			return err
		}
	}
	if f.samlCertificate != "" {
		o.SAMLCertificate, err = saml.LoadOrCreateCertificate(f.samlCertificate)
	}
	return err
}

func (f *mockIdPFlags) consoleHandler() (func(*mockidp.IdP) http.Handler, error) {
	switch f.console {
	case "":
		return nil, nil
	case "read", "write":
		options := console.Options{Write: f.console == "write", Judges: judges}
		if f.beside != nil {
			options.Connector = &console.Connector{ID: besideID, Log: f.beside.log}
		}
		return options.Handler, nil
	}
	return nil, fmt.Errorf("--console=%s: expected read or write", f.console)
}

func reloaded(stderr io.Writer, path string) func(error) {
	return func(err error) {
		if err != nil {
			fmt.Fprintf(stderr, "not reloaded, the configuration stays as it was: %v\n", err)
			return
		}
		fmt.Fprintf(stderr, "reloaded %s\n", path)
	}
}

func (f *mockIdPFlags) export(stdout io.Writer, dir string) error {
	if f.keys == "" {
		return errors.New("--keys is missing: without the private keys in a file nobody could sign for the exported ones")
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	if o.URL == "" {
		o.URL = "http://" + o.Listen
	}
	idp, err := mockidp.NewIdP(o)
	if err != nil {
		return err
	}
	paths, err := idp.Export(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "issuer %s\nprivate keys %s (keep them, and keep them to yourself)\n", o.URL, f.keys)
	for _, p := range paths {
		fmt.Fprintln(stdout, "wrote", p)
	}
	return nil
}

// remote reports whether an address can be reached from other machines.
func remote(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback())
}
