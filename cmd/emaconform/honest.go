package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/rs"
	"github.com/emaconform/emaconform/fixtures/variants"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// allVariants are the choices that the reference target can make.
func allVariants() []matrix.Variant {
	var list []matrix.Variant
	for _, v := range variants.All() {
		list = append(list, matrix.Variant{ID: v.ID, Title: v.Title, Allows: v.Allows, Warns: v.Warns})
	}
	return list
}

// lawful are the choices of one role: all of them, the runs in which they are judged together, and what judges.
type lawful struct {
	all   []matrix.Variant
	runs  [][]string
	judge matrix.JudgeVariants
}

// lawfulOf are the choices of a role.
func lawfulOf(role string) (lawful, error) {
	switch role {
	case "server":
		return lawful{allVariants(), variants.Runs(), judgeVariants(&run.Keyring{})}, nil
	case "idp":
		return lawful{idpVariants(), idpVariantRuns(), judgeIdPVariants}, nil
	}
	return lawful{}, fmt.Errorf("--honest is for --role server and --role idp")
}

// only are the variants that match, one by one; without patterns the runs are left as they are.
func (l lawful) only(patterns []string) ([][]string, error) {
	if len(patterns) == 0 {
		return l.runs, nil
	}
	var list [][]string
	for _, v := range l.all {
		if matchesAny(patterns, v.ID) {
			list = append(list, []string{v.ID})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no variant matches %s: `emaconform matrix --honest --list` shows all", strings.Join(patterns, " "))
	}
	return list, nil
}

// judgeVariants judges the reference target with these choices.
func judgeVariants(keys *run.Keyring) matrix.JudgeVariants {
	return func(ctx context.Context, ids, checks []string) (*reports.Report, error) {
		reference := &embedded{variants: ids}
		defer reference.Close()
		options := run.Options{Config: &target.Config{}, Keyring: keys}
		options.Selection.Checks = checks
		options.Config.IdP.Alg = string(jose.ES256)
		if err := reference.configure(&options); err != nil {
			return nil, err
		}
		return run.Run(ctx, options)
	}
}

// differ gives a target with these choices the clients, and the TLS, that belong to them, before it starts.
func (e *embedded) differ(o *fixtures.Options, c *target.Config) error {
	chosen := func(id string) bool { return slices.Contains(e.variants, id) }
	switch {
	case chosen("described-clients"), chosen("described-public"):
		o.Clients, o.CIMD.AllowHTTP = nil, false
		auth := target.PrivateKeyJWT
		if chosen("described-public") {
			auth = target.NoAuthentication
		}
		c.Clients = []target.Client{{CIMD: true, Auth: auth}, {CIMD: true, Auth: auth}}
	case chosen("public-clients"):
		o.Clients = slices.Clone(o.Clients[:2])
		for i := range o.Clients {
			o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.PublicClient, ""
		}
	case chosen("secret-jwt"):
		o.Clients = slices.Clone(o.Clients)
		for i := range o.Clients {
			if o.Clients[i].Secret != "" {
				o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.ClientSecretJWT, rand.Text()+rand.Text()
			}
		}
	case chosen("mutual-tls"):
		return e.mutual(o, c)
	case chosen("self-signed-tls"):
		return e.selfSigned(o, c)
	}
	return nil
}

// selfSigned is mutual with certificates that nobody has issued: each is registered for its client.
func (e *embedded) selfSigned(o *fixtures.Options, c *target.Config) error {
	if err := e.mutual(o, c); err != nil {
		return err
	}
	e.clientCA, e.certificates, o.ClientCAs = "", map[string]string{}, nil
	for i := range o.Clients {
		k := &o.Clients[i]
		if k.AuthMethod != fixtures.TLSClientAuth {
			continue
		}
		file := filepath.Join(e.dir, k.ID+".pem")
		pem, err := mockidp.LoadOrCreateClientCertificate(file, k.ID)
		if err != nil {
			return err
		}
		pair, err := tls.X509KeyPair(pem, pem)
		if err != nil {
			return err
		}
		k.AuthMethod, k.Certificate, e.certificates[k.ID] = fixtures.SelfSignedTLS, pair.Certificate[0], file
	}
	return nil
}

// mutual has the target speak https and take clients' certificates.
func (e *embedded) mutual(o *fixtures.Options, c *target.Config) error {
	o.Clients = slices.Clone(o.Clients)
	for i := range o.Clients {
		if o.Clients[i].Secret != "" {
			o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.TLSClientAuth, ""
		}
	}
	servers, err := mockidp.NewCA()
	if err != nil {
		return err
	}
	if o.TLS, err = servers.TLSConfig(); err != nil {
		return err
	}
	o.TLS.ClientAuth = tls.RequestClientCert
	e.clientCA, c.CAFile = filepath.Join(e.dir, "client-ca.pem"), filepath.Join(e.dir, "target-ca.pem")
	clients, err := mockidp.LoadOrCreateCA(e.clientCA)
	if err != nil {
		return err
	}
	o.ClientCAs = clients.PEM()
	return os.WriteFile(c.CAFile, servers.PEM(), 0o600)
}

// told is what the owner of a target with these choices would write into the configuration.
func told(c *target.Config, ids []string) {
	if slices.Contains(ids, "read-implies-write") {
		c.ImpliedScopes = map[string][]string{fixtures.ScopeRead: {fixtures.ScopeWrite}}
	}
	if slices.Contains(ids, "origin-list") {
		c.AllowedOrigin = rs.AllowedOrigin
	}
	c.DPoP = slices.Contains(ids, "dpop-required")
}

// printHonest judges every lawful variant and prints what warns, and what is wrong.
func printHonest(c *cobra.Command, role string, list bool, patterns []string) error {
	out := c.OutOrStdout()
	l, err := lawfulOf(role)
	if err != nil {
		return err
	}
	if list {
		t := newTable(out)
		t.AppendHeader(table.Row{"variant", "choice", "allowed by"})
		for _, v := range l.all {
			t.AppendRow(table.Row{v.ID, v.Title, v.Allows})
		}
		t.Render()
		return nil
	}
	runs, err := l.only(patterns)
	if err != nil {
		return err
	}
	h, err := matrix.Honest(c.Context(), l.all, runs, l.judge, func(group []string) {
		fmt.Fprintf(c.ErrOrStderr(), "judged: %s\n", strings.Join(group, ", "))
	})
	if err != nil {
		return err
	}
	if len(h.Warnings) > 0 {
		t := newTable(out)
		t.AppendHeader(table.Row{"warns", "of a target that differs in", "because"})
		for _, w := range h.Warnings {
			t.AppendRow(table.Row{w.Check, w.Variant, w.Reason})
		}
		t.Render()
	}
	for _, p := range h.Problems {
		fmt.Fprintln(out, p)
	}
	fmt.Fprintf(out, "\n%d variants in %d runs: %d warnings with a reason, %d problems.\n",
		len(l.all), len(runs), len(h.Warnings), len(h.Problems))
	if len(h.Problems) > 0 {
		return exitCode(exitNotConformant)
	}
	return nil
}
