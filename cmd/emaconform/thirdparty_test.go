package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

var update = flag.Bool("update-baselines", false, "write the baselines of third-party servers anew, keeping the reasons")

// Servers that nobody here wrote. What fails on them is listed, with a reason for each, beside their drivers; anything else
// that fails, and anything listed that passes, fails this test.
func TestThirdPartyServers(t *testing.T) {
	for _, kind := range thirdparty.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			report, err := run.Run(t.Context(), thirdPartyRun(t, kind))
			if errors.Is(err, thirdparty.ErrNotInstalled) {
				t.Skip(err) // make test installs what is needed
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(report.Ended).To(BeEmpty(), report.Problem)
			path := filepath.Join("..", "..", "fixtures", "thirdparty", string(kind), "baseline.yaml")
			baseline, err := reports.LoadBaseline(path)
			if err == nil {
				baseline.Apply(report)
			}
			if *update {
				file, err := os.Create(path)
				g.Expect(err).NotTo(HaveOccurred())
				defer file.Close()
				g.Expect(reports.WriteBaseline(file, report)).To(Succeed())
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			for _, id := range report.Baseline.Unexpected {
				t.Errorf("%s is not expected: %s", id, message(report, id))
			}
			g.Expect(report.Baseline.Stale).To(BeEmpty(), "these pass now: take them off the list")
			g.Expect(report.Baseline.Unknown).To(BeEmpty(), "there are no such checks")
			g.Expect(report.Counts()[reports.Pass]).To(BeNumerically(">", 150), "most of it works on a real server")
		})
	}
}

func message(r *reports.Report, id string) string {
	for _, c := range r.Checks {
		if c.ID == id {
			return string(c.Outcome) + ": " + c.Message
		}
	}
	return ""
}

// thirdPartyRun is a run against a server of this kind, started when the mock IdP is there for it to trust.
func thirdPartyRun(t *testing.T, kind thirdparty.Kind) run.Options {
	c := &target.Config{
		Name: string(kind), Scopes: []string{"notes.read", "notes.write"},
		IdP:       target.IdP{CA: filepath.Join(t.TempDir(), "ca.pem")},
		SecondIdP: &target.IdP{Users: []target.User{{Sub: "second-alice"}, {Sub: "second-bob"}}},
		Users:     []target.User{{Sub: "alice"}, {Sub: "bob"}},
	}
	c.SecondIdP.CA = c.IdP.CA
	c.Redeem.Scope = kind == thirdparty.Fosite                  // which takes scopes from the parameter alone
	c.Redeem.Resource = kind == thirdparty.WorkersOAuthProvider // which takes no resource but its first one from the claim alone
	var selection engine.Selection
	if kind != thirdparty.Fosite {
		// They fetch keys twice a minute at most, so checks that change them would take a quarter of an hour.
		selection.Labels = "!serial || RAS-RATE"
	}
	return run.Options{Config: c, Selection: selection, Register: func(ctx context.Context, trust run.Trust, c *target.Config) error {
		server, err := thirdparty.Start(context.WithoutCancel(ctx), kind, thirdparty.Config{
			CA: trust.IdP.CA,
			Issuers: []thirdparty.Issuer{
				{Issuer: trust.IdP.Issuer, JWKSURI: trust.IdP.JWKSURI}, {Issuer: trust.Second.Issuer, JWKSURI: trust.Second.JWKSURI}},
			Clients: []thirdparty.Client{{ID: "connector-a", Secret: "connector-a-secret-0123456789"}, {ID: "connector-b", Secret: "connector-b-secret-0123456789"}},
			Users: []thirdparty.User{
				{Issuer: trust.IdP.Issuer, Subject: "alice"}, {Issuer: trust.IdP.Issuer, Subject: "bob"},
				{Issuer: trust.Second.Issuer, Subject: "second-alice"}, {Issuer: trust.Second.Issuer, Subject: "second-bob"}},
			Scopes: c.Scopes, RequiredScopes: []string{"notes.read"}, ResourcePaths: []string{"/mcp", "/mcp2"},
		})
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = server.Stop() })
		c.URL, c.SecondServer = server.Resources[0], server.Resources[1]
		for _, k := range server.Clients {
			c.Clients = append(c.Clients, target.Client{ID: k.ID, Secret: k.Secret})
		}
		return nil
	}}
}
