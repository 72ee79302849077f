package endpoint_test

import (
	"encoding/base64"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	schema "github.com/crewjam/saml"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
	"github.com/emaconform/emaconform/mockidp/saml"
)

func TestSAMLSignOnLeadsToAnIDJAG(t *testing.T) {
	s := newSAMLSite(t)
	browser := newJar(t)
	page, signIns := s.visit(t, browser, alice)
	if page != alice+", [Engineering]" || signIns != 1 {
		t.Fatalf("the page says %q after %d sign-ins; the service provider heard %v", page, signIns, s.heard)
	}
	status, answer := s.idp.TokenRequest(samlAgent, forRefresh(s.assertion))
	if status != http.StatusOK || answer["issued_token_type"] != typeRefresh {
		t.Fatalf("%d %v %v", status, answer["error"], answer["error_description"])
	}
	refresh, _ := answer["access_token"].(string)
	status, answer = s.idp.TokenRequest(samlAgent, exchange(refresh, "subject_token_type", typeRefresh))
	if status != http.StatusOK {
		t.Fatalf("%d %v %v", status, answer["error"], answer["error_description"])
	}
	claims := claimsOf(t, answer["access_token"])
	id, _ := claims["sub_id"].(map[string]any)
	if claims["sub"] != s.idp.User(alice).ID || claims["email"] != alice || claims["client_id"] != "saml-agent-at-notes" ||
		id["nameid"] != alice || id["nameid_format"] != saml.FormatEmail {
		t.Errorf("claims %v", claims)
	}
	status, answer = s.idp.TokenRequest(samlAgent, forRefresh(s.assertion))
	if status != http.StatusBadRequest || answer["error"] != "invalid_request" {
		t.Errorf("the assertion once more: %d %v", status, answer["error"])
	}
}

// Without a page when there is a session, with one when the application forces it.
func TestSAMLSignOnUsesTheSession(t *testing.T) {
	s := newSAMLSite(t)
	browser := newJar(t)
	again := func() (string, int) {
		t.Helper()
		site, err := url.Parse(s.url)
		harness.Must(t, err)
		browser.Jar.SetCookies(site, []*http.Cookie{{Name: "token", MaxAge: -1}}) // the application's own session
		return s.visit(t, browser, alice)
	}
	yes := true
	for _, step := range []struct {
		name    string
		force   *bool
		signIns int
	}{{"first", nil, 1}, {"second", nil, 0}, {"forced", &yes, 1}} {
		s.provider.ServiceProvider.ForceAuthn = step.force
		if page, signIns := again(); !strings.HasPrefix(page, alice) || signIns != step.signIns {
			t.Errorf("%s visit: %q after %d sign-ins; heard %v", step.name, page, signIns, s.heard)
		}
	}
	harness.Must(t, s.idp.EndSessions(alice))
	if _, signIns := again(); signIns != 1 {
		t.Errorf("after the sessions were ended: %d sign-ins", signIns)
	}
}

func TestSAMLSignOnRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		login   string
		prepare func(*samlSite)
		status  string
		rule    string
	}{
		"a user who is not assigned": {carol, func(*samlSite) {}, schema.StatusResponder, "client assignment"},
		"a client that is not active": {alice, func(s *samlSite) {
			s.idp.Must(s.idp.Update(func(d *directory.Directory) error {
				d.Clients[len(d.Clients)-1].Status = directory.Inactive
				return nil
			}))
		}, schema.StatusResponder, "client"},
		"a user without a second factor": {carol, func(s *samlSite) {
			s.provider.ServiceProvider.RequestedAuthnContext = &schema.RequestedAuthnContext{
				Comparison: "exact", AuthnContextClassRefs: []string{saml.ContextMFA}}
		}, schema.StatusRequester, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSAMLSite(t)
			c.prepare(s)
			if page, _ := s.visit(t, newJar(t), c.login); page != "refused\n" {
				t.Errorf("the page says %q", page)
			}
			if bad := (schema.ErrBadStatus{}); !errors.As(s.heard, &bad) || bad.Status != c.status || s.assertion != nil {
				t.Errorf("the application heard %v", s.heard)
			}
			entry := lastOf(t, s.idp, audit.SignOn)
			if entry.Outcome != audit.Failure || entry.Rule != c.rule || entry.Client != samlAgent {
				t.Errorf("the audit log says %+v", entry)
			}
		})
	}
}

func TestSAMLSignOnAsksForTheFactorThatIsAskedFor(t *testing.T) {
	s := newSAMLSite(t)
	s.provider.ServiceProvider.RequestedAuthnContext = &schema.RequestedAuthnContext{
		Comparison: "exact", AuthnContextClassRefs: []string{saml.ContextMFA}}
	if page, _ := s.visit(t, newJar(t), alice); !strings.HasPrefix(page, alice) {
		t.Errorf("the page says %q, heard %v", page, s.heard)
	}
	if !strings.Contains(string(s.assertion), saml.ContextMFA) {
		t.Error("the assertion does not say that there was a second factor")
	}
}

func TestSAMLSignOnIsPassive(t *testing.T) {
	s := newSAMLSite(t)
	sp := &s.provider.ServiceProvider
	request, err := sp.MakeAuthenticationRequest(sp.GetSSOBindingLocation(schema.HTTPRedirectBinding),
		schema.HTTPRedirectBinding, schema.HTTPPostBinding)
	harness.Must(t, err)
	yes := true
	request.IsPassive = &yes
	to, err := request.Redirect("", sp)
	harness.Must(t, err)
	resp, err := newJar(t).Get(to.String())
	harness.Must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	harness.Must(t, err)
	field := formInput.FindSubmatch(body)
	if field == nil {
		t.Fatalf("status %d and no response to the application", resp.StatusCode)
	}
	raw, err := base64.StdEncoding.DecodeString(html.UnescapeString(string(field[2])))
	harness.Must(t, err)
	if !strings.Contains(string(raw), schema.StatusNoPassive) || strings.Contains(string(raw), "Assertion ") {
		t.Error("the response is not a refusal with NoPassive")
	}
}

func lastOf(t *testing.T, idp *mockidp.Test, kind string) audit.Entry {
	t.Helper()
	for _, entry := range slices.Backward(idp.Audit().Entries()) {
		if entry.Type == kind {
			return entry
		}
	}
	t.Fatalf("the audit log has no %s", kind)
	return audit.Entry{}
}

// signedAssertion is an assertion of a user at the SAML client, changed before it is signed.
func (s *samlSite) signedAssertion(t *testing.T, login string, change func(*schema.Assertion)) []byte {
	t.Helper()
	provider, err := s.idp.SAML()
	harness.Must(t, err)
	assertion := s.idp.SAMLAssertion(login, samlAgent)
	change(assertion)
	signed, err := provider.Sign(assertion)
	harness.Must(t, err)
	return signed
}

func unchanged(*schema.Assertion) {}

// Real malformed documents at the token endpoint. The client hears one text; the audit log says why.
func TestExchangeRefusesHostileAssertions(t *testing.T) {
	s := newSAMLSite(t)
	key, err := mockidp.NewKey("ES256")
	harness.Must(t, err)
	canary, err := mockidp.StartCanary(t.Context(), "127.0.0.1:0", key)
	harness.Must(t, err)
	defer canary.Close()
	honest := func(change func(*schema.Assertion)) []byte { return s.signedAssertion(t, alice, change) }
	signed := honest(unchanged)
	rows := map[string]struct {
		document []byte
		reason   string
	}{
		"external entity":      {hostile.ExternalEntity(signed, canary.URL()+"/xxe/entity"), "malformed"},
		"nothing":              {[]byte(" "), "malformed"},
		"another issuer":       {honest(func(a *schema.Assertion) { a.Issuer.Value += "/" }), "issuer"},
		"nobody we know":       {honest(func(a *schema.Assertion) { a.Subject.NameID.Value = "mallory" }), "user_unknown"},
		"signed by a stranger": {newSAMLSite(t, newCertificate).signedAssertion(t, alice, unchanged), "signature"},
	}
	for _, attack := range hostile.SAMLAttacks() {
		row := rows["nothing"]
		row.document = attack.Make(signed, bob)
		if slices.Contains([]string{"unsigned", "changed", "redigested", "strangers-key"}, attack.ID) {
			row.reason = "signature"
		}
		rows[attack.ID] = row
	}
	for _, misuse := range hostile.SAMLMisuses() {
		row := rows["nothing"]
		row.document = honest(func(a *schema.Assertion) { harness.Must(t, saml.Change(a, misuse.Set(time.Now()), nil)) })
		if row.reason = "time"; strings.HasPrefix(misuse.ID, "other-") {
			row.reason = "audience"
		}
		rows[misuse.ID] = row
	}
	for name, row := range rows {
		status, answer := s.idp.TokenRequest(samlAgent, forRefresh(row.document))
		if status != http.StatusBadRequest || answer["error"] != "invalid_request" || answer["access_token"] != nil ||
			answer["error_description"] != "subject token: the SAML assertion is not valid" {
			t.Errorf("%s: %d %v %v", name, status, answer["error"], answer["error_description"])
		}
		entries := s.idp.Audit().Entries()
		if got := entries[len(entries)-1].Reason; got != "invalid_subject_token_saml_"+row.reason {
			t.Errorf("%s: the audit log says %q", name, got)
		}
	}
	if len(canary.Hits("xxe")) != 0 {
		t.Error("the external entity was fetched")
	}
	if status, answer := s.idp.TokenRequest(samlAgent, forRefresh(signed)); status != http.StatusOK {
		t.Errorf("after all that the honest assertion: %d %v", status, answer["error"])
	}
}

func TestExchangeOfAnAssertionFollowsThePolicy(t *testing.T) {
	forIDJAG := []string{"requested_token_type", typeIDJAG, "audience", notes}
	deactivate := func(idp *mockidp.Test) error { return idp.SetStatus(alice, directory.Deprovisioned) }
	endSessions := func(idp *mockidp.Test) error { return idp.EndSessions(alice) }
	expire := func(idp *mockidp.Test) error { idp.Advance(saml.AssertionLifetime); return nil }
	nothing := func(*mockidp.Test) error { return nil }
	for name, c := range map[string]struct {
		client, login string
		change        []string
		before        func(*mockidp.Test) error
		code, reason  string
	}{
		"without SAML":     {agent, alice, nil, nothing, "invalid_request", "invalid_subject_token_type"},
		"no offline":       {samlAgent, alice, []string{"scope", "openid"}, nothing, "invalid_scope", "missing_scopes"},
		"for an ID-JAG":    {samlAgent, alice, forIDJAG, nothing, "invalid_request", "invalid_subject_token_type"},
		"not assigned":     {samlAgent, carol, nil, nothing, "invalid_request", "invalid_subject_token_user_not_assigned"},
		"deactivated":      {samlAgent, alice, nil, deactivate, "invalid_request", "invalid_subject_token_saml_session"},
		"sessions ended":   {samlAgent, alice, nil, endSessions, "invalid_request", "invalid_subject_token_saml_session"},
		"after its expiry": {samlAgent, alice, nil, expire, "invalid_request", "invalid_subject_token_saml_time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSAMLSite(t)
			signed := s.signedAssertion(t, c.login, unchanged)
			harness.Must(t, c.before(s.idp))
			status, answer := s.idp.TokenRequest(c.client, forRefresh(signed, c.change...))
			if status != http.StatusBadRequest || answer["error"] != c.code {
				t.Errorf("%d %v %v", status, answer["error"], answer["error_description"])
			}
			entries := s.idp.Audit().Entries()
			if reason := entries[len(entries)-1].Reason; reason != c.reason {
				t.Errorf("the audit log says %q", reason)
			}
		})
	}
}

// Each form of name leads back to the user whom it names.
func TestSAMLNamesAreThoseOfTheDirectory(t *testing.T) {
	for form, want := range map[directory.NameID][2]string{
		"": {alice, saml.FormatEmail}, directory.NameLogin: {alice, saml.FormatUnspecified},
		directory.NamePersistent: {directory.MakeID("00u", alice), saml.FormatPersistent},
	} {
		s := newSAMLSite(t, func(o *mockidp.ServerOptions) {
			o.Directory.Clients[len(o.Directory.Clients)-1].SAML.NameID = form
		})
		assertion := s.idp.SAMLAssertion(alice, samlAgent)
		if got := assertion.Subject.NameID; got.Value != want[0] || got.Format != want[1] {
			t.Errorf("%q: %q in format %s", form, got.Value, got.Format)
		}
		status, answer := s.idp.TokenRequest(samlAgent, forRefresh(s.signedAssertion(t, alice, unchanged)))
		if status != http.StatusOK {
			t.Errorf("%q: %d %v %v", form, status, answer["error"], answer["error_description"])
		}
	}
}
