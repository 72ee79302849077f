package endpoint_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

const (
	agent     = harness.Agent
	codepilot = harness.Codepilot
	alice     = harness.Alice
	bob       = harness.Bob
	carol     = harness.Carol

	notes         = harness.Notes
	notesResource = harness.NotesResource
)

var (
	exchange = harness.Exchange
	claimsOf = harness.ClaimsOf
)

func TestLoginAndExchangeAsOktaDoes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	idp := mockidp.New(t, mockidp.WithClock(func() time.Time { return now }))
	tokens := idp.Login(alice, agent, "profile", "email", "groups", "offline_access")
	user := idp.User(alice)

	id := claimsOf(t, tokens.IDToken)
	want := map[string]any{
		"ver": 1.0, "iss": idp.URL(), "sub": user.ID, "aud": agent, "iat": 1772366400.0, "exp": 1772370000.0,
		"auth_time": 1772366400.0,
		"amr":       []any{"pwd", "otp", "mfa"}, "idp": id["idp"], "email": alice, "name": "Alice Adams",
		"preferred_username": alice,
		"groups":             []any{"Everyone", "Engineering"},
	}
	if diff := cmp.Diff(want, id, cmpopts.IgnoreMapEntries(func(k string, _ any) bool {
		return k == "jti" || k == "at_hash"
	})); diff != "" {
		t.Error(diff)
	}
	if tokens.RefreshToken == "" || tokens.ExpiresIn != 3600 {
		t.Errorf("refresh token of %d characters, expires in %d", len(tokens.RefreshToken), tokens.ExpiresIn)
	}

	for kind, subject := range map[string]string{"id_token": tokens.IDToken, "refresh_token": tokens.RefreshToken} {
		status, answer := idp.TokenRequest(agent, exchange(subject, "subject_token_type",
			"urn:ietf:params:oauth:token-type:"+kind))
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v %v", kind, status, answer["error"], answer["error_description"])
		}
		jag := answer["access_token"]
		delete(answer, "access_token")
		if diff := cmp.Diff(map[string]any{"issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
			"token_type": "N_A",
			"expires_in": 300.0}, answer); diff != "" {
			t.Error(kind, diff)
		}
		want := map[string]any{"iss": idp.URL(), "sub": user.ID, "aud": notes, "client_id": "acme-agent-at-notes",
			"resource": notesResource,
			"scope":    "notes.read", "email": alice, "sub_profile": "user",
			"act": map[string]any{"sub": agent, "sub_profile": "ai_agent web_app"}, "iat": 1772366400.0, "exp": 1772366700.0}
		claims := claimsOf(t, jag)
		if jti, _ := claims["jti"].(string); !strings.HasPrefix(jti, "IDAAG.") || len(jti) != 49 {
			t.Errorf("%s: jti %q", kind, jti)
		}
		delete(claims, "jti")
		if diff := cmp.Diff(want, claims); diff != "" {
			t.Error(kind, diff)
		}
		header, _ := mockidp.Decode(jag.(string))
		if diff := cmp.Diff(map[string]any{"alg": "RS256", "typ": "oauth-id-jag+jwt",
			"kid": idp.Issuer().Keys.Signing().KeyID}, header.Header); diff != "" {
			t.Error(kind, diff)
		}
	}
}

func TestExchangeRefuses(t *testing.T) {
	idp := mockidp.New(t)
	good := idp.IDToken(alice, agent)
	sign := func(change func(*mockidp.Token)) string {
		token := good.Clone()
		change(token)
		compact, err := token.Sign()
		harness.Must(t, err)
		return compact
	}
	honest := sign(func(*mockidp.Token) {})
	stranger := mockidp.New(t, mockidp.WithAlgorithm("ES256"))
	foreign, err := stranger.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	jag, err := idp.IDJAG(alice, agent, "notes").Sign()
	harness.Must(t, err)
	ofCarol, err := idp.IDToken(carol, agent).Sign()
	harness.Must(t, err)
	access := idp.Login(alice, agent).AccessToken

	if status, answer := idp.TokenRequest(agent, exchange(honest)); status != http.StatusOK {
		t.Fatalf("the honest twin is refused: %v", answer)
	}
	for name, c := range map[string]struct {
		form       url.Values
		code, rule string // error, and what the log calls it
	}{
		"no requested_token_type": {exchange(honest, "requested_token_type", ""), "invalid_request",
			"invalid_requested_token_type"},
		"other requested_token_type": {exchange(honest, "requested_token_type",
			"urn:ietf:params:oauth:token-type:access_token"), "invalid_request", "invalid_requested_token_type"},
		"case of requested_token_type": {exchange(honest, "requested_token_type",
			"urn:ietf:params:oauth:token-type:ID-JAG"), "invalid_request", "invalid_requested_token_type"},
		"no audience": {exchange(honest, "audience", ""), "invalid_request", "invalid_request"},
		"unknown audience": {exchange(honest, "audience", "https://evil.example"), "invalid_target",
			"token_exchange_incomplete_resource_configuration"},
		"audience with a slash": {exchange(honest, "audience", notes+"/"), "invalid_target",
			"token_exchange_incomplete_resource_configuration"},
		"resource of another RAS": {exchange(honest, "resource", "https://tickets.example/mcp"), "invalid_target",
			"token_exchange_invalid_resource"},
		"resource that is relative": {exchange(honest, "resource", "/mcp"), "invalid_target",
			"token_exchange_invalid_resource"},
		"resource with a fragment": {exchange(honest, "resource", notesResource+"#x"), "invalid_target",
			"token_exchange_invalid_resource"},
		"scope not allowed":     {exchange(honest, "scope", "notes.admin"), "invalid_scope", "illegal_scope"},
		"no subject token":      {exchange(honest, "subject_token", ""), "invalid_request", "invalid_request"},
		"no subject token type": {exchange(honest, "subject_token_type", ""), "invalid_request", "invalid_request"},
		"wrong subject token type": {exchange(honest, "subject_token_type",
			"urn:ietf:params:oauth:token-type:refresh_token"), "invalid_grant", "invalid_refresh_token"},
		"access token as ID token": {exchange(access), "invalid_request", "invalid_subject_token"},
		"ID-JAG as ID token":       {exchange(jag), "invalid_request", "invalid_subject_token"},
		"another issuer's":         {exchange(foreign), "invalid_request", "invalid_subject_token"},
		"signature changed": {exchange(honest[:len(honest)-8] + "AAAAAAAA"), "invalid_request",
			"invalid_subject_token"},
		"not signed": {exchange(honest[:strings.LastIndex(honest, ".")+1]), "invalid_request",
			"invalid_subject_token"},
		"expired": {exchange(sign(func(t *mockidp.Token) {
			t.Claims["exp"] = time.Now().Unix() - 60
		})), "invalid_grant", "token_exchange_subject_token_expired"},
		"issued to another client": {exchange(sign(func(t *mockidp.Token) { t.Claims["aud"] = codepilot })),
			"invalid_request", "invalid_subject_token"},
		"issued to two clients": {exchange(sign(func(t *mockidp.Token) {
			t.Claims["aud"] = []string{agent, codepilot}
		})), "invalid_request", "invalid_subject_token"},
		"issued in the future": {exchange(sign(func(t *mockidp.Token) {
			t.Claims["iat"] = time.Now().Unix() + 600
		})), "invalid_request", "invalid_subject_token"},
		"iss changed": {exchange(sign(func(t *mockidp.Token) { t.Claims["iss"] = idp.URL() + "/" })),
			"invalid_request", "invalid_subject_token"},
		"of nobody": {exchange(sign(func(t *mockidp.Token) { t.Claims["sub"] = "00unobody" })),
			"invalid_request", "invalid_subject_token_user_inactive"},
		"user without access": {exchange(ofCarol), "invalid_target",
			"token_exchange_incomplete_resource_configuration"},
		"unknown details": {exchange(honest, "authorization_details", `[{"type":"x"}]`),
			"invalid_authorization_details", "invalid_authorization_details"},
		"malformed details": {exchange(honest, "authorization_details", `{"type":"x"}`),
			"invalid_authorization_details", "invalid_authorization_details"},
		"SAML": {exchange(honest, "subject_token_type",
			"urn:ietf:params:oauth:token-type:saml2"), "invalid_request", "invalid_subject_token_type"},
		"grant type missing": {exchange(honest, "grant_type", ""), "invalid_request", "invalid_request"},
		"own ID-JAG redeemed": {url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
			"assertion": {jag}}, "unsupported_grant_type", "unsupported_grant_type"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := idp.TokenRequest(agent, c.form)
			if status != http.StatusBadRequest || answer["error"] != c.code {
				t.Errorf("%d %v (%v), expected 400 %s", status, answer["error"], answer["error_description"], c.code)
			}
			if answer["access_token"] != nil {
				t.Error("a token came with the refusal")
			}
			entries := idp.Audit().Entries()
			if last := entries[len(entries)-1]; last.Outcome != audit.Failure || last.Reason != c.rule || last.Client != agent {
				t.Errorf("logged %s, %s, client %s; expected %s", last.Outcome, last.Reason, last.Client, c.rule)
			}
		})
	}
}

func TestParametersComeOnce(t *testing.T) {
	idp := mockidp.New(t)
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	for _, name := range []string{"audience", "scope", "subject_token", "grant_type"} {
		form := exchange(honest)
		form.Add(name, form.Get(name))
		if status, answer := idp.TokenRequest(agent, form); status != http.StatusBadRequest ||
			answer["error"] != "invalid_request" {
			t.Errorf("%s twice: %d %v", name, status, answer["error"])
		}
	}
}

func TestLifecycleTakesEffectAtTheNextExchange(t *testing.T) {
	for name, lose := range map[string]func(*mockidp.Test) error{
		"deactivated": func(idp *mockidp.Test) error { return idp.SetStatus(alice, directory.Deprovisioned) },
		"suspended":   func(idp *mockidp.Test) error { return idp.SetStatus(alice, directory.Suspended) },
		"unassigned": func(idp *mockidp.Test) error {
			return idp.Update(func(d *directory.Directory) error {
				d.Clients[0].Assigned = directory.Assignment{Users: []string{bob}}
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			idp := mockidp.New(t)
			before := idp.Directory()
			tokens := idp.Login(alice, agent, "offline_access")
			refresh := exchange(tokens.RefreshToken, "subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")
			if status, answer := idp.TokenRequest(agent, refresh); status != http.StatusOK {
				t.Fatalf("refused before: %v", answer)
			}
			harness.Must(t, lose(idp))
			for kind, form := range map[string]url.Values{"ID token": exchange(tokens.IDToken), "refresh token": refresh} {
				if status, answer := idp.TokenRequest(agent, form); status != http.StatusBadRequest {
					t.Errorf("%s: granted after: %v", kind, answer)
				}
			}
			harness.Must(t, idp.Replace(before.Clone()))
			if status, _ := idp.TokenRequest(agent, refresh); status != http.StatusBadRequest {
				t.Error("reactivation brought the refresh token back")
			}
		})
	}
}
