package console_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/console"
)

func TestInspectorKeepsNothing(t *testing.T) {
	var log bytes.Buffer
	s := open(t, console.Options{}, func(o *mockidp.ServerOptions) {
		o.Log, o.AuditLines = slog.New(slog.NewTextHandler(&log, nil)), &log
	})
	compact, err := s.idp.IDJAG(alice, agent, "notes").Sign()
	if err != nil {
		t.Fatal(err)
	}
	a := s.post("inspect", url.Values{"token": {compact}})
	if a.status != http.StatusOK || !strings.Contains(a.body, "no problem") ||
		!strings.Contains(a.body, "acme-agent-at-notes") {
		t.Fatalf("an honest ID-JAG: status %d", a.status)
	}
	parts := strings.Split(compact, ".")
	for _, part := range parts {
		if strings.Contains(a.body, part) || strings.Contains(log.String(), part) {
			t.Error("a part of the token is on the page or in a log")
		}
	}
	if len(s.idp.Exchanges())+len(s.idp.Audit().Entries()) > 0 {
		t.Error("the inspector left entries in the logs")
	}
	if a := s.get("inspect?token=" + url.QueryEscape(compact)); strings.Contains(a.body, "ID-JAG draft-04") {
		t.Error("a token in the address is looked at")
	}
}

func TestInspectorBoundsWhatItReads(t *testing.T) {
	s := open(t, console.Options{})
	for name, c := range map[string]struct {
		token  string
		status int
		says   string
	}{
		"a megabyte":   {strings.Repeat("a", 1<<20), http.StatusRequestEntityTooLarge, "larger than 128 KiB"},
		"100 KiB":      {strings.Repeat("a", 100<<10), http.StatusUnprocessableEntity, "100 KiB of text"},
		"not UTF-8":    {"e30.eyJhIjoi\xff.x", http.StatusUnprocessableEntity, "not base64url"},
		"HTML":         {"<script>alert(1)</script>", http.StatusUnprocessableEntity, "no dots"},
		"deeply empty": {strings.Repeat(".", 60_000), http.StatusUnprocessableEntity, "60001 parts"},
	} {
		a := s.post("inspect", url.Values{"token": {c.token}})
		if a.status != c.status || !strings.Contains(a.body, c.says) || strings.Contains(a.body, "<script>alert") {
			t.Errorf("%s: status %d, expected %d with a message that says %q", name, a.status, c.status, c.says)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"inspect",
		strings.NewReader(`{"token":"a"}`))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if got := s.send(req, err).status; got != http.StatusUnsupportedMediaType {
		t.Errorf("JSON in place of a form: status %d", got)
	}
}

func TestInspectorShowsHTMLAsText(t *testing.T) {
	s := open(t, console.Options{})
	token := s.idp.IDJAG(alice, agent, "notes")
	token.Claims["<b>name</b>"] = "</pre><script>alert(1)</script>"
	compact, err := token.Sign()
	if err != nil {
		t.Fatal(err)
	}
	a := s.post("inspect", url.Values{"token": {compact}})
	if a.status != http.StatusOK || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<b>name") ||
		!strings.Contains(a.body, "&lt;script&gt;alert(1)") {
		t.Errorf("markup in claims: status %d, expected it as text", a.status)
	}
}
