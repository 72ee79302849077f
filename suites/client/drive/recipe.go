package drive

import (
	"fmt"
	"strings"
	"text/template"
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
{{with .CA}}export NODE_EXTRA_CA_CERTS={{.}}
{{end}}export MCP_XAA_IDP_CLIENT_SECRET={{.IdPSecret}}
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
    "oauth": {"clientId": "{{.Client}}", "enterpriseManaged": true}}}}
Above it, by the code lens that sets the client secret: {{.Secret}}
{{with .CA}}Start it with NODE_EXTRA_CA_CERTS={{.}} in the environment, or import that file into the system's
trust store: which of the two it heeds is in no document.
{{end}}`},
	{"mcp-inspector", "MCP Inspector", "2026-11", []string{"http://127.0.0.1:6276/oauth/callback"}, false,
		`~/.mcp-inspector/storage/client.json:
  {"enterpriseManagedAuth": {"enabled": true, "idp": {"issuer": "{{.Issuer}}", "clientId": "{{.IdPClient}}",
    "clientSecret": "{{.IdPSecret}}"}}}
mcp.json:
  {"mcpServers": {"conformance": {"type": "streamable-http", "url": "{{.Server}}",
    "oauth": {"enterpriseManaged": true, "clientId": "{{.Client}}", "clientSecret": "{{.Secret}}"}}}}
{{with .CA}}NODE_EXTRA_CA_CERTS={{.}} {{end}}npx @modelcontextprotocol/inspector --cli --config mcp.json \
  --server conformance \
  --callback-url {{.Redirect}} --method tools/call --tool-name test-tool
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
{{with .CA}}Start it with SSL_CERT_FILE={{.}} in the environment.
{{end}}`},
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

// Text says what to type where, for the settings of a world.
func (p Recipe) Text(given map[string]any) (string, error) {
	text := func(name string) string { s, _ := given[name].(string); return s }
	s := values{
		Server: text("server_url"), Issuer: text("idp_issuer"), IdPClient: text("idp_client_id"),
		IdPSecret: text("idp_client_secret"),
		Client:    text("client_id"), Secret: text("client_secret"), Redirect: p.Redirects[0], CA: text("ca_file"),
	}
	if issuers, ok := given["client_issuers"].([]string); ok {
		s.RAS = issuers[0]
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(s.Redirect, "http://"), ":")
	s.Port, _, _ = strings.Cut(rest, "/")
	var b strings.Builder
	fmt.Fprintf(&b, "%s, as its documents have it in %s. Redirect URIs that are registered: %s\n\n", p.title, p.date,
		strings.Join(p.Redirects, ", "))
	if p.guessed {
		fmt.Fprint(&b, "That redirect URI is a guess: when the client sends another one, name it with --redirect-uri.\n\n")
	}
	t, err := template.New(p.Name).Parse(p.steps)
	if err == nil {
		err = t.Execute(&b, s)
	}
	return b.String(), err
}
