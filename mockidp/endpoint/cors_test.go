package endpoint_test

import (
	"net/http"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestOnlyPagesOfClientsReadAnswers(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithClient(directory.Client{ID: "spa",
		RedirectURIs: []string{"https://spa.example/callback"}}))
	send := func(method, path, origin string) response {
		req, err := http.NewRequest(method, idp.URL()+path, nil)
		harness.Must(t, err)
		req.Header.Set("Origin", origin)
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		return readAll(t, res)
	}
	for origin, trusted := range map[string]bool{
		"https://spa.example": true, "http://localhost:5173": true, "http://127.0.0.1:9": true,
		"https://evil.example": false, "http://spa.example": false, "https://spa.example.evil.example": false, "null": false,
		"https://localhost:5173": false,
	} {
		want := ""
		if trusted {
			want = origin
		}
		for _, r := range []response{send(http.MethodOptions, "/oauth2/v1/token", origin),
			send(http.MethodGet, "/oauth2/v1/keys", origin)} {
			if got := r.Header.Get("Access-Control-Allow-Origin"); got != want ||
				r.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s for %s: allows %q", r.Request.Method, origin, got)
			}
		}
	}
	for _, path := range []string{"/login/signin", "/oauth2/v1/authorize", "/oauth2/v1/logout"} {
		if got := send(http.MethodGet, path, "https://spa.example").Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s allows %q", path, got)
		}
	}
	if n := idp.Requests(mockidp.EndpointToken); n != 0 {
		t.Errorf("%d preflights are counted as requests", n)
	}
}

func TestALateFaultLosesTheAnswerNotTheRequest(t *testing.T) {
	idp := mockidp.New(t)
	first := idp.Login(alice, agent, "offline_access").RefreshToken
	harness.Must(t, idp.Fault(mockidp.Fault{Endpoint: mockidp.EndpointToken, Count: 1, Late: true,
		Reply: mockidp.Reply{Status: http.StatusBadGateway, Body: "{}"}}))
	if status, _ := idp.TokenRequest(agent, refresh(first)); status != http.StatusBadGateway {
		t.Fatal(status)
	}
	// The token has rotated although the client never saw its successor: that is what the leeway is for.
	if status, answer := idp.TokenRequest(agent, refresh(first)); status != http.StatusOK ||
		answer["refresh_token"] == first {
		t.Errorf("%d %v", status, answer["error"])
	}
}

func TestEndedSessionsEndTheUseOfIDTokens(t *testing.T) {
	idp := mockidp.New(t)
	before := idp.Login(alice, agent).IDToken
	harness.Must(t, idp.EndSessions(alice))
	status, answer := idp.TokenRequest(agent, exchange(before))
	entries := idp.Audit().Entries()
	if status != http.StatusBadRequest || answer["error"] != "invalid_request" ||
		entries[len(entries)-1].Reason != "invalid_subject_token_session_expired" {
		t.Errorf("%d %v %s", status, answer["error"], entries[len(entries)-1].Reason)
	}
	if status, answer := idp.TokenRequest(agent, exchange(idp.Login(alice, agent).IDToken)); status != http.StatusOK {
		t.Errorf("after a new sign-in: %d %v", status, answer["error"])
	}
	if err := idp.EndSessions("nobody"); err == nil {
		t.Error("ended for nobody")
	}
}
