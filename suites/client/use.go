package client

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-NO-FALLBACK", func() {
	It("idp-denies", "does not open the consent page when the IdP denies access",
		given.but("access_denied at the token exchange, while the RAS offers a consent page",
			denyExchange("access_denied")).from(exchanged),
		denied)
	// That a server is not managed binds nobody: what the client does then is noted.
	It("idp-policy", "tells its user when the IdP's policy has no place for the server",
		given.but("invalid_target at the token exchange, while the RAS offers a consent page",
			denyExchange("invalid_target")).from(exchanged),
		func(t *T) {
			if len(t.At(t.World.Consent)) > 0 || t.Points(t.World.Consent) != "" {
				t.Notef("the client goes on to the consent page, as for a server that is not managed")
				return
			}
			t.mustNotGetThrough("the IdP issues no grant for this server")
		}, check.Should())
	It("machine-grant", "does not ask the RAS for another grant when the IdP denies access",
		given.but("access_denied at the token exchange, and a RAS that would give the client a token for itself",
			func(w *world.World) {
				denyExchange("access_denied")(w)
				w.RAS.Machines = true
				w.RAS.Metadata["grant_types_supported"] = []string{"authorization_code", "client_credentials", world.GrantJWTBearer}
			}).from(exchanged),
		func(t *T) {
			if n := len(t.Redemptions()); n > 0 {
				t.Failf("expected the client to stop: the enterprise has said no (EMA 7.2). But it sent %d token requests "+
					"to the RAS (grant_type %q)", n, t.Redemptions()[0].Form.Get("grant_type"))
			}
			t.mustNotGetThrough("access was denied")
		})
	It("retries", "does not ask again and again when the IdP denies access",
		given.but("access_denied at the token exchange", denyExchange("access_denied")).from(exchanged),
		func(t *T) {
			const few = 3
			if n := len(t.Exchanges()); n > few {
				t.Failf("expected the client to take the denial as an answer, but it asked %d times", n)
			}
		}, check.Should())
	It("ras-denies", "does not open the consent page when the RAS refuses the ID-JAG",
		given.but("invalid_grant at the RAS, which offers a consent page",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Deny("invalid_grant") }
			}).from(redeemed),
		denied)
})

func denyExchange(code string) func(*world.World) {
	return func(w *world.World) {
		w.IdP.Endpoint("/token").Before = func(c *world.Call) *world.Reply {
			if c.Form.Get("grant_type") != world.GrantExchange {
				return nil // a login is another matter
			}
			return world.Deny(code)
		}
	}
}

// denied fails when the client went to the consent page, registered itself for it, or sent its user there.
func denied(t *T) {
	t.MustSpare(t.World.Consent, "the enterprise has said no (EMA 7.2)")
	if how := t.Points(t.World.Consent); how != "" {
		t.Failf("expected the client to stop: the enterprise has said no (EMA 7.2). But it %s the address of the "+
			"consent page", how)
	}
	t.mustNotGetThrough("access was denied")
}

var _ = check.For("CL-BEARER", func() {
	It("every-request", "sends the token with every stateless request",
		stateless.honest("An honest world whose MCP server speaks revision 2026-07-28").from(used),
		bearerEverywhere)
	It("every-session-request", "sends the token with every request of a session, to the end",
		sessions.honest("An honest world whose MCP server speaks revision 2025-11-25").from(used),
		bearerEverywhere)
	It("query", "keeps the token out of the query",
		given.honest(meetsHonest).from(used),
		func(t *T) {
			for _, s := range t.Calls() {
				for name, values := range s.Query {
					for _, v := range values {
						if t.Issued(world.AccessToken, v) {
							t.Failf("expected the token in the Authorization header alone, but it stood in the query parameter %q", name)
						}
					}
				}
			}
			if !t.Through() {
				t.missing("called the MCP server")
			}
		})
})

// bearerEverywhere fails when a request to the MCP server, from the first that was let in, has no token in its header.
func bearerEverywhere(t *T) {
	authorized := false
	for _, s := range t.Calls() {
		scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
		good := strings.EqualFold(scheme, "bearer") && t.Issued(world.AccessToken, token)
		if authorized && !good {
			t.Failf("expected the token with every request, but a %s after the first authorized one has none", s.Method)
		}
		authorized = authorized || good
	}
	if !authorized {
		t.missing("called the MCP server with a token")
	}
}

var _ = check.For("CL-NO-CONFUSION", func() {
	It("own-tokens", "gets an ID-JAG and a token for each of two servers, and keeps them apart",
		two.honest("An honest world with two MCP servers, each with a RAS of its own").from(challenged),
		func(t *T) {
			if len(t.At(t.World.OtherMCP.Party)) == 0 {
				t.Skipf("the client does not %s: it never called the second", t.shape.offers)
			}
			t.MustKeep("", world.AccessToken, world.IDJAG)
			t.MustSucceed("each server's metadata tells where to get a token for it")
		})
	It("one-ras", "gets a token for each of two servers behind one RAS",
		two.but("Two MCP servers with one RAS: its tokens are good for one of them each",
			func(w *world.World) {
				w.OtherMCP.RAS = w.RAS
				w.OtherMCP.Metadata["authorization_servers"] = []string{w.RAS.Issuer}
			}).from(challenged),
		func(t *T) {
			t.MustKeep(": a token belongs to a resource, not to an authorization server (RFC 8707)", world.AccessToken)
			t.MustSucceed("each server's metadata tells where to get a token for it")
		})
	It("other-metadata", "does not fetch a token for another server that the metadata names",
		two.but("Metadata of the first server that is a copy of the second's: its resource, its RAS",
			func(w *world.World) {
				w.MCP.Publish(world.MetadataPath, w.OtherMCP.Metadata)
			}).from(readResource),
		func(t *T) {
			t.MustKeep("", world.AccessToken)
			for _, s := range t.Requests {
				if t.World.MCP.Served(s) {
					t.Failf("expected the client not to connect to a server whose metadata is another's")
				}
			}
			if t.TookBefore(t.World.OtherMCP) {
				t.Failf(
					"expected the client to refuse the first server's metadata, but it fetched an ID-JAG for the second server " +
						"before it ever called that one",
				)
			}
		})
})

var _ = check.For("CL-NO-LEAK", func() {
	leakFree("given", given)
	leakFree("confidential", confidential)
	leakFree("login", login)
	leakFree("refresh", refresh)
	leakFree("saml", saml)
	leakFree("two", two)
	leakFree("hosts", hosts)
	leakFree("published", published)
	It("ras-redirect", "does not follow a redirect of the token request with the ID-JAG",
		given.but("A RAS that redirects the token request to the attacker (307)",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = redirect(w)
			}).from(redeemed),
		noSecretToAttacker)
	It("idp-redirect", "does not follow a redirect of the token exchange with the ID token",
		given.but("An IdP whose token endpoint redirects to the attacker (307)",
			func(w *world.World) {
				w.IdP.Endpoint("/token").Before = redirect(w)
			}).from(askedIdP),
		noSecretToAttacker)
	It("mcp-redirect", "does not follow a redirect of the MCP server with the access token",
		given.but("An MCP server that redirects authorized requests to the attacker (307)",
			func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return world.Redirect(w.Attacker.URL + world.EndpointPath)
				}
			}).from(used),
		noSecretToAttacker)
	It("ras-redirect-port", "does not follow a redirect of the token request to another port of the same host",
		given.but("A RAS that redirects the token request to another port of its host (307)", func(w *world.World) {
			w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Redirect(w.Consent.URL + "/token") }
		}).from(redeemed),
		noSecretToAttacker)
	It("idp-redirect-port", "does not follow a redirect of the token exchange to another port of the same host",
		given.but("An IdP whose token endpoint redirects to another port of its host (307)", func(w *world.World) {
			w.IdP.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Redirect(w.Consent.URL + "/token") }
		}).from(askedIdP),
		noSecretToAttacker)
	It("ras-redirect-path", "does not follow a redirect of the token request to another path",
		given.but("A RAS that redirects the token request to another path, of another tenant perhaps (307)",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply {
					return world.Redirect(w.RAS.URL + "/elsewhere/token")
				}
			}).from(redeemed),
		func(t *T) {
			for _, s := range t.To(t.World.RAS.Party, "/elsewhere/token") {
				if s.Form.Get("assertion") != "" {
					t.Failf("expected the ID-JAG to go to the token endpoint of the metadata alone, but the client followed a " +
						"redirect with it")
				}
			}
		}, check.Should())
	It("foreign-token-endpoint", "does not send the ID-JAG to the MCP server's host",
		given.but("An MCP server that is its own authorization server, whose metadata says the honest RAS's issuer and a "+
			"token endpoint at the MCP server",
			func(w *world.World) {
				metadata := decoy(w)
				metadata["issuer"], metadata["token_endpoint"] = w.RAS.Issuer, w.MCP.URL+"/token"
				w.MCP.Publish("/.well-known/oauth-authorization-server", metadata)
				w.MCP.Metadata["authorization_servers"] = []string{w.MCP.URL}
			}).from(readResource),
		func(t *T) {
			t.MustNotLeak()
			if len(t.To(t.World.MCP.Party, "/token")) > 0 {
				t.Failf("expected no token request to the MCP server's host: the issuer is not the one that was asked for")
			}
		})
	It("downgrade", "does not follow an https issuer to an http token endpoint",
		https.but("A RAS behind https whose metadata names an http token endpoint",
			func(w *world.World) { w.RAS.Metadata["token_endpoint"] = w.Plain.URL + "/token" }).from(readServer),
		func(t *T) {
			t.MustSpare(t.World.Plain, "all endpoints of an authorization server are https (MCP, communication security)")
			// which binds the server: no text binds its clients
		}, check.Should(), check.By("MCP 2025-11-25 §Communication Security"))
	It("anywhere", "leaks no secret in any other scenario",
		given.honest("What was seen in all other scenarios of this run").from(called),
		func(t *T) {
			looked := false
			for id, a := range t.all {
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
func leakFree(slug string, in *shape) {
	It(slug, "gives every secret to its party alone ("+in.name+")",
		in.honest("An honest world: every request, and what the client prints, is searched for tokens and secrets that do "+
			"not belong there").from(through),
		func(t *T) {
			t.MustNotLeak()
			if !t.Through() {
				t.missing("got through")
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
