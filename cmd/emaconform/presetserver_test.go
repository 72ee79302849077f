package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
