package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client"
	"github.com/emaconform/emaconform/suites/client/drive"
	"github.com/emaconform/emaconform/suites/client/world"
)

// preset is how a well-known client is configured for an attended run, by its public documents at this date.
type preset struct {
	name, title, date string
	redirects         []string
	guessed           bool   // the redirect URIs: its documents do not name them
	steps             string // a template of what to type, over presetValues
}

// presetValues are what a preset's steps are filled with.
type presetValues struct {
	Server, Issuer, IdPClient, IdPSecret, Client, Secret, RAS, Redirect, Port, CA string
}

var presets = []preset{
	{"claude-code", "Claude Code", "2026-11", []string{"http://localhost:33419/callback"}, false, `export CLAUDE_CODE_ENABLE_XAA=1
export NODE_EXTRA_CA_CERTS={{.CA}}
export MCP_XAA_IDP_CLIENT_SECRET={{.IdPSecret}}
export MCP_CLIENT_SECRET={{.Secret}}
claude mcp xaa setup --issuer {{.Issuer}} --client-id {{.IdPClient}} --callback-port {{.Port}}
claude mcp xaa login
claude mcp add --transport http --xaa --client-id {{.Client}} --client-secret conformance {{.Server}}
claude mcp login conformance
claude mcp list
`},
	{"vscode", "Visual Studio Code 1.123 or later", "2026-11", []string{"http://127.0.0.1:33418/", "https://vscode.dev/redirect"}, false,
		`Settings (JSON):
  "mcp.enterpriseManagedAuth.idp": {"issuer": "{{.Issuer}}", "clientId": "{{.IdPClient}}", "clientSecret": "{{.IdPSecret}}"}
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

func findPreset(name string) (preset, error) {
	var names []string
	for _, p := range presets {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return preset{}, fmt.Errorf("--preset %q is none of %s", name, strings.Join(names, ", "))
}

// print says what to type where, once the ports are open.
func (p preset) print(w io.Writer, given map[string]any, caFile string) error {
	text := func(name string) string { s, _ := given[name].(string); return s }
	s := presetValues{
		Server: text("server_url"), Issuer: text("idp_issuer"), IdPClient: text("idp_client_id"), IdPSecret: text("idp_client_secret"),
		Client: text("client_id"), Secret: text("client_secret"), Redirect: p.redirects[0], CA: world.Certificate(caFile),
	}
	if issuers, ok := given["client_issuers"].([]string); ok {
		s.RAS = issuers[0]
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(s.Redirect, "http://"), ":")
	s.Port, _, _ = strings.Cut(rest, "/")
	fmt.Fprintf(w, "%s, as its documents have it in %s. Redirect URIs that are registered: %s\n\n", p.title, p.date,
		strings.Join(p.redirects, ", "))
	if p.guessed {
		fmt.Fprint(w, "That redirect URI is a guess: when the client sends another one, name it with --redirect-uri.\n\n")
	}
	t, err := template.New(p.name).Parse(p.steps)
	if err != nil {
		return err
	}
	return t.Execute(w, s)
}

// apply makes a run one for the preset's client: over https, with its redirect URIs, attended unless its command line is driven.
func (f *clientFlags) apply(p preset) {
	if client, ok := drive.Find(p.name); ok && !f.attended.on {
		f.driven = &client
	} else if f.attended.on, f.attended.preset = true, &p; f.ca == "" {
		f.ca = "emaconform-ca.pem"
	}
	f.https = true
	if p.name != "codex" { // a public client
		f.confidential = true
	}
	for _, uri := range p.redirects {
		if !slices.Contains(f.redirectURIs, uri) {
			f.redirectURIs = append(f.redirectURIs, uri)
		}
	}
}

// drive lets the run judge the installation of the preset's client: the one behind --, or the one in PATH.
func (f *clientFlags) drive(ctx context.Context, o *client.Options) error {
	if len(o.Command) > 1 {
		return fmt.Errorf("--preset %s: expected nothing but the name of the client's program behind --", f.preset)
	}
	path, err := f.driven.Locate(ctx, strings.Join(o.Command, ""))
	if err != nil {
		return fmt.Errorf("--preset %w. With --attended a page says what to type", err)
	}
	if o.Command, o.Environment, err = f.driven.Drive(path, drive.Options{}); err != nil {
		return err
	}
	o.LogsIn, o.OwnHome, o.ConnectsOnly = true, true, f.driven.ConnectsOnly
	o.Describe = func(t *reports.Target) { t.Name, t.Command = f.preset, path }
	return nil
}

// beforeTerminal gives the client of a run a terminal of its own.
func beforeTerminal(o *client.Options) error {
	shown := *o
	args, environment, err := drive.BeforeTerminal(o.Command)
	o.Command, o.Environment = args, append(o.Environment, environment...)
	o.Describe = func(t *reports.Target) { t.Command = strings.Join(shown.Command, " ") }
	return err
}
