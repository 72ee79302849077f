// Package discovery holds the scenarios about finding out who is asked for what: the extension, and the metadata of the
// MCP server and of the RAS.
package discovery

import (
	"net/http"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-PRM", func() {
	It("challenge", "takes the metadata that the challenge names, before any well-known location",
		Given.But("A challenge that names metadata at a path of its own, while the well-known location names the "+
			"attacker's authorization server",
			func(w *world.World) {
				w.MCP.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.MCP.URL + "/metadata.json"
				w.MCP.Publish(world.MetadataPath, DecoyResource(w, w.MCP.Resource))
			}).From(Challenged),
		sparesAttacker("the challenge comes first"))
	It("path-first", "looks for metadata at the path before the root",
		Given.But("A challenge without resource_metadata; metadata at both well-known locations, the root's naming the "+
			"attacker's authorization server",
			func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Publish(world.RootMetadata, DecoyResource(w, w.MCP.Resource))
			}).From(Challenged),
		sparesAttacker("the location with the path comes first"))
	It("root", "looks for metadata at the root when there is none elsewhere",
		Given.But("A challenge without resource_metadata, and metadata at the root alone",
			func(w *world.World) {
				w.MCP.MetadataURL = ""
				w.MCP.Withdraw(world.MetadataPath)
				w.MCP.Publish(world.RootMetadata, w.MCP.Metadata)
			}).From(Challenged),
		Succeeds("the root is the last place to look (MCP, protected resource metadata discovery)"))
	It("no-header", "looks for metadata when the 401 has no WWW-Authenticate header",
		Given.But("A 401 without WWW-Authenticate, and metadata at the well-known location",
			func(w *world.World) { w.MCP.NoChallenge = true }).From(Challenged),
		Succeeds("clients fall back to the well-known location (MCP, protected resource metadata discovery)"))
	It("other-server", "does not use metadata that is for another server",
		Given.But("Metadata whose resource is another MCP server",
			resourceIs(func(*world.World) string { return "https://mcp.victim.example/mcp" })).From(ReadResource),
		refusesMetadata)
	It("other-path", "does not use metadata that is for another server of the same host",
		Given.But("Metadata whose resource is another path of the host",
			resourceIs(func(w *world.World) string { return w.MCP.URL + "/victim/mcp" })).From(ReadResource),
		refusesMetadata)
	It("longer", "does not use metadata for a resource that only begins as the server's URL",
		Given.But("Metadata whose resource is the URL with more behind it",
			resourceIs(func(w *world.World) string { return w.MCP.Resource + "-victim" })).From(ReadResource),
		refusesMetadata)
	It("parent", "does not use metadata that the challenge names and that is for the host",
		Given.But("Metadata whose resource is the host alone, named by the challenge of a server with a path",
			resourceIs(func(w *world.World) string { return w.MCP.URL })).From(ReadResource),
		refusesMetadata, check.Should())
	It("other-origin", "takes metadata from another host when the challenge names it and it is for this server",
		Given.But("A challenge that names metadata on another host, which is right in all it says",
			func(w *world.World) {
				w.MCP.Withdraw(world.MetadataPath)
				w.Consent.Publish("/metadata.json", w.MCP.Metadata)
				w.MCP.MetadataURL = w.Consent.URL + "/metadata.json"
			}).OfHosts().From(Challenged),
		Succeeds("the challenge may name any URL (RFC 9728 5.1), and resource is right"), check.Should())
	It("other-origin-mismatch", "does not use metadata from another host that is for that host",
		Given.But("A challenge that names metadata on the attacker's host, whose resource is that host",
			func(w *world.World) {
				w.Attacker.Publish(world.MetadataPath, DecoyResource(w, w.Attacker.URL+world.EndpointPath))
				w.MCP.Withdraw(world.MetadataPath) // to fall back to it would be right
				w.MCP.MetadataURL = w.Attacker.URL + world.MetadataPath
			}).OfHosts().From(Challenged),
		refusesMetadata)
	It("two-servers", "chooses the authorization server that supports the grant when two are listed",
		Given.But("Metadata that lists two authorization servers, the first of which does not list the profile",
			func(w *world.World) {
				first := Decoy(w)
				first["authorization_grant_profiles_supported"] = []string{}
				first["grant_types_supported"] = []string{"authorization_code"}
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL, w.RAS.Issuer}
			}).From(ReadResource),
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
