//go:build unix

package drive

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// script puts a client with this content into a folder of its own and returns its path.
func script(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "claude")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLocate(t *testing.T) {
	claude, _ := Find("claude-code")
	for name, c := range map[string]struct{ path, want string }{
		"not installed": {filepath.Join(t.TempDir(), "claude"), "claude-code is not installed: there is no command"},
		"too old": {script(t, `case "$*" in --version) echo 1.0.3;; *) echo unknown command >&2; exit 1;; esac`),
			`version "1.0.3") cannot be driven`},
		"switched off": {script(t, `[ -n "$NOTHING" ] && echo setup login; echo "xaa is not enabled"`),
			"or have the feature switched on"},
		"there": {script(t, `[ "$CLAUDE_CODE_ENABLE_XAA" = 1 ] && echo "commands: setup, login"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := claude.Locate(context.Background(), c.path)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// TestDrivenWithLittle lets a stand-in for a client write down what it was called with.
func TestDrivenWithLittle(t *testing.T) {
	t.Setenv("EMACONFORM_TEST_SECRET", "of-the-user")
	written := filepath.Join(t.TempDir(), "calls")
	stand := script(t, `{ echo "$@"; [ -t 0 ] && echo on a terminal; env; echo; } >> `+written+"\n")
	claude, _ := Find("claude-code")
	args, environment, err := claude.Drive(stand, Options{})
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(args[0], append(args[1:], "https://127.0.0.1:1/mcp")...)
	cmd.Env = append(append(os.Environ(), environment...), "HOME="+home, `MCP_CONFORMANCE_CONTEXT={"client_id": "r",
		"client_secret": "ras-s", "idp_client_id": "c", "idp_client_secret": "idp-s", "idp_issuer": "https://idp",
		"ca_file": "/ca.pem"}`)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	wants := [][]string{
		{"mcp xaa setup --issuer https://idp --client-id c --callback-port ", "MCP_XAA_IDP_CLIENT_SECRET=idp-s"},
		{"mcp xaa login", "on a terminal"},
		{"mcp add --transport http --xaa --client-id r --client-secret conformance https://127.0.0.1:1/mcp",
			"MCP_CLIENT_SECRET=ras-s"},
		{"mcp login conformance", "on a terminal"},
		{"mcp list"},
	}
	if len(calls) != len(wants) {
		t.Fatalf("%d calls, want %d:\n%s", len(calls), len(wants), text)
	}
	for i, call := range calls {
		for _, want := range append(wants[i], "HOME="+home, "CLAUDE_CODE_ENABLE_XAA=1", "NODE_EXTRA_CA_CERTS=/ca.pem") {
			if !strings.Contains(call, want) {
				t.Errorf("call %d lacks %q:\n%s", i, want, call)
			}
		}
		for _, secret := range []string{"of-the-user", "MCP_CONFORMANCE_CONTEXT"} {
			if strings.Contains(call, secret) {
				t.Errorf("call %d has %q in its environment", i, secret)
			}
		}
	}
}

func TestBeforeTerminal(t *testing.T) {
	args, environment, err := BeforeTerminal([]string{"/bin/sh", "-c",
		`[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo "yes, $1"; exit 3`, "sh"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], append(args[1:], "https://server")...)
	cmd.Env = append(os.Environ(), environment...)
	out, err := cmd.Output()
	if strings.TrimSpace(string(out)) != "yes, https://server" || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("%q, %v", out, err)
	}
}
