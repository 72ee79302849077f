package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/target"
)

// against judges an identity provider that nobody here wrote, by its baseline: what fails is listed there, with
// reasons.
func against(t *testing.T, folder string, c *config.Config, enough int) {
	t.Helper()
	g := NewWithT(t)
	report, err := idprun.Run(t.Context(), idprun.Options{Config: c})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Ended).To(BeEmpty(), report.Problem)
	path := filepath.Join("..", "..", "fixtures", "thirdparty", folder, "baseline.yaml")
	if *update {
		if baseline, err := reports.LoadBaseline(path); err == nil {
			baseline.Apply(report)
		}
		file, err := os.Create(path)
		g.Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		g.Expect(reports.WriteBaseline(file, report)).To(Succeed())
		return
	}
	baseline, err := reports.LoadBaseline(path)
	g.Expect(err).NotTo(HaveOccurred())
	baseline.Apply(report)
	for _, id := range report.Baseline.Unexpected {
		t.Errorf("%s is not expected: %s", id, message(report, id))
	}
	g.Expect(report.Baseline.Stale).To(BeEmpty(), "these pass now: take them off the list")
	g.Expect(report.Baseline.Unknown).To(BeEmpty(), "there are no such checks")
	g.Expect(report.Counts()[reports.Pass]).To(BeNumerically(">", enough))
}

// oidc-provider, signed in to through its own HTML forms: name and password, then consent.
func TestThirdPartyIdentityProvider(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	g := NewWithT(t)
	const redirect = "https://client.example/cb"
	clients := []thirdparty.Client{{ID: "agent", Secret: "agent-secret-agent-secret", RedirectURI: redirect},
		{ID: "other", Secret: "other-secret-other-secret", RedirectURI: redirect}}
	p, err := thirdparty.Start(t.Context(), thirdparty.OIDCProvider, thirdparty.Config{Clients: clients})
	if errors.Is(err, thirdparty.ErrNotInstalled) {
		t.Skip(err)
	}
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Log())
		}
		_ = p.Stop()
	})
	form := config.SignIn{Form: &config.Form{Password: "any-password-will-do"}}
	c := &config.Config{
		Name: "oidc-provider", IdP: config.IdP{Issuer: p.Issuer, Prompt: "consent"}, // else it ignores offline_access
		Targets: []config.Target{
			{Audience: "https://as.notes.example", Resource: "https://mcp.notes.example/mcp",
				Scopes:         []string{"notes.read", "notes.write"},
				ForbiddenScope: "notes.admin"},
			{Audience: "https://as.tickets.example", Resource: "https://mcp.tickets.example/mcp",
				Scopes: []string{"tickets.read"}},
		},
		Users: []config.User{{Login: "alice", SignIn: form},
			{Login: "bob", SignIn: config.SignIn{Form: &config.Form{Password: "any-password-will-do"}}}},
	}
	for _, k := range clients {
		c.Clients = append(c.Clients, config.Client{Client: target.Client{ID: k.ID, Secret: k.Secret},
			RedirectURI: redirect})
	}
	against(t, string(thirdparty.OIDCProvider), c, 80)
}

// The identity provider inside the official conformance runner, which starts it for a client: the client waits here
// while it is judged.
func TestIdentityProviderOfTheOfficialRunner(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	g := NewWithT(t)
	argv, err := thirdparty.ConformanceRunner(t.Context())
	if errors.Is(err, thirdparty.ErrNotInstalled) {
		t.Skip(err)
	}
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	script := filepath.Join(dir, "client.sh")
	g.Expect(os.WriteFile(script, []byte(`printf %s "$MCP_CONFORMANCE_CONTEXT" > `+dir+`/writing
mv `+dir+`/writing `+dir+`/context
while [ ! -e `+dir+`/done ]; do sleep 0.1; done
`), 0o600)).To(Succeed())
	ctx, cancel := context.WithCancel(t.Context())
	runner := exec.CommandContext(ctx, argv[0], append(argv[1:], "client", "--command", "sh "+script,
		"--scenario", "auth/enterprise-managed-authorization", "--timeout", "120000")...)
	runner.WaitDelay = 5 * time.Second
	g.Expect(runner.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = os.WriteFile(filepath.Join(dir, "done"), nil, 0o600)
		cancel()
		_ = runner.Wait() // it fails: the client did nothing
	})
	var given struct {
		Issuer string `json:"idp_issuer"`
		Client string `json:"idp_client_id"`
		Token  string `json:"idp_id_token"`
	}
	g.Eventually(func() error {
		raw, err := os.ReadFile(filepath.Join(dir, "context"))
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &given)
	}).WithTimeout(time.Minute).Should(Succeed())
	tokens := filepath.Join(dir, "alice.json")
	g.Expect(os.WriteFile(tokens, []byte(`{"id_token":"`+given.Token+`"}`), 0o600)).To(Succeed())
	against(t, "idp-conformance-runner", &config.Config{
		Name: "identity provider of the official runner", IdP: config.IdP{Issuer: given.Issuer},
		Clients: []config.Client{{Client: target.Client{ID: given.Client, Auth: "none"}}},
		Targets: []config.Target{{Audience: strings.Replace(given.Issuer, "127.0.0.1", "localhost", 1) + "/as",
			Resource: "https://mcp.example/mcp",
			Scopes:   []string{"notes.read"}}},
		Users: []config.User{{Login: "demo-user@example.com", SignIn: config.SignIn{Tokens: map[string]string{"": tokens}}}},
	}, 20)
}
