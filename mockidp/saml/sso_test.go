package saml_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	schema "github.com/crewjam/saml"

	"github.com/emaconform/emaconform/mockidp/saml"
)

// ask sends an AuthnRequest of the app, after change, by the redirect binding.
func (i *idp) ask(t *testing.T, change func(*schema.AuthnRequest)) (answer, string) {
	t.Helper()
	q := &schema.AuthnRequest{ID: "_q", Version: "2.0", IssueInstant: i.clock().UTC(), Destination: i.SSOURL("agent"),
		Issuer: &schema.Issuer{Value: i.app.EntityID}}
	change(q)
	doc := etree.NewDocument()
	doc.SetRoot(q.Element())
	raw, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{"SAMLRequest": {deflated(t, raw)}, "RelayState": {"<relay>"}}
	return fetch(t, i.SSOURL("agent")+"?"+query.Encode())
}

// answer is one whose body has been read and closed.
type answer struct{ *http.Response }

func fetch(t *testing.T, address string) (answer, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp}, string(body)
}

func deflated(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func text(s string) *string { return &s }

func yes() *bool { b := true; return &b }

// response reads the SAMLResponse of an answer page.
func response(t *testing.T, page string) *schema.Response {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(formIn(t, page).Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	var r schema.Response
	if err := xml.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// Each row is a request that the provider understands and answers to the app.
func TestSignOnAnswersTheApp(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*idp, *schema.AuthnRequest)
		status []string // "" is success
	}{
		"plain": {func(*idp, *schema.AuthnRequest) {}, nil},
		"a name format that it has": {func(_ *idp, q *schema.AuthnRequest) {
			q.NameIDPolicy = &schema.NameIDPolicy{Format: text(saml.FormatEmail)}
		}, nil},
		"a transient name, as libraries do": {func(_ *idp, q *schema.AuthnRequest) {
			q.NameIDPolicy = &schema.NameIDPolicy{Format: text(saml.FormatTransient)}
		}, nil},
		"another name format": {func(_ *idp, q *schema.AuthnRequest) {
			q.NameIDPolicy = &schema.NameIDPolicy{Format: text(saml.FormatPersistent)}
		}, []string{schema.StatusRequester, schema.StatusInvalidNameIDPolicy}},
		"an authentication that the user has": {func(i *idp, q *schema.AuthnRequest) {
			i.user.AuthnContext = "urn:mfa"
			q.RequestedAuthnContext = &schema.RequestedAuthnContext{Comparison: "exact",
				AuthnContextClassRefs: []string{"urn:mfa"}}
		}, nil},
		"a stronger authentication": {func(_ *idp, q *schema.AuthnRequest) {
			q.RequestedAuthnContext = &schema.RequestedAuthnContext{Comparison: "exact",
				AuthnContextClassRefs: []string{"urn:mfa"}}
		}, []string{schema.StatusRequester, schema.StatusNoAuthnContext}},
		"a user who may not": {func(i *idp, _ *schema.AuthnRequest) { i.user, i.err = nil, saml.ErrDenied },
			[]string{schema.StatusResponder, schema.StatusRequestDenied}},
		"nobody, and no asking": {func(i *idp, q *schema.AuthnRequest) {
			i.user, i.err, q.IsPassive = nil, saml.ErrNoPassive, yes()
		}, []string{schema.StatusResponder, schema.StatusNoPassive}},
	} {
		t.Run(name, func(t *testing.T) {
			i := serveIdP(t)
			resp, page := i.ask(t, func(q *schema.AuthnRequest) { c.change(i, q) })
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("status %d: %s", resp.StatusCode, page)
			}
			form := formIn(t, page)
			if form.Get("action") != i.app.ACS[0] || form.Get("RelayState") != "<relay>" {
				t.Errorf("sent to %s with RelayState %q", form.Get("action"), form.Get("RelayState"))
			}
			checkResponse(t, i, response(t, page), c.status)
		})
	}
}

func checkResponse(t *testing.T, i *idp, r *schema.Response, status []string) {
	t.Helper()
	if r.InResponseTo != "_q" || r.Destination != i.app.ACS[0] || r.Issuer.Value != i.EntityID("agent") {
		t.Errorf("in response to %q, to %q, from %q", r.InResponseTo, r.Destination, r.Issuer.Value)
	}
	if r.Signature == nil {
		t.Error("the response is not signed")
	}
	if status == nil {
		if r.Status.StatusCode.Value != schema.StatusSuccess || r.Assertion == nil {
			t.Fatalf("status %q, assertion %t", r.Status.StatusCode.Value, r.Assertion != nil)
		}
		data := r.Assertion.Subject.SubjectConfirmations[0].SubjectConfirmationData
		if data.InResponseTo != "_q" || data.Recipient != i.app.ACS[0] {
			t.Errorf("confirmed for %q in response to %q", data.Recipient, data.InResponseTo)
		}
		return
	}
	second := r.Status.StatusCode.StatusCode
	if r.Assertion != nil || r.Status.StatusCode.Value != status[0] || second == nil || second.Value != status[1] {
		t.Errorf("status %+v, assertion %t", r.Status.StatusCode, r.Assertion != nil)
	}
}

// Each row is a request that gets no answer to the app, for it may not be the app's.
func TestSignOnRefusesBadRequests(t *testing.T) {
	i := serveIdP(t)
	day := 24 * time.Hour
	type request = *schema.AuthnRequest
	for name, c := range map[string]struct {
		change func(request)
		says   string
	}{
		"another destination": {func(q request) { q.Destination = "https://idp.example/sso" }, "Destination"},
		"another issuer":      {func(q request) { q.Issuer.Value = "https://evil.example" }, "Issuer"},
		"no issuer":           {func(q request) { q.Issuer = nil }, "Issuer"},
		"someone else's ACS":  {func(q request) { q.AssertionConsumerServiceURL = "https://evil.example" }, "not registered"},
		"an ACS with more":    {func(q request) { q.AssertionConsumerServiceURL = i.app.ACS[0] + "/" }, "not registered"},
		"no such ACS":         {func(q request) { q.AssertionConsumerServiceIndex = "7" }, "consumer service 7"},
		"a negative ACS":      {func(q request) { q.AssertionConsumerServiceIndex = "-1" }, "consumer service -1"},
		"ACS of no number":    {func(q request) { q.AssertionConsumerServiceIndex = "x" }, "not a number"},
		"another binding":     {func(q request) { q.ProtocolBinding = schema.HTTPArtifactBinding }, "ProtocolBinding"},
		"yesterday's":         {func(q request) { q.IssueInstant = q.IssueInstant.Add(-day) }, "IssueInstant"},
		"tomorrow's":          {func(q request) { q.IssueInstant = q.IssueInstant.Add(day) }, "IssueInstant"},
		"another version":     {func(q request) { q.Version = "1.1" }, "Version"},
		"no ID":               {func(q request) { q.ID = "" }, "no ID"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, page := i.ask(t, c.change)
			if resp.StatusCode != http.StatusBadRequest || !strings.Contains(page, c.says) || action.MatchString(page) {
				t.Errorf("status %d, expected %d and %q: %s", resp.StatusCode, http.StatusBadRequest, c.says, page)
			}
		})
	}
	if len(i.asked) != 0 {
		t.Error("a bad request came to the session")
	}
}

func TestSignOnRefusesWhatIsNoRequest(t *testing.T) {
	i := serveIdP(t)
	query := func(value string) string { return "?" + url.Values{"SAMLRequest": {value}}.Encode() }
	dtd := `<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]><x>&x;</x>`
	for name, c := range map[string]struct{ query, says string }{
		"nothing":       {"", "missing"},
		"no base64":     {query("%%%"), "not base64"},
		"not deflated":  {query(base64.StdEncoding.EncodeToString([]byte("<a/>"))), "not deflated"},
		"another kind":  {query(deflated(t, []byte("<a/>"))), "AuthnRequest"},
		"a DTD":         {query(deflated(t, []byte(dtd))), "DTD"},
		"not XML":       {query(deflated(t, []byte("hello"))), "text outside"},
		"too large":     {query(deflated(t, make([]byte, 10<<20))), "unpacks to more"},
		"script inside": {query("<script>"), "not base64"},
	} {
		resp, page := fetch(t, i.SSOURL("agent")+c.query)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(page, c.says) {
			t.Errorf("%s: status %d, expected %d and %q: %s", name, resp.StatusCode, http.StatusBadRequest, c.says, page)
		}
		if action.MatchString(page) || strings.Contains(page, "<script>") {
			t.Errorf("%s: the error page has a form or a script", name)
		}
	}
	resp, err := http.PostForm(i.SSOURL("agent"), url.Values{"SAMLRequest": {strings.Repeat("A", 1<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a megabyte by POST: status %d", resp.StatusCode)
	}
	for _, address := range []string{i.SSOURL("other"), i.EntityID("other")} {
		if resp, _ := fetch(t, address); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", address, resp.StatusCode)
		}
	}
}

func TestSignOnPassesOnWhatTheAppAsksFor(t *testing.T) {
	i := serveIdP(t)
	i.user = nil // the session answers with a page of its own
	issued := i.now.Add(-time.Minute).UTC()
	resp, page := i.ask(t, func(q *schema.AuthnRequest) {
		q.IssueInstant, q.ForceAuthn, q.IsPassive = issued, yes(), yes()
		q.RequestedAuthnContext = &schema.RequestedAuthnContext{Comparison: "exact",
			AuthnContextClassRefs: []string{"urn:mfa"}}
		q.AssertionConsumerServiceIndex = "1"
	})
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "log in") {
		t.Fatalf("status %d: %s", resp.StatusCode, page)
	}
	q := i.asked[0]
	if !q.ForceAuthn || !q.IsPassive || q.AuthnContext != "urn:mfa" || !q.IssuedAt.Equal(issued) || q.ID != "_q" ||
		q.ACS != i.app.ACS[1] || q.RelayState != "<relay>" || q.App.ID != "agent" {
		t.Errorf("the session was asked for %+v", q)
	}
}

func TestAnswerPageRunsNoScriptButItsOwn(t *testing.T) {
	i := serveIdP(t)
	resp, page := i.ask(t, func(*schema.AuthnRequest) {})
	policy := resp.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || strings.Contains(page, "<relay>") {
		t.Error("the page can be stored, or RelayState is not escaped")
	}
}

func TestMetadataNamesEndpointsAndKey(t *testing.T) {
	i := serveIdP(t)
	resp, body := fetch(t, i.EntityID("agent"))
	if resp.Header.Get("Content-Type") != "application/samlmetadata+xml" {
		t.Errorf("type %q", resp.Header.Get("Content-Type"))
	}
	var m schema.EntityDescriptor
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	sso := m.IDPSSODescriptors[0]
	for n, binding := range []string{schema.HTTPRedirectBinding, schema.HTTPPostBinding} {
		if at := sso.SingleSignOnServices[n]; at.Binding != binding || at.Location != i.SSOURL("agent") {
			t.Errorf("%s is at %s", at.Binding, at.Location)
		}
	}
	key := sso.KeyDescriptors[0]
	if len(sso.KeyDescriptors) != 1 || key.Use != "signing" ||
		key.KeyInfo.X509Data.X509Certificates[0].Data != base64.StdEncoding.EncodeToString(i.cert.Leaf.Raw) {
		t.Error("the key is not the signing certificate")
	}
	if m.EntityID != i.EntityID("agent") || string(sso.NameIDFormats[0]) != saml.FormatEmail {
		t.Errorf("entity %q, name format %q", m.EntityID, sso.NameIDFormats[0])
	}
}
