package client

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

func init() {
	scenarios(
		"CL-NO-FALLBACK",
		scenario{slug: "idp-denies", title: "does not open the consent page when the IdP denies access", in: given,
			meets:   "access_denied at the token exchange, while the RAS offers a consent page",
			hostile: denyExchange("access_denied"), judge: denied},
		scenario{
			slug:    "idp-policy",
			title:   "does not open the consent page when the IdP's policy has no place for the server",
			in:      given,
			meets:   "invalid_target at the token exchange, while the RAS offers a consent page",
			hostile: denyExchange("invalid_target"),
			judge:   denied,
		},
		scenario{slug: "ras-denies", title: "does not open the consent page when the RAS refuses the ID-JAG", in: given,
			meets: "invalid_grant at the RAS, which offers a consent page", hostile: func(w *world.World) {
				w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Deny("invalid_grant") }
			}, judge: denied},
	)
}

func denyExchange(code string) func(*world.World) {
	return func(w *world.World) {
		w.IdP.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Deny(code) }
	}
}

// denied fails when the client went to the consent page, registered itself for it, or sent its user there.
func denied(j *judgement) {
	j.MustSpare(j.World.Consent, "the enterprise has said no (EMA 7.2)")
	for _, shown := range []struct {
		how  string
		text []byte
	}{{"printed", j.Stdout}, {"printed", j.Stderr}, {"opened a browser at", j.Opened}} {
		if bytes.Contains(shown.text, []byte(j.World.Consent.URL+"/authorize")) {
			j.Failf("expected the client to stop: the enterprise has said no (EMA 7.2). But it %s the address of the consent page", shown.how)
		}
	}
	j.mustNotGetThrough("access was denied")
}

func init() {
	scenarios(
		"CL-BEARER",
		scenario{slug: "every-request", title: "sends the token with every stateless request", in: stateless,
			meets: "An honest world whose MCP server speaks revision 2026-07-28", judge: bearerEverywhere},
		scenario{
			slug:  "every-session-request",
			title: "sends the token with every request of a session, to the end",
			in:    sessions,
			meets: "An honest world whose MCP server speaks revision 2025-11-25",
			judge: bearerEverywhere,
		},
		scenario{
			slug:  "query",
			title: "keeps the token out of the query",
			in:    given,
			meets: meetsHonest,
			judge: func(j *judgement) {
				for _, s := range j.Calls() {
					for name, values := range s.Query {
						for _, v := range values {
							if j.issued(world.AccessToken, v) {
								j.Failf("expected the token in the Authorization header alone, but it stood in the query parameter %q", name)
							}
						}
					}
				}
				if !j.Through() {
					j.missing("called the MCP server")
				}
			},
		},
	)
}

// bearerEverywhere fails when a request to the MCP server, from the first that was let in, has no token in its header.
func bearerEverywhere(j *judgement) {
	authorized := false
	for _, s := range j.Calls() {
		scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
		good := strings.EqualFold(scheme, "bearer") && j.issued(world.AccessToken, token)
		if authorized && !good {
			j.Failf("expected the token with every request, but a %s after the first authorized one has none", s.Method)
		}
		authorized = authorized || good
	}
	if !authorized {
		j.missing("called the MCP server with a token")
	}
}

// issued reports whether a party gave this out as a secret of this kind.
func (a *attempt) issued(kind, value string) bool {
	return slices.ContainsFunc(a.World.Secrets(), func(s world.Secret) bool { return s.Kind == kind && s.Value == value })
}

func init() {
	scenarios(
		"CL-NO-CONFUSION",
		scenario{
			slug:  "own-tokens",
			title: "gets an ID-JAG and a token for each of two servers, and keeps them apart",
			in:    two,
			meets: "An honest world with two MCP servers, each with a RAS of its own",
			judge: func(j *judgement) {
				if len(j.At(j.World.OtherMCP.Party)) == 0 {
					j.Skipf("the client does not %s: it never called the second", j.shape.offers)
				}
				j.MustKeep("", world.AccessToken, world.IDJAG)
				j.MustSucceed("each server's metadata tells where to get a token for it")
			},
		},
		scenario{
			slug:  "one-ras",
			title: "gets a token for each of two servers behind one RAS",
			in:    two,
			meets: "Two MCP servers with one RAS: its tokens are good for one of them each",
			hostile: func(w *world.World) {
				w.OtherMCP.RAS = w.RAS
				w.OtherMCP.Metadata["authorization_servers"] = []string{w.RAS.Issuer}
			},
			judge: func(j *judgement) {
				j.MustKeep(": a token belongs to a resource, not to an authorization server (RFC 8707)", world.AccessToken)
				j.MustSucceed("each server's metadata tells where to get a token for it")
			},
		},
		scenario{slug: "other-metadata", title: "does not fetch a token for another server that the metadata names", in: two,
			meets: "Metadata of the first server that is a copy of the second's: its resource, its RAS",
			hostile: func(w *world.World) {
				w.MCP.Publish(world.MetadataPath, w.OtherMCP.Metadata)
			}, judge: func(j *judgement) {
				j.MustKeep("", world.AccessToken)
				for _, s := range j.Requests {
					if j.World.MCP.Served(s) {
						j.Failf("expected the client not to connect to a server whose metadata is another's")
					}
				}
				if j.tookBefore(j.World.OtherMCP) {
					j.Failf(
						"expected the client to refuse the first server's metadata, but it fetched an ID-JAG for the second server " +
							"before it ever called that one",
					)
				}
			}},
	)
}

// tookBefore reports whether an ID-JAG for a server was asked for before that server was called.
func (a *attempt) tookBefore(server *world.Server) bool {
	for _, s := range a.Requests {
		if s.Party == server.Party {
			return false
		}
		if s.Party == a.World.IdP.Party && s.Form.Get("resource") == server.Resource {
			return true
		}
	}
	return false
}

func init() {
	scenarios(
		"CL-NO-LEAK",
		leakFree(
			"given",
			given,
		),
		leakFree("confidential", confidential),
		leakFree("login", login),
		leakFree("refresh", refresh),
		leakFree("saml", saml),
		leakFree("two", two),
		scenario{slug: "ras-redirect", title: "does not follow a redirect of the token request with the ID-JAG", in: given,
			meets: "A RAS that redirects the token request to the attacker (307)", hostile: func(w *world.World) {
				w.RAS.Endpoint("/token").Before = redirect(w)
			}, judge: noSecretToAttacker},
		scenario{slug: "idp-redirect", title: "does not follow a redirect of the token exchange with the ID token", in: given,
			meets: "An IdP whose token endpoint redirects to the attacker (307)", hostile: func(w *world.World) {
				w.IdP.Endpoint("/token").Before = redirect(w)
			}, judge: noSecretToAttacker},
		scenario{slug: "mcp-redirect", title: "does not follow a redirect of the MCP server with the access token", in: given,
			meets: "An MCP server that redirects authorized requests to the attacker (307)", hostile: func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return world.Redirect(w.Attacker.URL + world.EndpointPath)
				}
			}, judge: noSecretToAttacker},
		scenario{slug: "foreign-token-endpoint", title: "does not send the ID-JAG to the MCP server's host", in: given,
			meets: "An MCP server that is its own authorization server, whose metadata says the honest RAS's issuer and a " +
				"token endpoint at the MCP server",
			hostile: func(w *world.World) {
				metadata := decoy(w)
				metadata["issuer"], metadata["token_endpoint"] = w.RAS.Issuer, w.MCP.URL+"/token"
				w.MCP.Publish("/.well-known/oauth-authorization-server", metadata)
				w.MCP.Metadata["authorization_servers"] = []string{w.MCP.URL}
			}, judge: func(j *judgement) {
				j.MustNotLeak()
				if len(j.to(j.World.MCP.Party, "/token")) > 0 {
					j.Failf("expected no token request to the MCP server's host: the issuer is not the one that was asked for")
				}
			}},
		scenario{
			slug:   "downgrade",
			title:  "does not follow an https issuer to an http token endpoint",
			in:     https,
			should: true,
			meets:  "A RAS behind https whose metadata names an http token endpoint",
			hostile: func(w *world.World) {
				w.RAS.Metadata["token_endpoint"] = w.Plain.URL + "/token"
			},
			judge: func(j *judgement) {
				j.MustSpare(
					j.World.Plain,
					"the ID-JAG would travel in the clear (EMA 7.3; on loopback nobody listens, so this is a warning)",
				)
			},
		},
		scenario{slug: "anywhere", title: "leaks no secret in any other scenario", in: given, final: true,
			meets: "What was seen in all other scenarios of this run", judge: func(j *judgement) {
				looked := false
				for id, a := range j.all {
					if strings.HasPrefix(id, "CL-NO-LEAK/") {
						continue
					}
					looked = true
					for _, l := range a.Leaks {
						if l.Party == nil || !expectedElsewhere(id) {
							j.Failf("in %s %s", id, l)
						}
					}
				}
				if !looked {
					j.Skipf("no other scenario was run")
				}
			}},
	)
}

// expectedElsewhere reports whether a secret at the wrong party is what a scenario's own check is about.
func expectedElsewhere(id string) bool {
	requirement, _, _ := strings.Cut(id, "/")
	return slices.Contains([]string{
		"CL-NO-CONFUSION", "CL-CREDENTIAL-BINDING", "CL-AS-DISCOVERY", "CL-PRM", "CL-EXCHANGE-RESP", "CL-EXCHANGE-AUTH",
	}, requirement)
}

// leakFree is the search for leaks in an honest world.
func leakFree(slug string, in *shape) scenario {
	return scenario{slug: slug, title: "gives every secret to its party alone (" + in.name + ")", in: in,
		meets: "An honest world: every request, and what the client prints, is searched for tokens and secrets that do " +
			"not belong there",
		judge: func(j *judgement) {
			j.MustNotLeak()
			if !j.Through() {
				j.missing("got through")
			}
		}}
}

func redirect(w *world.World) func(*world.Call) *world.Reply {
	return func(c *world.Call) *world.Reply { return world.Redirect(w.Attacker.URL + c.Request.URL.Path) }
}

func noSecretToAttacker(j *judgement) {
	j.MustNotLeak()
	for _, s := range j.At(j.World.Attacker) {
		if s.Method == http.MethodPost {
			j.Warnf("the client followed the redirect with a POST, though without secrets")
		}
	}
}
