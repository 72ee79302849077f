package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
)

// runClient runs `emaconform client` with these arguments and returns its exit code, output and report.
func runClient(t *testing.T, args ...string) (code int, output string, report *reports.Report) {
	t.Helper()
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	flags := append([]string{"client", "--out", dir, "--format", "json"}, args...)
	code = execute(context.Background(), flags, &stdout, &stderr)
	if raw, err := os.ReadFile(filepath.Join(dir, "report.json")); err == nil {
		report = &reports.Report{}
		if err := json.Unmarshal(raw, report); err != nil {
			t.Fatal(err)
		}
	}
	return code, stdout.String() + stderr.String(), report
}

func TestClientOfReference(t *testing.T) {
	code, output, report := runClient(t, "--check", "CL-NO-FALLBACK")
	if code != exitConformant || report == nil || report.Verdict != reports.Conformant || !report.Target.Embedded {
		t.Errorf("exit code %d, report %+v:\n%s", code, report, output)
	}
	code, output, report = runClient(t, "--check", "CL-NO-FALLBACK", "--defect", "falls-back")
	if code != exitNotConformant || report == nil || report.Verdict != reports.NotConformant {
		t.Errorf("with a defect: exit code %d:\n%s", code, output)
	}
}

func TestClientOfCommand(t *testing.T) {
	code, output, report := runClient(t, "--check", "CL-REDEEM-REQ/grant", "--", "sh", "-c", "echo cannot; exit 4")
	if code != exitInconclusive || report == nil || report.Verdict != reports.NoVerdict {
		t.Errorf("a client that does nothing: exit code %d:\n%s", code, output)
	}
}

func TestClientUsage(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no command":             {[]string{"--"}, "no command after --"},
		"empty command":          {[]string{"--", ""}, "no command after --"},
		"no such command":        {[]string{"--", "/no/such/client"}, "cannot run /no/such/client"},
		"no such check":          {[]string{"--check", "CL-NOPE"}, "no check matches"},
		"no such label":          {[]string{"--label", "must && !logn"}, `no check has the label "logn"`},
		"label of a server":      {[]string{"--label", "!ras"}, `no check has the label "ras"`},
		"no such defect":         {[]string{"--defect", "nope"}, `no defect "nope"`},
		"defect of another":      {[]string{"--defect", "falls-back", "--", "true"}, "are for the reference client"},
		"no time":                {[]string{"--timeout", "0"}, "--timeout 0s: expected more than 0"},
		"less than no time":      {[]string{"--timeout", "-1s"}, "--timeout -1s: expected more than 0"},
		"less than none":         {[]string{"--parallel", "-3"}, "--parallel -3: expected 0"},
		"page without a person":  {[]string{"--listen", "127.0.0.1:0"}, "--listen is for a run with --attended"},
		"ports without a person": {[]string{"--base-port", "9000"}, "--base-port is for a run with --attended"},
		"no such preset":         {[]string{"--preset", "nope"}, "none of claude-code, vscode, mcp-inspector, codex"},
		"not installed": {[]string{"--preset", "claude-code", "--", "/no/such/claude"},
			"claude-code is not installed"},
		"preset with arguments": {[]string{"--preset", "claude-code", "--", "claude", "-p"},
			"expected nothing but the name"},
		"terminal for nobody":     {[]string{"--terminal"}, "--terminal is for a command"},
		"no such revision":        {[]string{"--revision", "2024-11-05"}, "none of 2025-11-25, 2026-07-28, both"},
		"page on no address":      {[]string{"--attended", "--listen", "nowhere"}, "--listen: cannot serve the page"},
		"port too high":           {[]string{"--attended", "--base-port", "99999"}, "--base-port 99999: expected 1 to 65527"},
		"no room above the port":  {[]string{"--attended", "--base-port", "65529"}, "--base-port 65529: expected"},
		"port below none":         {[]string{"--attended", "--base-port", "-1"}, "--base-port -1: expected"},
		"redirect to nonsense":    {[]string{"--attended", "--redirect-uri", "nonsense"}, `"nonsense": expected an absolute`},
		"all addresses":           {[]string{"--attended", "--bind", "0.0.0.0"}, "--bind 0.0.0.0: these are all addresses"},
		"name without a person":   {[]string{"--public-url", "https://ema.example"}, "--public-url is for a run with"},
		"attended with a command": {[]string{"--attended", "--", "true"}, "a person operates"},
	} {
		t.Run(name, func(t *testing.T) {
			code, output, report := runClient(t, c.args...)
			if code != exitUsage || !strings.Contains(output, c.want) || report != nil {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, exitUsage, c.want, output)
			}
		})
	}
}
