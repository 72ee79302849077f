package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/suites/catalogue"
)

// What is printed is run as it is, from the sign-in to the tool call.
func TestConnectorsCurlLinesWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	for name, args := range map[string][]string{
		"http":     nil,
		"https":    {"--https", "--ca", filepath.Join(t.TempDir(), "ca.pem")},
		"claude":   {"--flavour", "claude"},
		"ES256":    {"--alg", "ES256"},
		"okta-mcp": {"--flavour", "okta-mcp"},
	} {
		t.Run(name, func(t *testing.T) {
			args = append([]string{"--connector", "--connector-listen", "127.0.0.1:0", "--console"}, args...)
			out := startMockIdP(t, func(line string) bool {
				return strings.Contains(line, "tools/call") && strings.Contains(line, "whoami")
			}, args...)
			var script strings.Builder
			for line := range strings.Lines(out) {
				if strings.Contains(line, "curl ") {
					script.WriteString(line)
				}
			}
			answer, err := exec.CommandContext(t.Context(), "sh", "-c", script.String()).Output()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(answer), `"structuredContent":{"scopes":["notes.read","notes.write"],"user":"acct-`) {
				t.Errorf("the lines lead to no answer of the tool, but to %d bytes", len(answer))
			}
		})
	}
}

func TestConnectorNamesMistakes(t *testing.T) {
	config := filepath.Join(t.TempDir(), "idp.yaml")
	if err := os.WriteFile(config, []byte("users:\n- login: a@b.example\nconnectors:\n- id: connector\n  audience: "+
		"https://x.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an audience besides": {[]string{"--audience", "https://as.example"}, "leave out --audience"},
		"for other machines":  {[]string{"--connector-listen", "0.0.0.0:0"}, "loopback addresses"},
		"address in use": {[]string{"--connector-listen", busy.Addr().String()},
			"another address with --connector-listen"},
		"id in use": {[]string{"--config", config}, "another id"},
	} {
		args := []string{"--connector", "--listen", "127.0.0.1:0", "--connector-listen", "127.0.0.1:0"}
		if !strings.Contains(strings.Join(c.args, " "), "--config") {
			args = append(args, "--fixed-secrets")
		}
		if _, err := runMockIdP(append(args, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, expected %q", name, err, c.want)
		}
	}
}

func TestStepsAreJudgedByWhatExists(t *testing.T) {
	for step, ids := range judged {
		for _, id := range ids {
			if _, ok := catalogue.Find(id); !ok {
				t.Errorf("%s: there is no requirement %s", step, id)
			}
		}
	}
}
