package idp

import (
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// registered are the error codes of RFC 6749 5.2 and the specifications that extend it (IANA, OAuth Extensions Error
// Registry).
var registered = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
	"unsupported_grant_type", "invalid_scope",
	"invalid_target", "access_denied", "server_error", "temporarily_unavailable", "invalid_token", "insufficient_scope",
	"unsupported_token_type",
	"invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication", "invalid_authorization_details",
	"interaction_required",
	"login_required", "consent_required"}

// proper judges a refusal as a whole.
func proper(t *T, a *wire.Answer, wanted ...string) {
	if Granted(a) || a.Status/100 == 2 {
		t.Failf("expected a refusal, but the identity provider answered: %s", a.Summary())
	}
	if problem := OAuthError(a); problem != "" {
		t.Failf("the refusal is no OAuth error (RFC 6749 5.2): %s", problem)
	}
	code := a.String("error")
	if !slices.Contains(registered, code) {
		t.Warnf("the error code %s is not registered: clients do not know what to do", wire.Printable(code, 60))
	}
	if !strings.Contains(strings.Join(a.Header.Values("Cache-Control"), ","), "no-store") {
		t.Warnf("the refusal has no Cache-Control: no-store")
	}
	if a.Status == http.StatusForbidden {
		t.Notef("HTTP 403, where RFC 6749 5.2 has 400")
	}
	if len(wanted) > 0 {
		codes(t, a, wanted...)
	}
}

var _ = check.For("IDP-ERR", func() {
	refusal := func(slug, what string, change func(*T) []Option, wanted []string, options ...check.Option) {
		It(slug, "answers "+what+" with an OAuth error", func(t *T) {
			_, a := t.Beside(func() *wire.Answer { return t.Attack(change(t)...) })
			proper(t, a, wanted...)
		}, append([]check.Option{check.Sends("An honest exchange, then one with " + what + ".")}, options...)...)
	}
	refusal("bad-subject", "a subject token that is none", one(Param("subject_token", "none")),
		[]string{"invalid_request", "invalid_grant"})
	refusal("bad-client", "no client", one(Authenticating(func(*wire.Request) {})),
		[]string{"invalid_client", "invalid_request"})
	refusal("bad-audience", "an audience that nobody knows", one(Param("audience", "https://unknown.example")),
		[]string{"invalid_target"})
	refusal("bad-resource", "a resource that nobody knows", one(Param("resource", "https://unknown.example/mcp")),
		[]string{"invalid_target"},
		check.With(NeedsResource))
	refusal("bad-type", "a requested_token_type that nobody knows",
		one(Param("requested_token_type", "urn:example:nothing")), []string{"invalid_request"})
	refusal("denied-user", "a user who may not", func(t *T) []Option {
		if _, err := t.Desk.Tokens(t, t.Recorder(), signin.Ask{User: t.Outsider(), Client: t.A()}); err != nil {
			t.Skipf("refused at sign-in already, so that there is no exchange: %v", err)
		}
		return []Option{For(t.Outsider())}
	},
		[]string{"access_denied", "invalid_target", "unauthorized_client"}, check.With(NeedsOutsider))
	refusal("unknown-grant", "a grant type that nobody knows", one(Param("grant_type", "urn:example:nothing")),
		[]string{"unsupported_grant_type"})
	refusal("no-grant", "no grant type", one(Without("grant_type")), []string{"invalid_request", "unsupported_grant_type"})
	refusal("twice-grant", "two grant types", one(Also("grant_type", "authorization_code")), []string{"invalid_request"})
	refusal("twice-scope", "two scopes parameters", func(t *T) []Option {
		return []Option{Also("scope", t.Notes().Scopes[0])}
	},
		[]string{"invalid_request"}, check.With(NeedsScope))
	refusal("nothing", "a request without parameters", one(func(x *Exchange) {
		Authenticating(func(r *wire.Request) { r.Form = []reports.Field{} })(x)
	}), nil)

	raw := func(slug, title string, change func(*wire.Request), judge func(*T, *wire.Answer), options ...check.Option) {
		It(slug, title, func(t *T) {
			_, a := t.Beside(func() *wire.Answer {
				r := t.Request()
				change(r)
				return t.AttackWith(r)
			})
			if Granted(a) {
				t.Failf("the request was granted: %s", a.Summary())
			}
			judge(t, a)
		}, append([]check.Option{check.Sends("An honest exchange, then such a request.")}, options...)...)
	}
	raw("json-body", "does not take parameters as JSON", func(r *wire.Request) {
		r.Form, r.Body = nil, []byte(`{"grant_type":"`+GrantExchange+`"}`)
		r.Header.Set("Content-Type", "application/json")
	}, func(t *T, a *wire.Answer) { proper(t, a) })
	raw("get", "does not take parameters from the query of a GET", func(r *wire.Request) {
		var query []string
		for _, f := range r.Form {
			if f.Name != "subject_token" { // never in a URL
				query = append(query, f.Name+"="+f.Value)
			}
		}
		r.URL, r.Form, r.Method = r.URL+"?"+strings.Join(query, "&"), nil, http.MethodGet
	}, func(_ *T, a *wire.Answer) { Expect(a.Status).To(BeNumerically(">=", 400), "status of a GET") })
	raw("large", "refuses a body of a megabyte", func(r *wire.Request) {
		r.AddField("padding", strings.Repeat("x", 1<<20))
	}, func(t *T, a *wire.Answer) {
		if a.Err == nil && a.Status >= 500 {
			t.Failf("HTTP %d to a large body", a.Status)
		}
	}, check.Intrusive(), check.Should())
})
