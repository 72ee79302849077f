package endpoint_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestEveryDecisionIsLogged(t *testing.T) {
	var lines bytes.Buffer
	idp := mockidp.New(t, mockidp.WithControl("s"), func(o *mockidp.ServerOptions) { o.AuditLines = &lines })
	tokens := idp.Login(alice, agent, "offline_access")
	_, granted := idp.TokenRequest(agent, exchange(tokens.IDToken, "scope", "notes.read notes.admin"))
	idp.TokenRequest(agent, exchange(tokens.IDToken, "audience", "https://ledger.example", "resource", "", "scope", ""))
	harness.Must(t, idp.SetStatus(alice, directory.Deprovisioned))
	idp.TokenRequest(agent, refresh(tokens.RefreshToken))

	var entries []audit.Entry
	for decoder := json.NewDecoder(&lines); decoder.More(); {
		var e audit.Entry
		harness.Must(t, decoder.Decode(&e))
		entries = append(entries, e)
	}
	var got []string
	for _, e := range entries {
		got = append(got, strings.Join([]string{e.Type, string(e.Outcome), e.Login, e.Client, e.Rule, e.Error}, "|"))
	}
	want := []string{
		"user.session.start|SUCCESS|" + alice + "|||",
		"app.oauth2.authorize.code|SUCCESS|" + alice + "|" + agent + "||",
		"app.oauth2.token.grant.id_token|SUCCESS|" + alice + "|" + agent + "||",
		"app.oauth2.token.grant.id_jag|SUCCESS|" + alice + "|" + agent + "|assignment|",
		"app.oauth2.token.grant|FAILURE|" + alice + "|" + agent + "|connector assignment|invalid_target",
		"user.lifecycle.deactivate|SUCCESS|" + alice + "|||",
		"app.oauth2.token.grant|FAILURE|" + alice + "|" + agent + "||invalid_grant",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	e := entries[3]
	if e.Audience != notes || strings.Join(e.Resource, " ") != notesResource ||
		strings.Join(e.Asked, " ") != "notes.read notes.admin" ||
		strings.Join(e.Granted, " ") != "notes.read" || e.JTI != claimsOf(t, granted["access_token"])["jti"] {
		t.Errorf("%+v", e)
	}
}

func TestSystemLogAPI(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithControl("s"))
	tokens := idp.Login(alice, agent)
	_, granted := idp.TokenRequest(agent, exchange(tokens.IDToken))
	idp.TokenRequest(agent, exchange(tokens.IDToken, "scope", "notes.admin"))
	logs := func(authorization string, q url.Values) (int, []audit.Event) {
		req, err := http.NewRequest(http.MethodGet, idp.URL()+"/api/v1/logs?"+q.Encode(), nil)
		harness.Must(t, err)
		req.Header.Set("Authorization", authorization)
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		defer res.Body.Close()
		var events []audit.Event
		if res.StatusCode == http.StatusOK {
			harness.Must(t, json.NewDecoder(res.Body).Decode(&events))
		}
		return res.StatusCode, events
	}
	status, events := logs("SSWS s", url.Values{"filter": {`eventType eq "app.oauth2.token.grant.id_jag"`}})
	if status != http.StatusOK || len(events) != 1 {
		t.Fatalf("%d, %d events", status, len(events))
	}
	e := events[0]
	debug := e.DebugContext["debugData"].(map[string]any)
	if e.Actor.ID != agent || e.Target[0].AlternateID != alice || e.Target[1].ID != notes ||
		e.Outcome.Result != "SUCCESS" ||
		debug["jti"] != claimsOf(t, granted["access_token"])["jti"] || debug["grantedScopes"] != "notes.read" ||
		e.DisplayMessage != "ID-JAG granted" {
		t.Errorf("%+v", e)
	}
	status, events = logs("SSWS s", url.Values{"filter": {`outcome.result eq "FAILURE"`}, "limit": {"1"},
		"sortOrder": {"DESCENDING"}})
	if status != http.StatusOK || len(events) != 1 || events[0].Outcome.Reason != "illegal_scope" ||
		events[0].Severity != "WARN" {
		t.Errorf("%d %+v", status, events)
	}
	if status, events := logs("SSWS s", url.Values{"q": {alice}, "since": {"2999-01-01T00:00:00Z"}}); status !=
		http.StatusOK || len(events) != 0 {
		t.Errorf("%d, %d events from the future", status, len(events))
	}
	for name, q := range map[string]url.Values{"filter": {"filter": {"a lt 3"}}, "limit": {"limit": {"0"}},
		"since": {"since": {"yesterday"}}} {
		if status, _ := logs("SSWS s", q); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := logs("SSWS wrong", nil); status != http.StatusUnauthorized {
		t.Errorf("without the secret: %d", status)
	}
}

// TestNoSecretIsLogged walks through every flow and looks for what was issued and sent in everything that is kept.
func TestNoSecretIsLogged(t *testing.T) {
	var kept bytes.Buffer
	idp := mockidp.New(t, func(o *mockidp.ServerOptions) {
		o.AuditLines, o.Log = &kept, slog.New(slog.NewTextHandler(&kept, nil))
	})
	client := idp.Directory().Client(agent)
	tokens := idp.Login(alice, agent, "offline_access")
	_, jag := idp.TokenRequest(agent, exchange(tokens.IDToken))
	_, refreshed := idp.TokenRequest(agent, refresh(tokens.RefreshToken))
	idp.TokenRequest(agent, refresh("made-up-refresh-token"))
	idp.TokenRequest(agent, exchange("made-up-subject-token"))
	idp.TokenRequest(agent, redemption("made-up-code"))
	own := url.Values{"client_id": {agent}, "client_secret": {client.Secret}, "token": {tokens.AccessToken}}
	request(t, http.MethodPost, idp.URL()+"/oauth2/v1/introspect", "", own)
	request(t, http.MethodGet, idp.URL()+"/oauth2/v1/userinfo", tokens.AccessToken, nil)
	request(t, http.MethodPost, idp.URL()+"/oauth2/v1/revoke", "", own)
	request(t, http.MethodGet, idp.URL()+"/oauth2/v1/logout?id_token_hint="+tokens.IDToken, "", nil)
	request(t, http.MethodGet, idp.URL()+"/oauth2/v1/authorize?client_id="+agent+"&id_token_hint="+tokens.IDToken, "", nil)

	harness.Must(t, json.NewEncoder(&kept).Encode(idp.Exchanges()))
	harness.Must(t, json.NewEncoder(&kept).Encode(idp.Audit().Find(audit.Query{Limit: 1000})))
	signature := func(jwt string) string { return jwt[strings.LastIndexByte(jwt, '.')+1:] }
	for name, secret := range map[string]string{
		"access token": tokens.AccessToken, "refresh token": tokens.RefreshToken,
		"new refresh token":         refreshed["refresh_token"].(string),
		"signature of the ID token": signature(tokens.IDToken),
		"signature of the ID-JAG":   signature(jag["access_token"].(string)),
		"client secret":             client.Secret, "made-up refresh token": "made-up-refresh-token",
		"made-up subject token": "made-up-subject-token",
		"made-up code":          "made-up-code",
	} {
		if strings.Contains(kept.String(), secret) {
			t.Errorf("the %s was kept", name)
		}
	}
	if n := strings.Count(kept.String(), ".[signature]"); n < 3 {
		t.Errorf("only %d tokens are shown without their signature: was anything looked at?", n)
	}
}
