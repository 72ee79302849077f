package client

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/client/world"
)

const meetsHonest = "An honest world in which the client is given an ID token"

// exchanges are the token exchanges of a run that must have some.
func (j *judgement) exchanges() []world.Seen {
	list := j.Exchanges()
	if len(list) == 0 {
		j.missing("asked the IdP for an ID-JAG")
	}
	return list
}

// redemptions are the token requests at the RAS of a run that must have some.
func (j *judgement) redemptions() []world.Seen {
	list := j.Redemptions()
	if len(list) == 0 {
		j.missing("asked the RAS for an access token")
	}
	return list
}

// missing ends a judgement that has nothing to judge.
func (j *judgement) missing(what string) {
	if !j.shape.needed {
		j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
	}
	j.Inconclusivef("the client never %s: %s", what, j.Summary())
}

// parameter fails when a token exchange has not this value.
func (j *judgement) parameter(s world.Seen, name, want string) {
	if got := s.Form[name]; len(got) != 1 || got[0] != want {
		j.Failf("expected the token exchange to carry %s=%s once, but it carries %q", name, want, got)
	}
}

func init() {
	scenarios(
		"CL-EXCHANGE-REQ",
		scenario{
			slug:  "type",
			title: "asks for an ID-JAG by token exchange",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.to(j.World.IdP.Party, "/token") {
					if slices.Contains([]string{"authorization_code", "refresh_token"}, s.Form.Get("grant_type")) {
						continue // sign-in is another matter
					}
					j.parameter(s, "grant_type", world.GrantExchange)
					j.parameter(s, "requested_token_type", world.TypeIDJAG)
					if !strings.HasPrefix(s.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
						j.Failf("expected a form, but the token exchange is %q", s.Header.Get("Content-Type"))
					}
				}
				j.exchanges()
			},
		},
		scenario{
			slug:  "audience",
			title: "names the issuer of the RAS as audience",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					j.parameter(s, "audience", j.World.RAS.Issuer)
				}
			},
		},
		scenario{
			slug:  "subject",
			title: "sends its ID token as subject token, and says what it is",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					j.parameter(s, "subject_token_type", world.TypeIDToken)
					if !j.issued(world.IDToken, s.Form.Get("subject_token")) {
						j.Failf("expected subject_token to be the ID token of idp_id_token, but it is something else")
					}
				}
			},
		},
		scenario{
			slug:  "resource",
			title: "names the MCP server's resource identifier, where it names a resource",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					if len(s.Form["resource"]) > 0 {
						j.parameter(s, "resource", j.World.MCP.Resource)
					}
				}
			},
		},
		scenario{
			slug:   "resource-sent",
			title:  "names a resource",
			in:     given,
			meets:  meetsHonest,
			should: true,
			judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					if len(s.Form["resource"]) == 0 {
						j.Failf(
							"expected a resource parameter: MCP wants it in token requests, and without it the grant is good for every " +
								"server of the RAS",
						)
					}
				}
			},
		},
	)
}

func init() {
	scenarios(
		"CL-EXCHANGE-AUTH",
		scenario{
			slug:  "client-id",
			title: "says who it is in the exchange",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					if user, ok := basicUser(s); s.Form.Get("client_id") != world.IdPClientID && (!ok || user != world.IdPClientID) {
						j.Failf(
							"expected client_id to be the client's id at the IdP (idp_client_id), but it is %q",
							s.Form.Get("client_id"),
						)
					}
				}
			},
		},
		scenario{slug: "secret", title: "uses its secret at the IdP in the exchange", in: confidential,
			meets: "An honest world in which the client has a secret at the IdP", judge: func(j *judgement) {
				for _, s := range j.exchanges() {
					switch method, ok := world.CredentialsOf(s.Header, s.Form, j.World.IdPClientSecret); {
					case ok:
					case method == "none": // the official runner's contract does not know the secret
						j.Skipf("the client does not %s", j.shape.offers)
					default:
						j.Failf(
							"expected the exchange to carry idp_client_secret, but what it carries (%s) is something else, or is not "+
								"encoded as RFC 6749 2.3.1 has it", method,
						)
					}
				}
			}},
		scenario{slug: "as-at-login", title: "authenticates in the exchange as it does at login", in: loginConfidential,
			meets: "An honest world in which the client logs in with a secret at the IdP", judge: func(j *judgement) {
				atLogin := ""
				for _, s := range j.to(j.World.IdP.Party, "/token") {
					method, _ := world.CredentialsOf(s.Header, s.Form, j.World.IdPClientSecret)
					switch {
					case s.Form.Get("grant_type") == "authorization_code":
						atLogin = method
					case atLogin != "" && method != atLogin:
						j.Failf(
							"expected the client to authenticate by %s as at login, but it authenticates by %s in the exchange",
							atLogin,
							method,
						)
					}
				}
				if atLogin == "" {
					j.missing("logged in")
				}
				j.exchanges()
			}},
	)
}

// answers changes the IdP's answer to a token exchange.
func answers(edit func(answer map[string]any)) func(*world.World) {
	return func(w *world.World) {
		w.IdP.Endpoint("/token").After = func(c *world.Call, answer map[string]any) {
			if c.Form.Get("grant_type") == world.GrantExchange && answer["access_token"] != nil {
				edit(answer)
			}
		}
	}
}

func init() {
	scenarios("CL-EXCHANGE-RESP",
		scenario{slug: "issued-type", title: "does not present a token that was issued as an access token", in: given,
			meets:   "An answer to the exchange with issued_token_type access_token",
			hostile: answers(func(a map[string]any) { a["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token" }),
			judge:   func(j *judgement) { j.MustNotRedeem("the token is no ID-JAG: issued_token_type says access_token") }},
		scenario{slug: "issued-type-missing", title: "does not present a token of which it is not said what it is", in: given,
			meets:   "An answer to the exchange without issued_token_type",
			hostile: answers(func(a map[string]any) { delete(a, "issued_token_type") }),
			judge:   func(j *judgement) { j.MustNotRedeem("issued_token_type is required (RFC 8693 2.2.1)") }, should: true},
		scenario{slug: "token-type", title: "does not present a token that is to be used as a bearer token", in: given,
			meets:   "An answer to the exchange with token_type Bearer",
			hostile: answers(func(a map[string]any) { a["token_type"] = "Bearer" }),
			judge:   func(j *judgement) { j.MustNotRedeem("token_type must be N_A (ID-JAG draft-04 4.3.4)") }, should: true},
		scenario{slug: "token-type-case", title: "takes N_A in any case", in: given,
			meets:   "An answer to the exchange with token_type n_a",
			hostile: answers(func(a map[string]any) { a["token_type"] = "n_a" }),
			judge:   succeeds("token types have no case (RFC 6749 5.1)"), should: true},
		scenario{slug: "no-token", title: "presents nothing when there is no token", in: given,
			meets:   "An answer to the exchange without access_token",
			hostile: answers(func(a map[string]any) { delete(a, "access_token") }),
			judge:   func(j *judgement) { j.MustNotRedeem("there is nothing to present") }},
		scenario{slug: "narrower-scope", title: "goes on with the narrower scope that was granted", in: given,
			meets: "An answer to the exchange with less scope than was asked for",
			hostile: func(w *world.World) {
				w.MCP.Scope = "notes.read notes.list"
				narrow(w, "notes.list")
			}, should: true,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() { // the RAS grants what both say (EMA 7.2.1), so more than was granted is no harm
					scope := s.Form.Get("scope")
					enough := hasAll(scope, "notes.list") && hasAll("notes.read notes.list", strings.Fields(scope)...)
					if scope != "" && !enough {
						j.Failf(
							"expected the client to ask the RAS for what the IdP granted (notes.list), or for what it asked the IdP for, "+
								"but it asks for %q", scope,
						)
					}
				}
			}},
		scenario{slug: "refresh-token", title: "keeps a refresh token of the IdP from the RAS", in: given,
			meets: "An answer to the exchange with a refresh_token", hostile: func(w *world.World) {
				w.IdP.Endpoint("/token").After = func(_ *world.Call, answer map[string]any) {
					answer["refresh_token"] = w.IdP.NewRefreshToken()
				}
			}, judge: func(j *judgement) {
				j.MustKeep("", world.RefreshToken)
				j.MustSucceed("a refresh token that nobody asked for does no harm")
			}},
	)
}

// narrow makes the IdP grant this scope whatever is asked for.
func narrow(w *world.World, scope string) {
	w.IdP.EditIDJAG = func(t *mockidp.Token) { t.Claims["scope"] = scope }
	answers(func(a map[string]any) { a["scope"] = scope })(w)
}

// unbound changes the key that an ID-JAG is bound to, and expects the client to see it.
func unbound(edit func(*mockidp.Token)) (func(*world.World), func(*judgement)) {
	return func(w *world.World) { w.IdP.EditIDJAG = edit },
		func(j *judgement) {
			for _, s := range j.exchanges() {
				if s.Header.Get("DPoP") == "" {
					j.Skipf("the client does not %s", j.shape.offers)
				}
			}
			j.MustNotRedeem("the ID-JAG is not bound to the client's key (ID-JAG draft-04 9.8.1)")
		}
}

var (
	dropCNF, seesNoCNF      = unbound(func(t *mockidp.Token) { delete(t.Claims, "cnf") })
	changeCNF, seesOtherCNF = unbound(func(t *mockidp.Token) {
		t.Claims["cnf"] = map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	})
)

func init() {
	scenarios("CL-DPOP-CHECK",
		scenario{slug: "missing", title: "does not go on with an ID-JAG that is not bound to its key", in: dpop,
			meets: "An ID-JAG without cnf, in answer to a DPoP proof", hostile: dropCNF, judge: seesNoCNF},
		scenario{slug: "other-key", title: "does not go on with an ID-JAG that is bound to another key", in: dpop,
			meets: "An ID-JAG whose cnf is another key's, in answer to a DPoP proof", hostile: changeCNF, judge: seesOtherCNF},
	)
}

func init() {
	scenarios(
		"CL-REDEEM-REQ",
		scenario{
			slug:  "grant",
			title: "presents the ID-JAG as a jwt-bearer grant in a form",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() {
					if got := s.Form["grant_type"]; len(got) != 1 || got[0] != world.GrantJWTBearer {
						j.Failf("expected grant_type=%s once, but it is %q", world.GrantJWTBearer, got)
					}
					if s.Method != http.MethodPost || !strings.HasPrefix(s.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
						j.Failf("expected a POST of a form, but it is a %s of %q", s.Method, s.Header.Get("Content-Type"))
					}
				}
			},
		},
		scenario{
			slug:  "assertion",
			title: "presents the ID-JAG as it was issued, once",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() {
					if len(s.Form["assertion"]) != 1 {
						j.Failf("expected one assertion, but there are %d", len(s.Form["assertion"]))
					}
					if !j.issued(world.IDJAG, s.Form.Get("assertion")) {
						j.Failf("expected the assertion to be the ID-JAG as the IdP issued it, but it is something else")
					}
				}
			},
		},
		scenario{
			slug:  "resource",
			title: "names the MCP server's resource identifier, where it names a resource at the RAS",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() {
					if got := s.Form["resource"]; len(got) > 0 && (len(got) > 1 || got[0] != j.World.MCP.Resource) {
						j.Failf("expected resource=%s once, as in the ID-JAG (RFC 8707 2), but it is %q", j.World.MCP.Resource, got)
					}
				}
			},
		},
		scenario{
			slug:  "client-auth",
			title: "authenticates at the RAS with its credentials there",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() {
					method, ok := world.CredentialsOf(s.Header, s.Form, j.World.ClientSecret)
					id, basic := basicUser(s)
					if !basic {
						id = s.Form.Get("client_id")
					}
					if !ok || id != world.ClientID {
						j.Failf(
							"expected the client to authenticate with client_id and client_secret of the context, but it authenticates "+
								"by %s as %q",
							method,
							id,
						)
					}
				}
			},
		},
		scenario{
			slug:  "encoded-secret",
			title: "encodes its credentials before it puts them into a Basic header",
			in:    given,
			meets: "A client secret with characters that mean something in a URL or a header",
			hostile: func(w *world.World) {
				w.NewClientSecret(" +%:/&=?ü")
			},
			should: true,
			judge: func(j *judgement) {
				for _, s := range j.redemptions() {
					if method, ok := world.CredentialsOf(s.Header, s.Form, j.World.ClientSecret); !ok {
						j.Failf("expected client_secret of the context, form-encoded (RFC 6749 2.3.1), but what comes (%s) is something else", method)
					}
				}
			},
		},
		// RFC 6749 2.3.1 wants every server to take Basic, OAuth 2.1 wants the form: so neither is more than a SHOULD.
		scenario{slug: "basic-only", title: "authenticates by Basic where the RAS takes that alone", in: given, should: true,
			meets: "A RAS whose metadata lists client_secret_basic alone", hostile: onlyMethod("client_secret_basic"),
			judge: succeeds("the metadata says how clients authenticate (RFC 8414 2)")},
		scenario{slug: "post-only", title: "authenticates in the form where the RAS takes that alone", in: given, should: true,
			meets: "A RAS whose metadata lists client_secret_post alone", hostile: onlyMethod("client_secret_post"),
			judge: succeeds("the metadata says how clients authenticate (RFC 8414 2)")},
	)
}

func onlyMethod(method string) func(*world.World) {
	return func(w *world.World) {
		w.RAS.RequireAuth = method
		w.RAS.Metadata["token_endpoint_auth_methods_supported"] = []string{method}
	}
}
