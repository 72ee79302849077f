package console_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/console"
	"github.com/emaconform/emaconform/mockidp/observe"
)

const jsonType = "application/json"

// A connector's side of the flow is shown beside the identity provider's, decoded, and without what opens anything.
func TestFlowShowsBothSidesWithoutSecrets(t *testing.T) {
	log := new(observe.Log)
	s := open(t, console.Options{Write: true, Connector: &console.Connector{ID: "notes",
		Log: log}, Judges: func(step console.Step) []console.Check {
		if step.Endpoint == console.ConnectorToken && step.Grant == "jwt-bearer" {
			return []console.Check{{ID: "RAS-HAPPY", Title: "an honest grant"}}
		}
		return nil
	}})
	if a := s.get("flow"); a.status != http.StatusOK || !strings.Contains(a.body, "Nothing has happened yet") {
		t.Fatalf("before anything happened: status %d", a.status)
	}
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	token := part(`{"alg":"RS256"}`) + "." + part(`{"aud":"https://seen.example"}`) + "." + part("the signature")
	server := httptest.NewServer(log.Tap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		if r.URL.Path == "/mcp" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/token" && r.FormValue("assertion") != token {
			t.Error("the request does not come through whole")
		}
		_, _ = w.Write([]byte(`{"access_token":"` + token + `","scope":"seen.scope"}`)) // the client is there
	}), func(r *http.Request) string {
		return map[string]string{"/token": console.ConnectorToken, "/mcp": console.ConnectorMCP}[r.URL.Path]
	}))
	defer server.Close()
	send := func(path, kind, body, authorization string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
		s.idp.Must(err)
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", authorization)
		res, err := http.DefaultClient.Do(req)
		s.idp.Must(err)
		s.idp.Must(res.Body.Close())
	}
	s.idp.Login(alice, agent)
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token},
		"client_secret": {"whisper"}}
	send("/token", "application/x-www-form-urlencoded", form.Encode(), "Basic "+
		base64.StdEncoding.EncodeToString([]byte("me:murmur")))
	send("/mcp", jsonType, `{"method":"tools/call","params":{"name":"whoami"}}`, "Bearer "+token)
	send("/elsewhere", "text/plain", "x", "Bearer opaque-token")
	a := s.get("flow")
	for _, want := range []string{"code for ID token", "ID-JAG for access token", "https://seen.example", "seen.scope",
		"tools/call whoami",
		"Bearer error=&#34;invalid_token&#34;", "RAS-HAPPY", "as <code>me</code>", "client-ras", "client-mcp failed",
		"leaves</button>"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the flow does not show %q", want)
		}
	}
	for _, secret := range []string{"whisper", "murmur", "opaque-token", part("the signature"),
		base64.StdEncoding.EncodeToString([]byte("me:murmur"))} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the flow shows a secret of %d characters", len(secret))
		}
	}
	if len(log.List()) != 2 {
		t.Errorf("%d requests are remembered, expected the two that have a name", len(log.List()))
	}
	s.post("do/reset", url.Values{"back": {console.Path + "/flow"}})
	if len(log.List()) != 0 {
		t.Error("the connector's side is still there after a reset")
	}
}
