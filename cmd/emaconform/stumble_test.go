package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// rewritten is a target whose answers at a path are changed.
func rewritten(suffix string, change func(r *http.Request, a *httptest.ResponseRecorder)) func(*fixtures.Options) {
	return func(o *fixtures.Options) {
		o.Between = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, suffix) {
					next.ServeHTTP(w, r)
					return
				}
				body, _ := io.ReadAll(r.Body)
				again := r.Clone(r.Context())
				again.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
				a := httptest.NewRecorder()
				next.ServeHTTP(a, again)
				change(r, a)
				a.Header().Del("Content-Length")
				for name, values := range a.Header() {
					w.Header()[name] = values
				}
				w.WriteHeader(a.Code)
				_, _ = w.Write(a.Body.Bytes())
			})
		}
	}
}

// replaced changes a text in the answers at a path.
func replaced(suffix, old, with string) func(*fixtures.Options) {
	return rewritten(suffix, func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBuffer(bytes.ReplaceAll(a.Body.Bytes(), []byte(old), []byte(with)))
	})
}

// refusing answers every token request with an error.
func refusing(status int, code, description string) func(*fixtures.Options) {
	return rewritten("/oauth/token", func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Code, a.Body = status, bytes.NewBufferString(fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description))
	})
}

// both makes two changes, of which one may stand between.
func both(a, b func(*fixtures.Options)) func(*fixtures.Options) {
	return func(o *fixtures.Options) {
		a(o)
		first := o.Between
		o.Between = nil
		b(o)
		if second := o.Between; first != nil && second != nil {
			o.Between = func(next http.Handler) http.Handler { return first(second(next)) }
		} else if first != nil {
			o.Between = first
		}
	}
}

// Where those who set up such a connection stumble first, by what vendors' help pages say: each is recognised, and said
// in one sentence. Those of clients and of identity providers are in their packages.
func TestThePreflightKnowsWherePeopleStumble(t *testing.T) {
	const metadata = "/.well-known/oauth-authorization-server/oauth"
	for name, c := range map[string]struct {
		adjust func(*fixtures.Options)
		config func(*target.Config) // after the target told about itself
		known  bool                 // resource and authorization server are configured
		says   string
	}{
		"1 the issuer with a slash more": {adjust: replaced("/.well-known/oauth-protected-resource/mcp", `/oauth"`,
			`/oauth/"`),
			says: "they differ in the last slash"},
		"2 one user is no account": {adjust: func(o *fixtures.Options) { o.Users = o.Users[1:] },
			says: "It is granted for users[1], and refused for users[0]. Create an account"},
		"3 not switched on for the account": {adjust: refusing(403, "access_denied", "not available"),
			says: "The server knows the grant, but trusts no issuer for this account yet."},
		"4 a custom server of Okta": {adjust: refusing(400, "invalid_grant", ""),
			config: func(c *target.Config) { c.IdP.Issuer = "https://acme.okta.com/oauth2/default" },
			says:   "ID-JAGs come from Okta's org server only: set idp.issuer to the bare https host"},
		"5 the resource for the audience": {known: true, config: func(c *target.Config) {
			c.AuthorizationServer.Issuer = c.URL
		},
			says: "this is the URL of the MCP server, but the audience of an ID-JAG is the issuer of the authorization " +
				"server, here http"},
		"5 the token endpoint for the audience": {known: true, config: func(c *target.Config) {
			c.AuthorizationServer.Issuer = c.AuthorizationServer.TokenEndpoint
		}, says: "this is the token endpoint, but the audience of an ID-JAG is the issuer"},
		"6 another client in the grant": {adjust: refusing(400, "invalid_grant",
			"client_id of the assertion is not connector-x"),
			says: `the ID-JAG says client_id "connector-a", and the client that redeems it has to be the same`},
		"7 the metadata do not list the grant": {
			adjust: both(replaced(metadata, "urn:ietf:params:oauth:grant-type:jwt-bearer", "authorization_code"),
				refusing(400, "invalid_grant", "")),
			says: "clients such as Claude offer it only where grant_types_supported lists"},
		"8 only dynamic registration": {
			adjust: both(rewritten(metadata, func(_ *http.Request, a *httptest.ResponseRecorder) {
				a.Body = bytes.NewBuffer(bytes.ReplaceAll(a.Body.Bytes(), []byte("client_id_metadata_document_supported"),
					[]byte("another_member")))
				a.Body = bytes.NewBuffer(bytes.Replace(a.Body.Bytes(), []byte("{"),
					[]byte(`{"registration_endpoint":"http://127.0.0.1:9/register",`), 1))
			}), refusing(401, "invalid_client", "")),
			says: "A client that registers itself (DCR) never matches the client_id of a grant"},
		"9 our keys cannot be reached": {adjust: func(o *fixtures.Options) { o.Issuers[0].JWKSURI = closedPort(t) + "/keys" },
			says: "The target never fetched our keys: let it reach"},
		"10 a scope is missing": {adjust: rewritten("/mcp", func(r *http.Request, a *httptest.ResponseRecorder) {
			if r.Header.Get("Authorization") != "" {
				a.Code = http.StatusForbidden
				a.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="notes.read user:read"`)
			}
		}), says: "the token works, but lacks user:read"},
		"12 another spelling of the resource": {config: func(c *target.Config) { c.Resource = c.URL + "/" },
			says: "differ in the last slash"},
		"14 a claim that the receiver does not know": {
			adjust: rewritten("/oauth/token", func(r *http.Request, a *httptest.ResponseRecorder) {
				if token, ok := mockidp.Decode(r.PostFormValue("assertion")); ok && token.Claims["act"] != nil {
					a.Code, a.Body = 400, bytes.NewBufferString(`{"error":"invalid_grant"}`)
				}
			}),
			config: func(c *target.Config) { c.Claims = map[string]any{"act": map[string]any{"sub": "agent-1"}} },
			says:   "It is refused with the claim act, and granted without."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			report := judge(t.Context(), t, &demo.Target{Adjust: c.adjust, Known: c.known}, func(o *run.Options) {
				register := o.Register
				o.Register = func(ctx context.Context, trust run.Trust, config *target.Config) error {
					err := register(ctx, trust, config)
					if c.config != nil {
						c.config(config)
					}
					return err
				}
			})
			g.Expect(report.Ended).To(Equal(engine.EndedPreflight))
			g.Expect(report.Verdict).To(Equal(reports.NoVerdict))
			g.Expect(report.Problem).To(ContainSubstring(c.says))
		})
	}
}
