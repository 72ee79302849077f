package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/reference"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// look judges a URL of which nothing else is known.
func look(t *testing.T, url string) *reports.Report {
	t.Helper()
	report, err := run.Run(t.Context(), run.Options{Config: &target.Config{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestFirstLookJudgesWhatNeedsNoToken(t *testing.T) {
	t.Parallel()
	options, err := fixtures.DefaultOptions()
	if err != nil {
		t.Fatal(err)
	}
	server, err := reference.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	report := look(t, server.ResourceURL(0))
	if report.Ended != reports.FirstLook || !strings.Contains(report.Problem, "is offered") ||
		report.ExitCode(false) != reports.ExitInconclusive {
		t.Errorf("it ended %q (%s), exit code %d", report.Ended, report.Problem, report.ExitCode(false))
	}
	open := 0
	for _, c := range check.AllIn("ema", "ras", "rs") {
		if c.Open {
			open++
		}
	}
	if len(report.Checks) != open || open < 30 {
		t.Errorf("%d checks have a result, %d are open", len(report.Checks), open)
	}
	for _, c := range report.Checks {
		configured := c.Outcome == reports.Skip && c.Key != ""
		if c.Outcome != reports.Pass && !configured {
			t.Errorf("%s: %s: %s", c.ID, c.Outcome, c.Message)
		}
	}
}

// ordinary is an MCP server whose authorization server knows nothing of enterprise-managed authorization.
func ordinary(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	serve := func(path string, status int, body map[string]any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+server.URL+
					`/.well-known/oauth-protected-resource/mcp"`)
			}
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	serve("/.well-known/oauth-protected-resource/mcp", http.StatusOK, map[string]any{
		"resource": server.URL + "/mcp", "authorization_servers": []string{server.URL}})
	serve("/.well-known/oauth-authorization-server", http.StatusOK, map[string]any{
		"issuer": server.URL, "token_endpoint": server.URL + "/token",
		"grant_types_supported": []string{"authorization_code"}})
	serve("/token", http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
	serve("/mcp", http.StatusUnauthorized, map[string]any{})
	return server.URL + "/mcp"
}

// With a configuration and without one, a server that offers nothing is told so, and what needs no token is judged.
func TestServerWithoutEMAIsToldSo(t *testing.T) {
	t.Parallel()
	url := ordinary(t)
	full := &target.Config{URL: url, Clients: []target.Client{{ID: "a", Secret: "s"}}, Users: []target.User{{Sub: "u"}}}
	configured, err := run.Run(t.Context(), run.Options{Config: full})
	if err != nil {
		t.Fatal(err)
	}
	for name, report := range map[string]*reports.Report{"url alone": look(t, url), "configured": configured} {
		if report.Ended != reports.FirstLook || !strings.Contains(report.Problem,
			"No enterprise-managed authorization is offered") ||
			!strings.Contains(report.Problem, "authorization_code") {
			t.Errorf("%s: it ended %q: %s", name, report.Ended, report.Problem)
		}
		passed := report.Counts()[reports.Pass]
		if passed < 10 || report.Counts()[reports.Inconclusive]+report.Counts()[reports.Fail] > 0 {
			t.Errorf("%s: %v", name, report.Counts())
		}
	}
}
