//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
)

// standIn takes the commands of Claude Code, keeps what they say in its home directory, and connects as the reference
// client.
const standIn = `#!/bin/sh
kept="$HOME/kept"
case "$1 $2 $3" in
"mcp xaa --help") echo "setup login" ;;
"mcp xaa setup") echo "issuer='$5' id='$7' port='$9' secret='$MCP_XAA_IDP_CLIENT_SECRET'" > "$kept" ;;
"mcp xaa login"|"mcp login conformance") [ -t 0 ] || { echo "I want a terminal" >&2; exit 1; } ;;
"mcp add --transport") echo "client='$7' at='${10}' ras='$MCP_CLIENT_SECRET'" >> "$kept" ;;
"mcp list ")
	. "$kept"
	export %s
	export MCP_CONFORMANCE_CONTEXT="{\"client_id\": \"$client\", \"client_secret\": \"$ras\", \"idp_client_id\": \"$id\",
		\"idp_client_secret\": \"$secret\", \"idp_issuer\": \"$issuer\", \"idp_token_endpoint\": \"$issuer/token\",
		\"idp_login\": true, \"idp_redirect_uri\": \"http://localhost:$port/callback\"}"
	exec %s "$at" ;;
*) echo "unknown command: $*" >&2; exit 1 ;;
esac
`

// TestPresetDrives judges a stand-in for a well-known client by that client's command line.
func TestPresetDrives(t *testing.T) {
	for defect, want := range map[string]reports.Outcome{"": reports.Pass, "takes-any-resource": reports.Fail} {
		var defects []string
		if defect != "" {
			defects = []string{defect}
		}
		args, environment, err := fixture.Command(defects...)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "claude")
		if err := os.WriteFile(path, fmt.Appendf(nil, standIn, strings.Join(environment, " "), args[0]), 0o755); err != nil {
			t.Fatal(err)
		}
		code, output, report := runClient(t, "--preset", "claude-code", "--check", "CL-PRM/other-server", "--check",
			"CL-OIDC/redirect-uri",
			"--", path)
		if report == nil {
			t.Fatalf("no report, exit code %d:\n%s", code, output)
		}
		for _, c := range report.Checks {
			if expected := map[string]reports.Outcome{"CL-PRM/other-server": want,
				"CL-OIDC/redirect-uri": reports.Pass}[c.ID]; c.Outcome != expected {
				t.Errorf("%s, defect %q: %s %s", c.ID, defect, c.Outcome, c.Message)
			}
		}
		if report.Target.Name != "claude-code" {
			t.Errorf("the report is about %q", report.Target.Name)
		}
	}
}
