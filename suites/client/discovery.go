package client

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

var _ = check.For("CL-EXTENSION", func() {
	It("session", "names the extension in the capabilities of initialize, as an object",
		sessions.honest("An honest world whose MCP server speaks revision 2025-11-25").from(called),
		func(t *T) {
			t.judgeExtension(func(m world.Message) (map[string]json.RawMessage, bool) {
				return m.Params.Capabilities.Extensions, m.Method == "initialize"
			})
		})
	It("not-named", "goes on, or says why not, when the server names other extensions and not this one",
		given.but("An MCP server whose capabilities name another extension alone", func(w *world.World) {
			w.MCP.Extensions = map[string]any{"io.modelcontextprotocol/ui": map[string]any{}}
		}).from(used),
		func(t *T) {
			t.mustBeTempted()
			if t.Through() {
				return
			}
			if t.TimedOut || len(strings.TrimSpace(string(t.Stdout)+string(t.Stderr))) == 0 {
				t.Failf("expected the client to go on without the extension, or to say why it does not, but %s", t.Summary())
			}
		}, check.Must(), check.By("MCP 2026-07-28 §Extension Negotiation"))
	It("stateless", "names the extension in the capabilities of each request, as an object",
		stateless.honest("An honest world whose MCP server speaks revision 2026-07-28").from(called),
		func(t *T) {
			t.judgeExtension(func(m world.Message) (map[string]json.RawMessage, bool) {
				if m.Params.Meta.Capabilities == nil {
					return nil, false
				}
				return m.Params.Meta.Capabilities.Extensions, true
			})
		})
})

// judgeExtension judges the capabilities in the messages that have some.
func (t *T) judgeExtension(of func(world.Message) (map[string]json.RawMessage, bool)) {
	found := false
	for _, call := range t.Calls() {
		extensions, ok := of(world.ParseMessage(call.Body))
		if !ok {
			continue
		}
		found = true
		settings, named := extensions[server.Extension]
		var object map[string]any
		switch {
		case !named:
			t.Failf("expected capabilities.extensions to name %s, but it does not", server.Extension)
		case json.Unmarshal(settings, &object) != nil || object == nil:
			t.Failf("expected the settings of %s to be an object, {} when there are none", server.Extension)
		}
	}
	if !found {
		t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
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

var _ = check.For("CL-PRM", func() {
	It("challenge", "takes the metadata that the challenge names, before any well-known location",
		given.but("A challenge that names metadata at a path of its own, while the well-known location names the "+
			"attacker's authorization server",
			func(w *world.World) {
				w.MCP.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.MCP.URL + "/metadata.json"
				w.MCP.Publish(world.MetadataPath, decoyResource(w, w.MCP.Resource))
			}).from(challenged),
		sparesAttacker("the challenge comes first"))
	It("path-first", "looks for metadata at the path before the root",
		given.but("A challenge without resource_metadata; metadata at both well-known locations, the root's naming the "+
			"attacker's authorization server",
			func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Publish(world.RootMetadata, decoyResource(w, w.MCP.Resource))
			}).from(challenged),
		sparesAttacker("the location with the path comes first"))
	It("root", "looks for metadata at the root when there is none elsewhere",
		given.but("A challenge without resource_metadata, and metadata at the root alone",
			func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Withdraw(world.MetadataPath)
				w.MCP.Publish(world.RootMetadata, w.MCP.Metadata)
			}).from(challenged),
		succeeds("the root is the last place to look (MCP, protected resource metadata discovery)"))
	It("no-header", "looks for metadata when the 401 has no WWW-Authenticate header",
		given.but("A 401 without WWW-Authenticate, and metadata at the well-known location",
			func(w *world.World) { w.MCP.NoChallenge = true }).from(challenged),
		succeeds("clients fall back to the well-known location (MCP, protected resource metadata discovery)"))
	It("other-server", "does not use metadata that is for another server",
		given.but("Metadata whose resource is another MCP server",
			resourceIs(func(*world.World) string { return "https://mcp.victim.example/mcp" })).from(readResource),
		refusesMetadata)
	It("other-path", "does not use metadata that is for another server of the same host",
		given.but("Metadata whose resource is another path of the host",
			resourceIs(func(w *world.World) string { return w.MCP.URL + "/victim/mcp" })).from(readResource),
		refusesMetadata)
	It("longer", "does not use metadata for a resource that only begins as the server's URL",
		given.but("Metadata whose resource is the URL with more behind it",
			resourceIs(func(w *world.World) string { return w.MCP.Resource + "-victim" })).from(readResource),
		refusesMetadata)
	It("parent", "does not use metadata that the challenge names and that is for the host",
		given.but("Metadata whose resource is the host alone, named by the challenge of a server with a path",
			resourceIs(func(w *world.World) string { return w.MCP.URL })).from(readResource),
		refusesMetadata, check.Should())
	It("other-origin", "takes metadata from another host when the challenge names it and it is for this server",
		given.but("A challenge that names metadata on another host, which is right in all it says",
			func(w *world.World) {
				w.MCP.Withdraw(world.MetadataPath)
				w.Consent.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.Consent.URL + "/metadata.json"
			}).from(challenged),
		succeeds("the challenge may name any URL (RFC 9728 5.1), and resource is right"), check.Should())
	It("other-origin-mismatch", "does not use metadata from another host that is for that host",
		given.but("A challenge that names metadata on the attacker's host, whose resource is that host",
			func(w *world.World) {
				w.Attacker.Publish(world.MetadataPath, decoyResource(w, w.Attacker.URL+world.EndpointPath))
				w.MCP.Withdraw(world.MetadataPath) // to fall back to it would be right
				w.MCP.MetadataURL = w.Attacker.URL + world.MetadataPath
			}).from(challenged),
		refusesMetadata)
	It("two-servers", "chooses the authorization server that supports the grant when two are listed",
		given.but("Metadata that lists two authorization servers, the first of which does not list the profile",
			func(w *world.World) {
				first := decoy(w)
				first["authorization_grant_profiles_supported"] = []string{}
				first["grant_types_supported"] = []string{"authorization_code"}
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL, w.RAS.Issuer}
			}).from(readResource),
		func(t *T) {
			for _, s := range t.At(t.World.Attacker) {
				if s.Method == http.MethodPost {
					t.Failf(
						"expected nothing to be sent to the authorization server that does not support the grant, but there was a " +
							"POST to it",
					)
				}
			}
			t.MustSucceed("one of the two supports the grant")
		}, check.Should())
})

// resourceIs puts another resource identifier into the MCP server's metadata.
func resourceIs(other func(*world.World) string) func(*world.World) {
	return func(w *world.World) { w.MCP.Metadata["resource"] = other(w) }
}

func refusesMetadata(t *T) {
	t.MustNotExchange("the metadata is for another resource (RFC 9728 3.3)")
}

func sparesAttacker(why string) func(*T) {
	return func(t *T) {
		t.MustSpare(t.World.Attacker, why)
		t.MustSucceed(why)
	}
}

func succeeds(why string) func(*T) {
	return func(t *T) { t.MustSucceed(why) }
}

// tenant gives the RAS an issuer with a path, whose metadata is at this location alone.
func tenant(location string) func(*world.World) {
	return func(w *world.World) {
		w.Move("/tenant", location)
	}
}

var _ = check.For("CL-AS-DISCOVERY", func() {
	It("path-oauth", "finds OAuth metadata of an issuer with a path",
		given.but("An issuer with a path; its metadata at /.well-known/oauth-authorization-server/tenant",
			tenant("oauth")).from(readResource),
		succeeds("this is the first location to look (RFC 8414 3.1)"))
	It("path-oidc", "finds OpenID Connect metadata of an issuer with a path, well-known location before the path",
		given.but("An issuer with a path; its metadata at /.well-known/openid-configuration/tenant",
			tenant(
				"oidc",
			)).from(readResource),
		succeeds("this is the second location to look (MCP, authorization server metadata discovery)"))
	It("path-oidc-appended", "finds OpenID Connect metadata of an issuer with a path, well-known location behind the path",
		given.but("An issuer with a path; its metadata at /tenant/.well-known/openid-configuration",
			tenant("oidc-appended")).from(readResource),
		succeeds("this is the third location to look (OpenID Connect Discovery 4)"))
	It("oidc-only", "finds OpenID Connect metadata where there is no OAuth document",
		given.but("Metadata at /.well-known/openid-configuration alone",
			func(w *world.World) { w.RAS.PublishOnly("oidc") }).from(readResource),
		succeeds("clients must support both (MCP, authorization server metadata discovery)"))
	It("order", "prefers the OAuth document",
		given.but("Two documents of the same issuer; the token endpoint of the OpenID Connect one is the attacker's",
			func(w *world.World) {
				other := decoy(w)
				other["issuer"] = w.RAS.Issuer
				w.RAS.Publish("/.well-known/openid-configuration", other)
			}).from(readResource),
		sparesAttacker("the OAuth location comes first (MCP, authorization server metadata discovery)"))
	It("issuer-mismatch", "does not use metadata whose issuer is another",
		given.but("Metadata that is right but for its issuer",
			issuerIs(func(*world.World) string { return "https://auth.victim.example" })).from(readServer),
		refusesIssuer)
	It("issuer-longer", "does not use metadata whose issuer only begins as the one asked for",
		given.but("Metadata whose issuer has more behind it",
			issuerIs(func(w *world.World) string { return w.RAS.Issuer + ".victim.example" })).from(readServer),
		refusesIssuer)
	It("issuer-case", "does not use metadata whose issuer differs in case",
		given.but("An issuer with a path, and metadata whose issuer has that path in capital letters", func(w *world.World) {
			w.Move("/tenant", "oauth")
			w.RAS.Metadata["issuer"] = w.RAS.URL + "/TENANT"
		}).from(readServer),
		refusesIssuer, check.Should())
	It("issuer-slash", "does not use metadata whose issuer has a slash more",
		given.but("Metadata whose issuer has a slash behind it",
			issuerIs(func(w *world.World) string { return w.RAS.Issuer + "/" })).from(readServer),
		refusesIssuer, check.Should())
	It("foreign-endpoint", "does not post to the token endpoint of metadata whose issuer is another",
		given.but("The attacker's authorization server, whose metadata says that its issuer is the honest one",
			func(w *world.World) {
				decoy(w)["issuer"] = w.RAS.Issuer
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL}
			}).from(readResource),
		func(t *T) {
			if n := slices.IndexFunc(t.At(t.World.Attacker), func(s world.Seen) bool {
				return s.Method == http.MethodPost
			}); n >= 0 {
				t.Failf(
					"expected nothing to be sent to the attacker's token endpoint: the issuer is not the one that was asked for " +
						"(RFC 8414 3.3)",
				)
			}
			t.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
		})
})

// issuerIs puts another issuer into the RAS's metadata.
func issuerIs(other func(*world.World) string) func(*world.World) {
	return func(w *world.World) { w.RAS.Metadata["issuer"] = other(w) }
}

func refusesIssuer(t *T) {
	t.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
}

var _ = check.For("CL-PROFILE", func() {
	silent := func(t *T) { t.MustNotRedeem("the RAS does not list the profile (EMA 6)") }
	It("not-listed", "does not present an ID-JAG to a server that lists neither the profile nor the grant type",
		given.but("A RAS that lists grant types and profiles, none of them this one", func(w *world.World) {
			w.RAS.Metadata["authorization_grant_profiles_supported"] = []string{}
			w.RAS.Metadata["grant_types_supported"] = []string{"authorization_code"}
		}).from(readServer), silent)
	It("profile-alone", "does not present an ID-JAG to a server that lists the grant type, but not the profile",
		given.but("A RAS that takes jwt-bearer grants of another profile: its metadata lists that profile alone",
			func(w *world.World) {
				w.RAS.Metadata["authorization_grant_profiles_supported"] = []string{"urn:example:grant-profile:device"}
			}).from(readServer), silent)
})

var _ = check.For("CL-CREDENTIAL-BINDING", func() {
	It("other-ras", "does not send its credentials to another authorization server than the one that knows them",
		given.but("A session in which the token expires, and metadata that then names the attacker's authorization server",
			func(w *world.World) {
				decoy(w)
				var moved atomic.Bool
				w.MCP.Before = expireOnce(w, func() { moved.Store(true) })
				w.MCP.Endpoint(world.MetadataPath).After = func(_ *world.Call, metadata map[string]any) {
					if moved.Load() {
						metadata["authorization_servers"] = []string{w.Attacker.URL}
					}
				}
			}).from(refused),
		func(t *T) {
			if len(t.To(t.World.MCP.Party, world.MetadataPath)) < 2 && len(t.At(t.World.Attacker)) == 0 {
				t.Skipf("the client never looked at the metadata again: see CL-EXPIRED-AT/renewed")
			}
			keepsCredentials(t)
		})
	It("first-contact", "does not send its credentials to a server that they are not for",
		given.but("Metadata that names the attacker's authorization server from the start, while client_issuers of the "+
			"context says whom the credentials are for",
			func(w *world.World) { w.MCP.Publish(world.MetadataPath, decoyResource(w, w.MCP.Resource)) }).from(readResource),
		keepsCredentials, check.Should())
})

// keepsCredentials judges what the attacker got. Only the newer revision of MCP says that credentials are kept by
// issuer.
func keepsCredentials(t *T) {
	for _, s := range t.At(t.World.Attacker) {
		if _, sent := world.CredentialsOf(s.Header, s.Form, t.World.ClientSecret); !sent {
			continue
		}
		const broken = "expected the client to keep its credentials for %s, but it sent them to the attacker's " +
			"authorization server"
		if !t.Speaks(world.Revision2026) {
			t.Warnf(broken+" (a MUST from revision "+world.Revision2026+" of MCP on)", t.World.RAS.Issuer)
			return
		}
		t.Failf(broken, t.World.RAS.Issuer)
	}
}

// registrations are the client's own registrations at the RAS.
func (t *T) registrations() []map[string]any {
	var list []map[string]any
	for _, s := range t.To(t.World.RAS.Party, "/register") {
		metadata := map[string]any{}
		if json.Unmarshal(s.Body, &metadata) == nil {
			list = append(list, metadata)
		}
	}
	if len(list) == 0 {
		t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
	}
	return list
}

// profiles is the member of metadata that lists grant profiles (ID-JAG draft-04 8).
const profiles = "authorization_grant_profiles_supported"

// lists wants these values in a list of the client's metadata: its registration, or its document.
func (t *T) lists(what string, metadata map[string]any, member string, values ...string) {
	list, _ := metadata[member].([]any)
	for _, v := range values {
		if !slices.Contains(list, any(v)) {
			t.Failf("expected the %s to list %s in %s, but it has %v", what, v, member, list)
		}
	}
}

// profilesForm wants the list of profiles to be an array of strings, where it is there.
func (t *T) profilesForm(what string, metadata map[string]any) {
	value, present := metadata[profiles]
	if !present {
		t.Skipf("the client's %s lists no profiles", what)
	}
	list, ok := value.([]any)
	for _, v := range list {
		_, text := v.(string)
		ok = ok && text
	}
	if !ok {
		t.Failf("expected %s in the %s to be an array of strings, but it is something else", profiles, what)
	}
}

// grantTypes wants the grant types of the profile where the client's metadata lists that: else the other check says so.
func (t *T) grantTypes(what string, metadata map[string]any, other string) {
	if list, _ := metadata[profiles].([]any); !slices.Contains(list, any(world.ProfileIDJAG)) {
		t.Skipf("the %s does not list the profile: see %s", what, other)
	}
	t.lists(what, metadata, "grant_types", world.GrantExchange, world.GrantJWTBearer)
}

// onLoopback reports whether a list of redirect URIs has one on this machine.
func onLoopback(uris any) bool {
	list, _ := uris.([]any)
	return slices.ContainsFunc(list, func(uri any) bool {
		text, _ := uri.(string)
		return target.Loopback(text)
	})
}

const meetsUnregistered = "An honest world in which the client has no credentials at the RAS"

var _ = check.For("CL-CLIENT-METADATA", func() {
	It("profile", "lists the profile when it registers",
		unregistered.honest(meetsUnregistered).from(registered),
		func(t *T) {
			for _, m := range t.registrations() {
				t.lists("registration", m, profiles, world.ProfileIDJAG)
			}
		})
	It("form", "lists profiles as an array of strings when it registers",
		unregistered.honest(meetsUnregistered).from(registered),
		func(t *T) {
			for _, m := range t.registrations() {
				t.profilesForm("registration", m)
			}
		}, check.Must())
	It("grant-types", "lists token exchange and jwt-bearer when it registers with the profile",
		unregistered.honest(meetsUnregistered).from(registered),
		func(t *T) {
			for _, m := range t.registrations() {
				t.grantTypes("registration", m, "CL-CLIENT-METADATA/profile")
			}
		}, check.Must())
	It("application-type", "says what type of application it is when it registers",
		unregistered.honest(meetsUnregistered).from(registered),
		func(t *T) {
			for _, m := range t.registrations() {
				kind, _ := m["application_type"].(string)
				if kind == "" {
					t.byRevision(world.Revision2026, "expected application_type in the registration, but there is none")
				}
				if kind != "native" && onLoopback(m["redirect_uris"]) {
					t.Warnf("expected application_type native, for the client's redirect URIs are on this machine, but it is %q", kind)
				}
			}
		}, check.Must(), check.By("MCP 2026-07-28 §Application Type and Redirect URI Constraints"))
	It("document", "publishes a document that names itself and what it must, and no secret",
		published.honest(meetsPublished).from(redeemed),
		func(t *T) {
			m := t.document()
			if m["client_id"] != t.World.Published {
				t.Failf("expected client_id in the document to be its URL %s, but it is %s", t.World.Published,
					server.Describe(m["client_id"]))
			}
			for _, member := range []string{"client_name", "redirect_uris"} {
				if m[member] == nil {
					t.Failf("expected the document to have %s, but it has not", member)
				}
			}
			method, _ := m["token_endpoint_auth_method"].(string)
			if m["client_secret"] != nil || strings.HasPrefix(method, "client_secret") {
				t.Failf("expected no secret of a client whose document anybody can read, but it has one "+
					"(token_endpoint_auth_method %q)",
					method)
			}
		}, check.Must(), check.By("MCP 2025-11-25 §Client ID Metadata Documents"))
	It("document-profile", "lists the profile in its document",
		published.honest(meetsPublished).from(redeemed),
		func(t *T) { t.lists("document", t.document(), profiles, world.ProfileIDJAG) })
	It("document-grant-types", "lists token exchange and jwt-bearer in a document with the profile",
		published.honest(meetsPublished).from(redeemed),
		func(t *T) {
			m := t.document()
			t.profilesForm("document", m)
			t.grantTypes("document", m, "CL-CLIENT-METADATA/document-profile")
		}, check.Must())
})

const meetsPublished = "An honest world in which the client's id at the RAS is the URL of a document that it publishes"

// document is the client's metadata document.
func (t *T) document() map[string]any {
	if t.World.Document == nil {
		t.Skipf("needs the document that the client publishes: --client-document FILE, and its URL with --client-id-document")
	}
	var m map[string]any
	if err := json.Unmarshal(t.World.Document, &m); err != nil || m == nil {
		t.Failf("expected the client's metadata document to be a JSON object, but it is none")
	}
	return m
}
