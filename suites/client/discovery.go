package client

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/server"
)

func init() {
	scenarios(
		"CL-EXTENSION",
		scenario{slug: "session", title: "names the extension in the capabilities of initialize, as an object", in: sessions,
			meets: "An honest world whose MCP server speaks revision 2025-11-25", judge: func(j *judgement) {
				j.judgeExtension(func(m world.Message) (map[string]json.RawMessage, bool) {
					return m.Params.Capabilities.Extensions, m.Method == "initialize"
				})
			}},
		scenario{
			slug:  "stateless",
			title: "names the extension in the capabilities of each request, as an object",
			in:    stateless,
			meets: "An honest world whose MCP server speaks revision 2026-07-28",
			judge: func(j *judgement) {
				j.judgeExtension(func(m world.Message) (map[string]json.RawMessage, bool) {
					if m.Params.Meta.Capabilities == nil {
						return nil, false
					}
					return m.Params.Meta.Capabilities.Extensions, true
				})
			},
		},
	)
}

// judgeExtension judges the capabilities in the messages that have some.
func (j *judgement) judgeExtension(of func(world.Message) (map[string]json.RawMessage, bool)) {
	found := false
	for _, call := range j.Calls() {
		extensions, ok := of(world.ParseMessage(call.Body))
		if !ok {
			continue
		}
		found = true
		settings, named := extensions[server.Extension]
		var object map[string]any
		switch {
		case !named:
			j.Failf("expected capabilities.extensions to name %s, but it does not", server.Extension)
		case json.Unmarshal(settings, &object) != nil || object == nil:
			j.Failf("expected the settings of %s to be an object, {} when there are none", server.Extension)
		}
	}
	if !found {
		j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
	}
}

// decoy makes the attacker an authorization server with metadata of its own.
func decoy(w *world.World) map[string]any {
	metadata := map[string]any{
		"issuer":         w.Attacker.URL,
		"token_endpoint": w.Attacker.URL + "/token", "authorization_endpoint": w.Attacker.URL + "/authorize",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{world.GrantJWTBearer},
		"authorization_grant_profiles_supported": []string{world.ProfileIDJAG},
		"token_endpoint_auth_methods_supported":  []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":       []string{"S256"},
	}
	w.Attacker.Publish("/.well-known/oauth-authorization-server", metadata)
	return metadata
}

// decoyResource is metadata of the MCP server that names the attacker as authorization server.
func decoyResource(w *world.World, resource string) map[string]any {
	decoy(w)
	return map[string]any{"resource": resource, "authorization_servers": []string{w.Attacker.URL}}
}

func init() {
	scenarios(
		"CL-PRM",
		scenario{
			slug:  "challenge",
			title: "takes the metadata that the challenge names, before any well-known location",
			in:    given,
			meets: "A challenge that names metadata at a path of its own, while the well-known location names the " +
				"attacker's authorization server",
			hostile: func(w *world.World) {
				w.MCP.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.MCP.URL + "/metadata.json"
				w.MCP.Publish(world.MetadataPath, decoyResource(w, w.MCP.Resource))
			},
			judge: sparesAttacker("the challenge comes first"),
		},
		scenario{slug: "path-first", title: "looks for metadata at the path before the root", in: given,
			meets: "A challenge without resource_metadata; metadata at both well-known locations, the root's naming the " +
				"attacker's authorization server",
			hostile: func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Publish(world.RootMetadata, decoyResource(w, w.MCP.Resource))
			}, judge: sparesAttacker("the location with the path comes first")},
		scenario{slug: "root", title: "looks for metadata at the root when there is none elsewhere", in: given,
			meets: "A challenge without resource_metadata, and metadata at the root alone", hostile: func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Withdraw(world.MetadataPath)
				w.MCP.Metadata["resource"] = w.MCP.URL
				w.MCP.Publish(world.RootMetadata, w.MCP.Metadata)
			}, judge: succeeds("the root is the last place to look (MCP, protected resource metadata discovery)")},
		scenario{slug: "no-header", title: "looks for metadata when the 401 has no WWW-Authenticate header", in: given,
			meets:   "A 401 without WWW-Authenticate, and metadata at the well-known location",
			hostile: func(w *world.World) { w.MCP.NoChallenge = true },
			judge:   succeeds("clients fall back to the well-known location (MCP, protected resource metadata discovery)")},
		scenario{slug: "other-server", title: "does not use metadata that is for another server", in: given,
			meets:   "Metadata whose resource is another MCP server",
			hostile: resourceIs(func(*world.World) string { return "https://mcp.victim.example/mcp" }), judge: refusesMetadata},
		scenario{slug: "other-path", title: "does not use metadata that is for another server of the same host", in: given,
			meets:   "Metadata whose resource is another path of the host",
			hostile: resourceIs(func(w *world.World) string { return w.MCP.URL + "/victim/mcp" }), judge: refusesMetadata},
		scenario{slug: "longer", title: "does not use metadata for a resource that only begins as the server's URL", in: given,
			meets:   "Metadata whose resource is the URL with more behind it",
			hostile: resourceIs(func(w *world.World) string { return w.MCP.Resource + "-victim" }), judge: refusesMetadata},
		scenario{slug: "parent", title: "does not use metadata that the challenge names and that is for the host", in: given,
			meets: "Metadata whose resource is the host alone, named by the challenge of a server with a path", should: true,
			hostile: resourceIs(func(w *world.World) string { return w.MCP.URL }), judge: refusesMetadata},
		scenario{
			slug:  "other-origin",
			title: "takes metadata from another host when the challenge names it and it is for this server",
			in:    given,
			meets: "A challenge that names metadata on another host, which is right in all it says",
			hostile: func(w *world.World) {
				w.MCP.Withdraw(world.MetadataPath)
				w.Consent.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.Consent.URL + "/metadata.json"
			},
			judge:  succeeds("the challenge may name any URL (RFC 9728 5.1), and resource is right"),
			should: true,
		},
		scenario{
			slug:  "other-origin-mismatch",
			title: "does not use metadata from another host that is for that host",
			in:    given,
			meets: "A challenge that names metadata on the attacker's host, whose resource is that host",
			hostile: func(w *world.World) {
				w.Attacker.Publish(world.MetadataPath, decoyResource(w, w.Attacker.URL+world.EndpointPath))
				w.MCP.MetadataURL = w.Attacker.URL + world.MetadataPath
			},
			judge: refusesMetadata,
		},
		scenario{
			slug:  "two-servers",
			title: "chooses the authorization server that supports the grant when two are listed",
			in:    given,
			meets: "Metadata that lists two authorization servers, the first of which does not list the profile",
			hostile: func(w *world.World) {
				first := decoy(w)
				first["authorization_grant_profiles_supported"] = []string{}
				first["grant_types_supported"] = []string{"authorization_code"}
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL, w.RAS.Issuer}
			},
			judge: func(j *judgement) {
				for _, s := range j.At(j.World.Attacker) {
					if s.Method == http.MethodPost {
						j.Failf(
							"expected nothing to be sent to the authorization server that does not support the grant, but there was a " +
								"POST to it",
						)
					}
				}
				j.MustSucceed("one of the two supports the grant")
			},
			should: true,
		},
	)
}

// resourceIs puts another resource identifier into the MCP server's metadata.
func resourceIs(other func(*world.World) string) func(*world.World) {
	return func(w *world.World) { w.MCP.Metadata["resource"] = other(w) }
}

func refusesMetadata(j *judgement) {
	j.MustNotExchange("the metadata is for another resource (RFC 9728 3.3)")
}

func sparesAttacker(why string) func(*judgement) {
	return func(j *judgement) {
		j.MustSpare(j.World.Attacker, why)
		j.MustSucceed(why)
	}
}

func succeeds(why string) func(*judgement) {
	return func(j *judgement) { j.MustSucceed(why) }
}

// tenant gives the RAS an issuer with a path, whose metadata is at this location alone.
func tenant(location string) func(*world.World) {
	return func(w *world.World) {
		w.Move("/tenant", location)
	}
}

func init() {
	scenarios(
		"CL-AS-DISCOVERY",
		scenario{slug: "path-oauth", title: "finds OAuth metadata of an issuer with a path", in: given,
			meets:   "An issuer with a path; its metadata at /.well-known/oauth-authorization-server/tenant",
			hostile: tenant("oauth"), judge: succeeds("this is the first location to look (RFC 8414 3.1)")},
		scenario{slug: "path-oidc", title: "finds OpenID Connect metadata of an issuer with a path, well-known location before the path", in: given,
			meets: "An issuer with a path; its metadata at /.well-known/openid-configuration/tenant",
			hostile: tenant(
				"oidc",
			), judge: succeeds("this is the second location to look (MCP, authorization server metadata discovery)")},
		scenario{
			slug:    "path-oidc-appended",
			title:   "finds OpenID Connect metadata of an issuer with a path, well-known location behind the path",
			in:      given,
			meets:   "An issuer with a path; its metadata at /tenant/.well-known/openid-configuration",
			hostile: tenant("oidc-appended"),
			judge:   succeeds("this is the third location to look (OpenID Connect Discovery 4)"),
		},
		scenario{slug: "oidc-only", title: "finds OpenID Connect metadata where there is no OAuth document", in: given,
			meets:   "Metadata at /.well-known/openid-configuration alone",
			hostile: func(w *world.World) { w.RAS.PublishOnly("oidc") },
			judge:   succeeds("clients must support both (MCP, authorization server metadata discovery)")},
		scenario{slug: "order", title: "prefers the OAuth document", in: given,
			meets: "Two documents of the same issuer; the token endpoint of the OpenID Connect one is the attacker's",
			hostile: func(w *world.World) {
				other := decoy(w)
				other["issuer"] = w.RAS.Issuer
				w.RAS.Publish("/.well-known/openid-configuration", other)
			}, judge: sparesAttacker("the OAuth location comes first (MCP, authorization server metadata discovery)")},
		scenario{slug: "issuer-mismatch", title: "does not use metadata whose issuer is another", in: given,
			meets:   "Metadata that is right but for its issuer",
			hostile: issuerIs(func(*world.World) string { return "https://auth.victim.example" }), judge: refusesIssuer},
		scenario{slug: "issuer-longer", title: "does not use metadata whose issuer only begins as the one asked for", in: given,
			meets:   "Metadata whose issuer has more behind it",
			hostile: issuerIs(func(w *world.World) string { return w.RAS.Issuer + ".victim.example" }), judge: refusesIssuer},
		scenario{slug: "issuer-slash", title: "does not use metadata whose issuer has a slash more", in: given, should: true,
			meets:   "Metadata whose issuer has a slash behind it",
			hostile: issuerIs(func(w *world.World) string { return w.RAS.Issuer + "/" }), judge: refusesIssuer},
		scenario{
			slug:  "foreign-endpoint",
			title: "does not post to the token endpoint of metadata whose issuer is another",
			in:    given,
			meets: "The attacker's authorization server, whose metadata says that its issuer is the honest one",
			hostile: func(w *world.World) {
				decoy(w)["issuer"] = w.RAS.Issuer
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL}
			},
			judge: func(j *judgement) {
				if n := slices.IndexFunc(j.At(j.World.Attacker), func(s world.Seen) bool { return s.Method == http.MethodPost }); n >= 0 {
					j.Failf(
						"expected nothing to be sent to the attacker's token endpoint: the issuer is not the one that was asked for " +
							"(RFC 8414 3.3)",
					)
				}
				j.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
			},
		},
	)
}

// issuerIs puts another issuer into the RAS's metadata.
func issuerIs(other func(*world.World) string) func(*world.World) {
	return func(w *world.World) { w.RAS.Metadata["issuer"] = other(w) }
}

func refusesIssuer(j *judgement) {
	j.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
}

func init() {
	scenarios("CL-PROFILE",
		scenario{slug: "not-listed", title: "does not present an ID-JAG to a server that does not list the profile", in: given,
			meets: "A RAS that lists grant types and profiles, none of them this one", hostile: func(w *world.World) {
				w.RAS.Metadata["authorization_grant_profiles_supported"] = []string{}
				w.RAS.Metadata["grant_types_supported"] = []string{"authorization_code"}
			}, judge: func(j *judgement) { j.MustNotRedeem("the RAS does not list the profile (EMA 6)") }},
	)
}

func init() {
	scenarios(
		"CL-CREDENTIAL-BINDING",
		scenario{
			slug:  "other-ras",
			title: "does not send its credentials to another authorization server than the one that knows them",
			in:    given,
			meets: "A session in which the token expires, and metadata that then names the attacker's authorization server",
			hostile: func(w *world.World) {
				decoy(w)
				var moved atomic.Bool
				w.MCP.Before = expireOnce(w, func() { moved.Store(true) })
				w.MCP.Endpoint(world.MetadataPath).After = func(_ *world.Call, metadata map[string]any) {
					if moved.Load() {
						metadata["authorization_servers"] = []string{w.Attacker.URL}
					}
				}
			},
			judge: func(j *judgement) {
				if len(j.to(j.World.MCP.Party, world.MetadataPath)) < 2 && len(j.At(j.World.Attacker)) == 0 {
					j.Skipf("the client never looked at the metadata again: see CL-EXPIRED-AT/renewed")
				}
				keepsCredentials(j)
			},
		},
		scenario{
			slug:  "first-contact",
			title: "does not send its credentials to a server that they are not for",
			in:    given,
			meets: "Metadata that names the attacker's authorization server from the start, while client_issuers of the " +
				"context says whom the credentials are for",
			hostile: func(w *world.World) { w.MCP.Publish(world.MetadataPath, decoyResource(w, w.MCP.Resource)) },
			judge:   keepsCredentials,
			should:  true, // the contract of the official runner does not say whom the credentials are for
		},
	)
}

// keepsCredentials judges what the attacker got. Only the newer revision of MCP says that credentials are kept by issuer.
func keepsCredentials(j *judgement) {
	for _, s := range j.At(j.World.Attacker) {
		if _, sent := world.CredentialsOf(s.Header, s.Form, j.World.ClientSecret); !sent {
			continue
		}
		const broken = "expected the client to keep its credentials for %s, but it sent them to the attacker's authorization server"
		if !j.speaks(world.Revision2026) {
			j.Warnf(broken+" (a MUST from revision "+world.Revision2026+" of MCP on)", j.World.RAS.Issuer)
			return
		}
		j.Failf(broken, j.World.RAS.Issuer)
	}
}

// speaks reports whether the client used this revision of MCP.
func (a *attempt) speaks(revision string) bool {
	return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
		return s.Header.Get("Mcp-Protocol-Version") == revision
	})
}

// registrations are the client's own registrations at the RAS.
func (j *judgement) registrations() []map[string]any {
	var list []map[string]any
	for _, s := range j.to(j.World.RAS.Party, "/register") {
		metadata := map[string]any{}
		if json.Unmarshal(s.Body, &metadata) == nil {
			list = append(list, metadata)
		}
	}
	if len(list) == 0 {
		j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
	}
	return list
}

func (j *judgement) lists(metadata map[string]any, member string, values ...string) {
	list, _ := metadata[member].([]any)
	for _, v := range values {
		if !slices.Contains(list, any(v)) {
			j.Failf("expected the registration to list %s in %s, but it has %v", v, member, list)
		}
	}
}

const meetsUnregistered = "An honest world in which the client has no credentials at the RAS"

func init() {
	scenarios(
		"CL-CLIENT-METADATA",
		scenario{
			slug:  "profile",
			title: "lists the profile when it registers",
			in:    unregistered,
			meets: meetsUnregistered,
			judge: func(j *judgement) {
				for _, m := range j.registrations() {
					j.lists(m, "authorization_grant_profiles_supported", world.ProfileIDJAG)
				}
			},
		},
		scenario{
			slug:  "grant-types",
			title: "lists token exchange and jwt-bearer when it registers",
			in:    unregistered,
			meets: meetsUnregistered,
			judge: func(j *judgement) {
				for _, m := range j.registrations() {
					j.lists(m, "grant_types", world.GrantExchange, world.GrantJWTBearer)
				}
			},
		},
	)
}
