package use

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-NO-LEAK", func() {
	leakFree("given", Given)
	leakFree("confidential", Confidential)
	leakFree("login", Login)
	leakFree("refresh", Refresh)
	leakFree("saml", SAML)
	leakFree("two", Two)
	leakFree("hosts", Hosts)
	leakFree("published", Published)
	It("ras-redirect", "does not follow a redirect of the token request with the ID-JAG",
		Given.But("A RAS that redirects the token request to the attacker (307)",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = redirect(w)
			}).OfHosts().From(Redeemed),
		noSecretToAttacker)
	It("idp-redirect", "does not follow a redirect of the token exchange with the ID token",
		Given.But("An IdP whose token endpoint redirects to the attacker (307)",
			func(w *world.World) {
				w.IdP.Endpoint("/token").Before = redirect(w)
			}).OfHosts().From(AskedIdP),
		noSecretToAttacker)
	It("mcp-redirect", "does not follow a redirect of the MCP server with the access token",
		Given.But("An MCP server that redirects authorized requests to the attacker (307)",
			func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return world.Redirect(w.Attacker.URL + world.EndpointPath)
				}
			}).OfHosts().From(Used),
		noSecretToAttacker)
	It("ras-redirect-port", "does not follow a redirect of the token request to another port of the same host",
		Given.But("A RAS that redirects the token request to another port of its host (307)", func(w *world.World) {
			w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Redirect(w.Consent.URL + "/token") }
		}).OfHosts().From(Redeemed),
		noSecretToAttacker)
	It("idp-redirect-port", "does not follow a redirect of the token exchange to another port of the same host",
		Given.But("An IdP whose token endpoint redirects to another port of its host (307)", func(w *world.World) {
			w.IdP.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Redirect(w.Consent.URL + "/token") }
		}).OfHosts().From(AskedIdP),
		noSecretToAttacker)
	It("ras-redirect-path", "does not follow a redirect of the token request to another path",
		Given.But("A RAS that redirects the token request to another path, of another tenant perhaps (307)",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply {
					return world.Redirect(w.RAS.URL + "/elsewhere/token")
				}
			}).From(Redeemed),
		func(t *T) {
			for _, s := range t.To(t.World.RAS.Party, "/elsewhere/token") {
				if s.Form.Get("assertion") != "" {
					t.Failf("expected the ID-JAG to go to the token endpoint of the metadata alone, but the client followed a " +
						"redirect with it")
				}
			}
		}, check.Should())
	It("foreign-token-endpoint", "does not send the ID-JAG to the MCP server's host",
		Given.But("An MCP server that is its own authorization server, whose metadata says the honest RAS's issuer and a "+
			"token endpoint at the MCP server",
			func(w *world.World) {
				metadata := Decoy(w)
				metadata["issuer"], metadata["token_endpoint"] = w.RAS.Issuer, w.MCP.URL+"/token"
				w.MCP.Publish("/.well-known/oauth-authorization-server", metadata)
				w.MCP.Metadata["authorization_servers"] = []string{w.MCP.URL}
			}).From(ReadResource),
		func(t *T) {
			t.MustNotLeak()
			if len(t.To(t.World.MCP.Party, "/token")) > 0 {
				t.Failf("expected no token request to the MCP server's host: the issuer is not the one that was asked for")
			}
		})
	It("downgrade", "does not follow an https issuer to an http token endpoint",
		HTTPS.But("A RAS behind https whose metadata names an http token endpoint",
			func(w *world.World) { w.RAS.Metadata["token_endpoint"] = w.Plain.URL + "/token" }).From(ReadServer),
		func(t *T) {
			t.MustSpare(t.World.Plain, "all endpoints of an authorization server are https (MCP, communication security)")
			// which binds the server: no text binds its clients
		}, check.Should(), check.By("MCP 2025-11-25 §Communication Security"))
	It("anywhere", "leaks no secret in any other scenario",
		Given.Honest("What was seen in all other scenarios of this run").From(Called),
		func(t *T) {
			looked := false
			for id, a := range t.All {
				if strings.HasPrefix(id, "CL-NO-LEAK/") {
					continue
				}
				looked = true
				for _, l := range a.Leaks {
					if l.Party == nil || !expectedElsewhere(id) {
						t.Failf("in %s %s", id, l)
					}
				}
			}
			if !looked {
				t.Skipf("no other scenario was run")
			}
		}, check.Serial())
})

// expectedElsewhere reports whether a secret at the wrong party is what a scenario's own check is about.
func expectedElsewhere(id string) bool {
	requirement, _, _ := strings.Cut(id, "/")
	return slices.Contains([]string{
		"CL-NO-CONFUSION", "CL-CREDENTIAL-BINDING", "CL-AS-DISCOVERY", "CL-PRM", "CL-EXCHANGE-RESP", "CL-EXCHANGE-AUTH",
	}, requirement)
}

// leakFree is the search for leaks in an honest world.
func leakFree(slug string, in *Shape) {
	It(slug, "gives every secret to its party alone ("+in.Name+")",
		in.Honest("An honest world: every request, and what the client prints, is searched for tokens and secrets that do "+
			"not belong there").From(Through),
		func(t *T) {
			t.MustNotLeak()
			if !t.Through() {
				t.Missing("got through")
			}
		})
}

func redirect(w *world.World) func(*world.Call) *world.Reply {
	return func(c *world.Call) *world.Reply { return world.Redirect(w.Attacker.URL + c.Request.URL.Path) }
}

func noSecretToAttacker(t *T) {
	t.MustNotLeak()
	for _, s := range t.At(t.World.Attacker) {
		if s.Method == http.MethodPost {
			t.Warnf("the client followed the redirect with a POST, though without secrets")
		}
	}
}
