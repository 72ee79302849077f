package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/suites/target"
)

func TestPresetsAreSound(t *testing.T) {
	list, err := loadPresets()
	if err != nil {
		t.Fatal(err)
	}
	seen, date := map[string]bool{}, regexp.MustCompile(`^2026-\d\d(-\d\d)?$`)
	for _, p := range list {
		if p.Name == "" || seen[p.Name] || !date.MatchString(p.AsOf) || len(p.Administrator) == 0 ||
			len(p.NotJudged) == 0 || len(p.Facts) == 0 ||
			!slices.Contains([]string{"yes", "no", "unknown"}, p.MockIdP) || p.Platform != (p.URL == "") {
			t.Errorf("%q is not whole, or there twice", p.Name)
		}
		seen[p.Name] = true
		for _, f := range p.Facts {
			if f.Fact == "" || f.Source == "" || f.Date == "" || f.Mark != "documented" && f.Mark != "reported" {
				t.Errorf("%s: a fact without source, date or mark: %+v", p.Name, f)
			}
		}
		for _, at := range []string{p.URL, p.Resource, p.Issuer, p.TokenEndpoint} {
			if u, err := url.Parse(at); err != nil || at != "" && (u.Scheme != "https" || u.Host == "") {
				t.Errorf("%s: %q is no https URL", p.Name, at)
			}
		}
		var c target.Config
		if _, err := p.lay(&c); (err == nil) != (p.MockIdP != "no" && !p.Platform) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	for _, name := range []string{"asana", "atlassian", "canva", "figma", "granola", "linear", "supabase", "slack",
		"notion", "datadog", "posthog",
		"auth0", "stytch", "keycloak", "okta-custom-server"} {
		if !seen[name] {
			t.Errorf("there is no preset %s", name)
		}
	}
}

func TestConfigurationGoesBeforeThePreset(t *testing.T) {
	p, err := findServerPreset("slack")
	if err != nil {
		t.Fatal(err)
	}
	c := target.Config{URL: "https://own.example/mcp", Scopes: []string{"mine"}, Clients: []target.Client{{ID: "a"},
		{ID: "b", Auth: "client_secret_basic"}}}
	known, err := p.lay(&c)
	if err != nil {
		t.Fatal(err)
	}
	if c.URL != "https://own.example/mcp" || c.Scopes[0] != "mine" || c.Clients[0].Auth != "client_secret_post" ||
		c.Clients[1].Auth != "client_secret_basic" || !slices.Contains(c.AllowedHosts, "slack.com") {
		t.Errorf("%+v", c)
	}
	if c.Resource != "" || c.AuthorizationServer.Issuer != "" || known.Issuer != p.Issuer ||
		known.TokenEndpoint != p.TokenEndpoint {
		t.Error("the preset overrides what discovery finds")
	}
}

func runServer(args ...string) (string, error) {
	var out bytes.Buffer
	c := newServer()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(io.Discard)
	err := c.Execute()
	return out.String(), err
}

func TestPresetsArePrinted(t *testing.T) {
	list, err := runServer("--preset", "list")
	if err != nil || !strings.Contains(list, "posthog") || !strings.Contains(list, "2026-07-29") {
		t.Errorf("%v\n%s", err, list)
	}
	help, err := runServer("--preset", "help")
	if err != nil || !strings.Contains(help, "not known from public documents") ||
		!strings.Contains(help, "oktapreview.com") {
		t.Errorf("%v\n%s", err, help)
	}
	for line := range strings.Lines(help) {
		if !strings.Contains(line, "http") && len([]rune(line)) > 101 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	for name, want := range map[string]string{"nobody": "--preset help", "datadog": "cannot be judged with a mock IdP",
		"keycloak": "--url"} {
		if _, err := runServer("--preset", name, "--out", t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", name, err, want)
		}
	}
}

// The preflight says where a target is no longer what its preset says.
func TestPreflightSaysWhereAPresetDiffers(t *testing.T) {
	var at string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource"):
			_, _ = io.WriteString(w, `{"resource":"`+at+`/mcp","authorization_servers":["`+at+`"]}`) // the suite reads it
		case strings.HasPrefix(r.URL.Path, "/.well-known/"):
			_, _ = io.WriteString(w, `{"issuer":"`+at+`","token_endpoint":"`+at+`/token"}`) // the suite reads it
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	at = server.URL
	dir := t.TempDir()
	config := filepath.Join(dir, "ema.yaml")
	if err := os.WriteFile(config, []byte("url: "+at+"/mcp\nclients: [{id: a, secret: b}]\nusers: [{sub: c}]\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	_, err := runServer("--preset", "linear", "--config", config, "--out", dir, "--check", "RAS-HAPPY", "--quiet")
	if err == nil || err.Error() != exitCode(exitInconclusive).Error() {
		t.Fatalf("%v, expected the exit code %d", err, exitInconclusive)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{at + "/mcp is not the https://mcp.linear.app/mcp of the preset linear of 2026-09-29",
		at + " is not the https://mcp.linear.app of", at + "/token is not the https://mcp.linear.app/token of"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}
