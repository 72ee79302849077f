package client

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/client/world"
)

const meetsOrigin = "An MCP server at the root of its origin: its identifier is the origin, without a slash"

const meetsHonest = "An honest world in which the client is given an ID token"

// exchanges are the token exchanges of a run that must have some.
func (t *T) exchanges() []world.Seen {
	list := t.Exchanges()
	if len(list) == 0 {
		t.missing("asked the IdP for an ID-JAG")
	}
	return list
}

// redemptions are the token requests at the RAS of a run that must have some.
func (t *T) redemptions() []world.Seen {
	list := t.Redemptions()
	if len(list) == 0 {
		t.missing("asked the RAS for an access token")
	}
	return list
}

// parameter fails when a token exchange has not this value.
func (t *T) parameter(s world.Seen, name, want string) {
	if got := s.Form[name]; len(got) != 1 || got[0] != want {
		t.Failf("expected the token exchange to carry %s=%s once, but it carries %q", name, want, got)
	}
}

var _ = check.For("CL-EXCHANGE-REQ", func() {
	It("type", "asks for an ID-JAG by token exchange",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.To(t.World.IdP.Party, "/token") {
				if slices.Contains([]string{"authorization_code", "refresh_token"}, s.Form.Get("grant_type")) {
					continue // sign-in is another matter
				}
				t.parameter(s, "grant_type", world.GrantExchange)
				t.parameter(s, "requested_token_type", world.TypeIDJAG)
				if !strings.HasPrefix(s.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
					t.Failf("expected a form, but the token exchange is %q", s.Header.Get("Content-Type"))
				}
			}
			t.exchanges()
		})
	It("actor", "names the type of an actor token, and none without a token",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				if s.Form.Has("actor_token") != s.Form.Has("actor_token_type") {
					t.Failf("expected actor_token and actor_token_type together, or neither, but there is one of them (RFC 8693 2.1)")
				}
			}
		}, check.By("RFC 8693 §2.1", "ID-JAG draft-04 §4.3"))
	It("audience", "names the issuer of the RAS as audience",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				t.parameter(s, "audience", t.World.RAS.Issuer)
			}
		})
	It("subject", "sends its ID token as subject token, and says what it is",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				t.parameter(s, "subject_token_type", world.TypeIDToken)
				if !t.Issued(world.IDToken, s.Form.Get("subject_token")) {
					t.Failf("expected subject_token to be the ID token of idp_id_token, but it is something else")
				}
			}
		})
	It("resource", "names the MCP server's resource identifier, where it names a resource",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				if len(s.Form["resource"]) > 0 {
					t.parameter(s, "resource", t.World.MCP.Resource)
				}
			}
		})
	It("audience-slash", "names the issuer of the RAS as audience when it ends in a slash",
		given.but("A RAS whose issuer ends in a slash", func(w *world.World) { w.Move("/", "oauth") }).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				t.parameter(s, "audience", t.World.RAS.Issuer)
			}
		})
	It("resource-origin", "names the MCP server's identifier as it is when that is a bare origin",
		given.but(meetsOrigin, func(w *world.World) { w.MCP.AtRoot() }).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				if len(s.Form["resource"]) > 0 {
					t.parameter(s, "resource", t.World.MCP.Resource)
				}
			}
		})
	It("resource-sent", "names a resource",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				if len(s.Form["resource"]) == 0 {
					t.Failf(
						"expected a resource parameter: MCP wants it in token requests, and without it the grant is good for every " +
							"server of the RAS",
					)
				}
			}
		}, check.Should())
})

var _ = check.For("CL-EXCHANGE-AUTH", func() {
	It("client-id", "says who it is in the exchange",
		given.honest(meetsHonest).from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				if user, ok := basicUser(s); s.Form.Get("client_id") != world.IdPClientID && (!ok || user != world.IdPClientID) {
					t.Failf(
						"expected client_id to be the client's id at the IdP (idp_client_id), but it is %q",
						s.Form.Get("client_id"),
					)
				}
			}
		})
	It("secret", "uses its secret at the IdP in the exchange",
		confidential.honest("An honest world in which the client has a secret at the IdP").from(exchanged),
		func(t *T) {
			for _, s := range t.exchanges() {
				switch method, ok := world.CredentialsOf(s.Header, s.Form, t.World.IdPClientSecret); {
				case ok:
				case method == "none" && !t.World.SecretKnown: // the official runner's contract does not know the secret
					t.Skipf("the client does not %s", t.shape.offers)
				default:
					t.Failf(
						"expected the exchange to carry idp_client_secret, but what it carries (%s) is something else, or is not "+
							"encoded as RFC 6749 2.3.1 has it", method,
					)
				}
			}
		})
	It("as-at-login", "authenticates in the exchange when it authenticates at login",
		loginConfidential.honest("An honest world in which the client logs in with a secret at the IdP").from(exchanged),
		func(t *T) {
			atLogin := ""
			for _, s := range t.To(t.World.IdP.Party, "/token") {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.IdPClientSecret)
				switch {
				case s.Form.Get("grant_type") == "authorization_code":
					atLogin = method
				case atLogin != "" && atLogin != "none" && !ok:
					t.Failf("expected the client to authenticate in the exchange, too (EMA 4): at login it did by %s, now by %s",
						atLogin, method)
				case atLogin != "" && method != atLogin: // both are listed by the IdP
					t.Notef("the client authenticates by %s at login and by %s in the exchange", atLogin, method)
				}
			}
			if atLogin == "" {
				t.missing("logged in")
			}
			t.exchanges()
		})
})

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

var _ = check.For("CL-EXCHANGE-RESP", func() {
	It("issued-type", "does not present a token that was issued as an access token",
		given.but("An answer to the exchange with issued_token_type access_token",
			answers(func(a map[string]any) {
				a["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
			})).from(exchanged),
		func(t *T) { t.MustNotRedeem("the token is no ID-JAG: issued_token_type says access_token") },
		check.By("EMA proposal §7.5.4"))
	It("issued-type-missing", "does not present a token of which it is not said what it is",
		given.but("An answer to the exchange without issued_token_type",
			answers(func(a map[string]any) { delete(a, "issued_token_type") })).from(exchanged),
		func(t *T) { t.MustNotRedeem("issued_token_type is required (RFC 8693 2.2.1)") }, check.Should())
	It("token-type", "does not present a token that is to be used as a bearer token",
		given.but("An answer to the exchange with token_type Bearer",
			answers(func(a map[string]any) { a["token_type"] = "Bearer" })).from(exchanged),
		func(t *T) { t.MustNotRedeem("token_type must be N_A (ID-JAG draft-04 4.3.4)") }, check.Should())
	It("token-type-case", "takes N_A in any case",
		given.but("An answer to the exchange with token_type n_a",
			answers(func(a map[string]any) { a["token_type"] = "n_a" })).from(exchanged),
		succeeds("token types have no case (RFC 6749 5.1)"), check.Should())
	It("no-token", "presents nothing when there is no token",
		given.but("An answer to the exchange without access_token",
			answers(func(a map[string]any) { delete(a, "access_token") })).from(exchanged),
		func(t *T) { t.MustNotRedeem("there is nothing to present") })
	It("narrower-scope", "goes on with the narrower scope that was granted",
		given.but("An answer to the exchange with less scope than was asked for, where more than one was",
			func(w *world.World) {
				w.MCP.Scope = "notes.read notes.list"
				w.IdP.Grants = func(asked string) string {
					if scopes := strings.Fields(asked); len(scopes) > 1 {
						return scopes[len(scopes)-1]
					}
					return asked
				}
			}).from(exchanged),
		func(t *T) {
			asked := t.exchanges()[0].Form.Get("scope")
			if len(strings.Fields(asked)) < 2 {
				t.Skipf("the client asks for one scope at most, of the two that the challenge names: there is nothing to narrow")
			}
			for _, s := range t.redemptions() { // the RAS grants what both say, so what was asked for does no harm
				if scope := s.Form.Get("scope"); !hasAll(asked, strings.Fields(scope)...) {
					t.Failf("expected the client to ask the RAS for what the IdP granted, or for what it asked the IdP for (%s), "+
						"but it asks for %q", asked, scope)
				}
			}
			t.MustSucceed("the scope that was granted is enough")
		}, check.Should())
	It("refresh-token", "keeps a refresh token of the IdP from the RAS",
		given.but("An answer to the exchange with a refresh_token",
			func(w *world.World) {
				w.IdP.Endpoint("/token").After = func(_ *world.Call, answer map[string]any) {
					answer["refresh_token"] = w.IdP.NewRefreshToken()
				}
			}).from(exchanged),
		func(t *T) {
			t.MustKeep("", world.RefreshToken)
			t.MustSucceed("a refresh token that nobody asked for does no harm")
		})
})

// unbound changes the key that an ID-JAG is bound to, and expects the client to see it.
func unbound(edit func(*mockidp.Token)) (func(*world.World), func(*T)) {
	return func(w *world.World) { w.IdP.EditIDJAG = edit },
		func(t *T) {
			for _, s := range t.exchanges() {
				if s.Header.Get("DPoP") == "" {
					t.Skipf("the client does not %s", t.shape.offers)
				}
			}
			t.MustNotRedeem("the ID-JAG is not bound to the client's key (ID-JAG draft-04 9.8.1)")
		}
}

var (
	dropCNF, seesNoCNF      = unbound(func(t *mockidp.Token) { delete(t.Claims, "cnf") })
	changeCNF, seesOtherCNF = unbound(func(t *mockidp.Token) {
		t.Claims["cnf"] = map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	})
)

var _ = check.For("CL-DPOP-CHECK", func() {
	It("missing", "does not go on with an ID-JAG that is not bound to its key",
		dpop.but("An ID-JAG without cnf, in answer to a DPoP proof",
			dropCNF).from(exchanged),
		seesNoCNF)
	It("other-key", "does not go on with an ID-JAG that is bound to another key",
		dpop.but("An ID-JAG whose cnf is another key's, in answer to a DPoP proof",
			changeCNF).from(exchanged),
		seesOtherCNF)
})

var _ = check.For("CL-REDEEM-REQ", func() {
	It("grant", "presents the ID-JAG as a jwt-bearer grant in a form",
		given.honest(meetsHonest).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				if got := s.Form["grant_type"]; len(got) != 1 || got[0] != world.GrantJWTBearer {
					t.Failf("expected grant_type=%s once, but it is %q", world.GrantJWTBearer, got)
				}
				if s.Method != http.MethodPost || !strings.HasPrefix(s.Header.Get("Content-Type"),
					"application/x-www-form-urlencoded") {
					t.Failf("expected a POST of a form, but it is a %s of %q", s.Method, s.Header.Get("Content-Type"))
				}
			}
		})
	It("assertion", "presents the ID-JAG as it was issued, once",
		given.honest(meetsHonest).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				if len(s.Form["assertion"]) != 1 {
					t.Failf("expected one assertion, but there are %d", len(s.Form["assertion"]))
				}
				if !t.Issued(world.IDJAG, s.Form.Get("assertion")) {
					t.Failf("expected the assertion to be the ID-JAG as the IdP issued it, but it is something else")
				}
			}
		})
	It("resource", "names the MCP server's resource identifier, where it names a resource at the RAS",
		given.honest(meetsHonest).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				if got := s.Form["resource"]; len(got) > 0 && (len(got) > 1 || got[0] != t.World.MCP.Resource) {
					t.Failf("expected resource=%s once, as in the ID-JAG (RFC 8707 2), but it is %q", t.World.MCP.Resource, got)
				}
			}
		})
	It("resource-origin", "names the MCP server's identifier as it is at the RAS when that is a bare origin",
		given.but(meetsOrigin, func(w *world.World) { w.MCP.AtRoot() }).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				if got := s.Form["resource"]; len(got) > 0 && (len(got) > 1 || got[0] != t.World.MCP.Resource) {
					t.Failf("expected resource=%s once, as the metadata has it, but it is %q", t.World.MCP.Resource, got)
				}
			}
		})
	It("client-auth", "authenticates at the RAS with its credentials there",
		given.honest(meetsHonest).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.ClientSecret)
				id, basic := basicUser(s)
				if !basic {
					id = s.Form.Get("client_id")
				}
				if !ok || id != world.ClientID {
					t.Failf(
						"expected the client to authenticate with client_id and client_secret of the context, but it authenticates "+
							"by %s as %q",
						method,
						id,
					)
				}
			}
		})
	It("encoded-secret", "encodes its credentials before it puts them into a Basic header",
		given.but("A client secret with characters that mean something in a URL or a header, and a RAS that takes "+
			"Basic alone",
			func(w *world.World) {
				w.NewClientSecret(" +%:/&=?ü")
				onlyMethod("client_secret_basic")(w)
			}).from(redeemed),
		func(t *T) {
			basic := false
			for _, s := range t.redemptions() {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.ClientSecret)
				basic = basic || method == "client_secret_basic"
				if method == "client_secret_basic" && !ok {
					t.Failf("expected client_secret of the context, form-encoded (RFC 6749 2.3.1), but what comes is something else")
				}
			}
			if !basic {
				t.Skipf("the client does not authenticate by Basic: see CL-REDEEM-REQ/basic-only")
			}
		}, check.Should())
	// RFC 6749 2.3.1 wants every server to take Basic, OAuth 2.1 wants the form: so neither is more than a SHOULD.
	It("basic-only", "authenticates by Basic where the RAS takes that alone",
		given.but("A RAS whose metadata lists client_secret_basic alone",
			onlyMethod("client_secret_basic")).from(readServer),
		succeeds("the metadata says how clients authenticate (RFC 8414 2)"), check.Should())
	It("post-only", "authenticates in the form where the RAS takes that alone",
		given.but("A RAS whose metadata lists client_secret_post alone",
			onlyMethod("client_secret_post")).from(readServer),
		succeeds("the metadata says how clients authenticate (RFC 8414 2)"), check.Should())
})

func onlyMethod(method string) func(*world.World) {
	return func(w *world.World) {
		w.RAS.RequireAuth = method
		w.RAS.Metadata["token_endpoint_auth_methods_supported"] = []string{method}
	}
}
