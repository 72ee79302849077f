package drive

import "net"

// claudeCode is driven by the commands of `claude mcp`, with its experimental switch for Cross App Access. None of them
// needs an account, and none of them calls a tool.
var claudeCode = Client{
	Name: "claude-code", Command: "claude", Install: "npm install -g @anthropic-ai/claude-code", ConnectsOnly: true,
	probes: []probe{{
		args: []string{"mcp", "xaa", "--help"}, environment: []string{"CLAUDE_CODE_ENABLE_XAA=1"},
		wants: []string{"setup", "login"},
		missing: "`claude mcp xaa` is not there even with CLAUDE_CODE_ENABLE_XAA=1: update it, or have the feature " +
			"switched on",
	}},
	steps: func(s *scenario) ([]step, error) {
		const name = "conformance"
		_, port, err := net.SplitHostPort(s.callback)
		on := "CLAUDE_CODE_ENABLE_XAA=1"
		login := []string{"mcp", "xaa", "login"}
		if s.IDToken != "" { // a login that has been
			login = append(login, "--id-token", s.IDToken)
		}
		with := func(more ...string) []string { return append([]string{on}, more...) }
		return []step{
			{args: []string{"mcp", "xaa", "setup", "--issuer", s.IdPIssuer, "--client-id", s.IdPClientID, "--callback-port",
				port},
				environment: with("MCP_XAA_IDP_CLIENT_SECRET=" + s.IdPClientSecret)},
			{args: login, environment: with(), terminal: true},
			{args: []string{"mcp", "add", "--transport", "http", "--xaa", "--client-id", s.ClientID, "--client-secret", name,
				s.server},
				environment: with("MCP_CLIENT_SECRET=" + s.ClientSecret)},
			{args: []string{"mcp", "login", name}, environment: with(), terminal: true},
			{args: []string{"mcp", "list"}, environment: with()},
		}, err
	},
}
