package grants

import (
	"strings"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

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
		Given.But("An answer to the exchange with issued_token_type access_token",
			answers(func(a map[string]any) {
				a["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
			})).From(Exchanged),
		func(t *T) { t.MustNotRedeem("the token is no ID-JAG: issued_token_type says access_token") },
		check.By("EMA proposal §7.5.4"))
	It("issued-type-missing", "does not present a token of which it is not said what it is",
		Given.But("An answer to the exchange without issued_token_type",
			answers(func(a map[string]any) { delete(a, "issued_token_type") })).From(Exchanged),
		func(t *T) { t.MustNotRedeem("issued_token_type is required (RFC 8693 2.2.1)") }, check.Should())
	It("token-type", "does not present a token that is to be used as a bearer token",
		Given.But("An answer to the exchange with token_type Bearer",
			answers(func(a map[string]any) { a["token_type"] = "Bearer" })).From(Exchanged),
		func(t *T) { t.MustNotRedeem("token_type must be N_A (ID-JAG draft-04 4.3.4)") }, check.Should())
	It("token-type-case", "takes N_A in any case",
		Given.But("An answer to the exchange with token_type n_a",
			answers(func(a map[string]any) { a["token_type"] = "n_a" })).From(Exchanged),
		Succeeds("token types have no case (RFC 6749 5.1)"), check.Should())
	It("no-token", "presents nothing when there is no token",
		Given.But("An answer to the exchange without access_token",
			answers(func(a map[string]any) { delete(a, "access_token") })).From(Exchanged),
		func(t *T) { t.MustNotRedeem("there is nothing to present") })
	It("narrower-scope", "goes on with the narrower scope that was granted",
		Given.But("An answer to the exchange with less scope than was asked for, where more than one was",
			func(w *world.World) {
				w.MCP.Scope = "notes.read notes.list"
				w.IdP.Grants = func(Asked string) string {
					if scopes := strings.Fields(Asked); len(scopes) > 1 {
						return scopes[len(scopes)-1]
					}
					return Asked
				}
			}).From(Exchanged),
		func(t *T) {
			Asked := t.NeedExchanges()[0].Form.Get("scope")
			if len(strings.Fields(Asked)) < 2 {
				t.Skipf("the client asks for one scope at most, of the two that the challenge names: there is nothing to narrow")
			}
			for _, s := range t.NeedRedemptions() { // the RAS grants what both say, so what was asked for does no harm
				if scope := s.Form.Get("scope"); !HasAll(Asked, strings.Fields(scope)...) {
					t.Failf("expected the client to ask the RAS for what the IdP granted, or for what it asked the IdP for (%s), "+
						"but it asks for %q", Asked, scope)
				}
			}
			t.MustSucceed("the scope that was granted is enough")
		}, check.Should())
	It("refresh-token", "keeps a refresh token of the IdP from the RAS",
		Given.But("An answer to the exchange with a refresh_token",
			func(w *world.World) {
				w.IdP.Endpoint("/token").After = func(_ *world.Call, answer map[string]any) {
					answer["refresh_token"] = w.IdP.NewRefreshToken()
				}
			}).From(Exchanged),
		func(t *T) {
			t.MustKeep("", world.RefreshToken)
			t.MustSucceed("a refresh token that nobody asked for does no harm")
		})
})

// elsewhere names an MCP server of somebody else in an answer.
func elsewhere(answer map[string]any) { answer["resource"] = "https://other.example/mcp" }

var _ = check.For("CL-RESP-RESOURCE", func() {
	It("exchange", "does not present an ID-JAG that is said to be for another MCP server",
		Given.But("An answer to the exchange whose resource is another MCP server", answers(elsewhere)).From(Exchanged),
		func(t *T) { t.MustNotRedeem("the ID-JAG is for another resource than was asked for") })
	It("token", "does not use an access token that is said to be for another MCP server",
		Given.But("An answer with the access token whose resource is another MCP server", func(w *world.World) {
			w.RAS.Endpoint("/token").After = func(_ *world.Call, answer map[string]any) { elsewhere(answer) }
		}).From(Redeemed),
		func(t *T) { t.MustNotGetThrough("the access token is for another resource than was asked for") })
})

// unbound changes the key that an ID-JAG is bound to, and expects the client to see it.
func unbound(edit func(*mockidp.Token)) (func(*world.World), func(*T)) {
	return func(w *world.World) { w.IdP.EditIDJAG = edit },
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if s.Header.Get("DPoP") == "" {
					t.NotOffered()
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
		DPoP.But("An ID-JAG without cnf, in answer to a DPoP proof",
			dropCNF).From(Exchanged),
		seesNoCNF)
	It("other-key", "does not go on with an ID-JAG that is bound to another key",
		DPoP.But("An ID-JAG whose cnf is another key's, in answer to a DPoP proof",
			changeCNF).From(Exchanged),
		seesOtherCNF)
})
