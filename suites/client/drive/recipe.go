package drive

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/emaconform/emaconform/suites/client/world"
)

// Recipe is how a well-known client is configured for an attended run, by its public documents at this date.
type Recipe struct {
	Name, title, date string
	Redirects         []string
	guessed           bool   // the redirect URIs: its documents do not name them
	steps             string // a template of what to type, over values
}

// values are what a recipe's steps are filled with.
type values struct {
	Server, Issuer, IdPClient, IdPSecret, Client, Secret, RAS, Redirect, Port, CA string
}

var recipes = []Recipe{
	{"claude-code", "Claude Code", "2026-11", []string{"http://localhost:33419/callback"}, false,
		`export CLAUDE_CODE_ENABLE_XAA=1
export NODE_EXTRA_CA_CERTS={{.CA}}
export MCP_XAA_IDP_CLIENT_SECRET={{.IdPSecret}}
export MCP_CLIENT_SECRET={{.Secret}}
claude mcp xaa setup --issuer {{.Issuer}} --client-id {{.IdPClient}} --callback-port {{.Port}}
claude mcp xaa login
claude mcp add --transport http --xaa --client-id {{.Client}} --client-secret conformance {{.Server}}
claude mcp login conformance
claude mcp list
`},
	{"vscode", "Visual Studio Code 1.123 or later", "2026-11", []string{"http://127.0.0.1:33418/",
		"https://vscode.dev/redirect"}, false,
		`Settings (JSON):
  "mcp.enterpriseManagedAuth.idp": {"issuer": "{{.Issuer}}", "clientId": "{{.IdPClient}}",
    "clientSecret": "{{.IdPSecret}}"}
.vscode/mcp.json:
  {"servers": {"conformance": {"type": "http", "url": "{{.Server}}",
    "oauth": {"clientId": "{{.Client}}", "clientSecret": "{{.Secret}}", "enterpriseManaged": true}}}}
Start it with NODE_EXTRA_CA_CERTS={{.CA}} in the environment.
`},
	{"mcp-inspector", "MCP Inspector", "2026-11", []string{"http://127.0.0.1:6276/oauth/callback"}, false,
		`~/.mcp-inspector/storage/client.json:
  {"enterpriseManagedAuth": {"enabled": true, "idp": {"issuer": "{{.Issuer}}", "clientId": "{{.IdPClient}}",
    "clientSecret": "{{.IdPSecret}}"}}}
mcp.json:
  {"mcpServers": {"conformance": {"type": "streamable-http", "url": "{{.Server}}",
    "oauth": {"enterpriseManaged": true, "clientId": "{{.Client}}", "clientSecret": "{{.Secret}}"}}}}
NODE_EXTRA_CA_CERTS={{.CA}} npx @modelcontextprotocol/inspector --cli --config mcp.json --server conformance \
  --callback-url {{.Redirect}} --method tools/list
`},
	{"codex", "Codex", "2026-11", []string{"http://localhost:1455/callback"}, true, `~/.codex/config.toml:
  [features]
  use_xaa = true
  [mcp_enterprise_managed_auth.idp]
  issuer = "{{.Issuer}}"
  client_id = "{{.IdPClient}}"
  [mcp_servers.conformance]
  url = "{{.Server}}"
  auth = "ema_auth"
  oauth_resource = "{{.Server}}"
  [mcp_servers.conformance.oauth]
  client_id = "{{.Client}}"
  authorization_server_issuer = "{{.RAS}}"
Start it with SSL_CERT_FILE={{.CA}} in the environment.
`},
}

// FindRecipe is the one of this name; the error says which there are.
func FindRecipe(name string) (Recipe, error) {
	var names []string
	for _, p := range recipes {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Recipe{}, fmt.Errorf("--preset %q is none of %s", name, strings.Join(names, ", "))
}

// Confidential reports whether the client has a secret at the identity provider.
func (p Recipe) Confidential() bool { return strings.Contains(p.steps, "{{.IdPSecret}}") }

// Print says what to type where, once the ports are open.
func (p Recipe) Print(w io.Writer, given map[string]any, caFile string) error {
	text := func(name string) string { s, _ := given[name].(string); return s }
	s := values{
		Server: text("server_url"), Issuer: text("idp_issuer"), IdPClient: text("idp_client_id"),
		IdPSecret: text("idp_client_secret"),
		Client:    text("client_id"), Secret: text("client_secret"), Redirect: p.Redirects[0], CA: world.Certificate(caFile),
	}
	if issuers, ok := given["client_issuers"].([]string); ok {
		s.RAS = issuers[0]
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(s.Redirect, "http://"), ":")
	s.Port, _, _ = strings.Cut(rest, "/")
	fmt.Fprintf(w, "%s, as its documents have it in %s. Redirect URIs that are registered: %s\n\n", p.title, p.date,
		strings.Join(p.Redirects, ", "))
	if p.guessed {
		fmt.Fprint(w, "That redirect URI is a guess: when the client sends another one, name it with --redirect-uri.\n\n")
	}
	t, err := template.New(p.Name).Parse(p.steps)
	if err != nil {
		return err
	}
	return t.Execute(w, s)
}
