package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
)

// broken is a target that answers as a test says, by path; it serves correct metadata where the test says nothing.
type broken map[string]http.HandlerFunc

func (b broken) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	document := func(format string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, strings.ReplaceAll(format, "$", s.URL))
		}
	}
	honest := broken{
		"/mcp": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+s.URL+`/.well-known/oauth-protected-resource/mcp"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"/.well-known/oauth-protected-resource/mcp": document(`{"resource":"$/mcp","authorization_servers":["$"]}`),
		"/.well-known/oauth-authorization-server":   document(`{"issuer":"$","token_endpoint":"$/token"}`),
		"/token": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
		},
	}
	for path, h := range honest {
		if b[path] == nil {
			mux.HandleFunc(path, h)
		}
	}
	for path, h := range b {
		mux.HandleFunc(path, h)
	}
	return s.URL
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, strings.Repeat(" ", 1<<16)); err != nil {
			return
		}
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(10 * time.Millisecond):
		case <-r.Context().Done():
		}
	}
}

const (
	resourceMetadata = "/.well-known/oauth-protected-resource/mcp"
	serverMetadata   = "/.well-known/oauth-authorization-server"
)

// Each of these ends within bounds, as inconclusive, with one thing to fix, and with a report.
func TestBrokenTargetsEndInThePreflight(t *testing.T) {
	for name, c := range map[string]struct {
		target broken
		step   string
		says   string
	}{
		"no MCP server": {broken{"/mcp": http.NotFound}, "reach the MCP server", "there is no MCP server at this URL"},
		"a web page": {broken{"/mcp": answer(200, "text/html", "<!doctype html><title>Welcome</title>")},
			"reach the MCP server", "this looks like a web page"},
		"redirect elsewhere": {broken{"/mcp": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/mcp", http.StatusTemporaryRedirect)
		}}, "reach the MCP server", "redirects to https://evil.example/mcp"},
		"an endless answer": {broken{"/mcp": endless}, "reach the MCP server", "larger than we read"},
		"a slow drip":       {broken{"/mcp": drip}, "reach the MCP server", "no complete answer within 300ms"},
		"HTML for metadata": {broken{resourceMetadata: answer(200, "text/html", "<html>")},
			"find the protected resource metadata", "it looks like HTML"},
		"a redirect loop": {broken{serverMetadata: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, serverMetadata, http.StatusFound)
		}}, "find the authorization server's metadata", "more than three redirects"},
		"50 MB of metadata": {broken{serverMetadata: answer(200, "application/json", `{"issuer":"`+
			strings.Repeat("x", 50<<20)+`"}`)}, "find the authorization server's metadata", "larger than we read"},
		"no authorization server": {broken{resourceMetadata: answer(200, "application/json",
			`{"authorization_servers":[]}`)}, "find the authorization server's metadata", "names no authorization server"},
		"a silent token endpoint": {broken{"/token": drip}, "redeem an honest ID-JAG", "no complete answer within 300ms"},
		"HTML for a token": {broken{"/token": answer(502, "text/html", "<h1>Bad gateway")},
			"redeem an honest ID-JAG", "502 text/html"},
		"credentials elsewhere": {broken{"/token": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/token", http.StatusTemporaryRedirect)
		}}, "redeem an honest ID-JAG", "307 to https://evil.example/token"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("EMACONFORM_CLIENT_SECRET", "never-shown-0123")
			r := emaconform(t, "server", "--url", c.target.start(t)+"/mcp", "--client-id", "me", "--user", "u",
				"--request-timeout", "300ms")
			report := r.report(t)
			g.Expect(r.code).To(Equal(exitInconclusive))
			g.Expect(report.Verdict).To(Equal(reports.NoVerdict))
			g.Expect(report.Ended).To(Equal(engine.EndedPreflight))
			last := report.Preflight[len(report.Preflight)-1]
			g.Expect(last.Name).To(Equal(c.step))
			g.Expect(last.Saw).To(ContainSubstring(c.says))
			g.Expect(last.Fix).NotTo(BeEmpty())
			g.Expect(report.Checks).To(BeEmpty())
			g.Expect(unwrapped(r.stdout)).To(ContainSubstring(c.says))
			g.Expect(r.stdout + r.stderr).NotTo(ContainSubstring("never-shown-0123"))
		})
	}
}

func TestUnreachableTarget(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("EMACONFORM_CLIENT_SECRET", "x")
	url := closedPort(t) + "/mcp"
	r := emaconform(t, "server", "--url", url, "--client-id", "me", "--user", "u")
	g.Expect(r.code).To(Equal(exitInconclusive))
	g.Expect(r.report(t).Problem).To(ContainSubstring(url + " does not answer"))
}

// closedPort is the URL of a port where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return "http://" + l.Addr().String()
}
