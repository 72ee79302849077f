package preset

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/emaconform/emaconform/suites/target"
)

func TestPresetsAreSound(t *testing.T) {
	list, err := load()
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
		if _, err := p.Lay(&c); (err == nil) != (p.MockIdP != "no" && !p.Platform) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	for _, name := range []string{"asana", "atlassian", "canva", "figma", "granola", "linear", "supabase", "slack",
		"notion", "datadog", "posthog",
		"amplitude", "context7", "exa", "auth0", "stytch", "keycloak", "okta-custom-server", "workers-oauth-provider"} {
		if !seen[name] {
			t.Errorf("there is no preset %s", name)
		}
	}
}

func TestConfigurationGoesBeforeThePreset(t *testing.T) {
	p, err := Find("slack")
	if err != nil {
		t.Fatal(err)
	}
	c := target.Config{URL: "https://own.example/mcp", Scopes: []string{"mine"}, Clients: []target.Client{{ID: "a"},
		{ID: "b", Auth: "client_secret_basic"}}}
	known, err := p.Lay(&c)
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
