package drive

import (
	"path/filepath"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

// mcpInspector is driven by its command line: files of configuration, then one command that connects, lists the tools
// and calls one. It opens a browser for its login by itself when it is told to.
var mcpInspector = Client{
	Name: "mcp-inspector", Command: "mcp-inspector", Install: "npm install -g @modelcontextprotocol/inspector",
	probes: []probe{{
		args: []string{"--cli", "--help"}, wants: []string{"--client-config", "--callback-url"},
		missing: "its --cli takes no --client-config: version 2 or later is wanted",
	}},
	steps: func(s *scenario) ([]step, error) {
		type object = map[string]any
		idp := object{"issuer": s.IdPIssuer, "clientId": s.IdPClientID}
		if s.IdPClientSecret != "" {
			idp["clientSecret"] = s.IdPClientSecret
		}
		install, err := s.keep("client.json", object{"enterpriseManagedAuth": object{"enabled": true, "idp": idp}})
		if err != nil {
			return nil, err
		}
		servers, err := s.keep("mcp.json", object{"mcpServers": object{"conformance": object{
			"type": "streamable-http", "url": s.server,
			"oauth": object{"enterpriseManaged": true, "clientId": s.ClientID, "clientSecret": s.ClientSecret},
		}}})
		if err != nil {
			return nil, err
		}
		environment := []string{"MCP_AUTO_OPEN_ENABLED=true", "MCP_INSPECTOR_SECRET_STORE=file",
			"MCP_INSPECTOR_SECRET_FILE=" + filepath.Join(s.dir, "secrets.json")}
		if s.IDToken != "" {
			state, err := s.keep("oauth.json", object{ // a login that has been, as its own store keeps one
				"servers": object{}, "idpSessions": object{strings.TrimSuffix(s.IdPIssuer, "/"): object{"idToken": s.IDToken}},
			})
			if err != nil {
				return nil, err
			}
			if !s.Login {
				environment[0] = "MCP_AUTO_OPEN_ENABLED=false"
			}
			environment = append(environment, "MCP_INSPECTOR_OAUTH_STATE_PATH="+state)
		}
		return []step{{
			args: []string{"--cli", "--config", servers, "--client-config", install, "--server", "conformance",
				"--callback-url", "http://" + s.callback + "/oauth/callback", "--protocol-era", "auto",
				"--method", "tools/call", "--tool-name", world.Tool},
			environment: environment,
		}}, nil
	},
}
