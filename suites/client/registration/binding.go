package registration

import (
	"sync/atomic"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-CREDENTIAL-BINDING", func() {
	It("other-ras", "does not send its credentials to another authorization server than the one that knows them",
		Given.But("A session in which the token expires, and metadata that then names the attacker's authorization server",
			func(w *world.World) {
				Decoy(w)
				var moved atomic.Bool
				w.MCP.Before = ExpireOnce(w, func() { moved.Store(true) })
				w.MCP.Endpoint(world.MetadataPath).After = func(_ *world.Call, metadata map[string]any) {
					if moved.Load() {
						metadata["authorization_servers"] = []string{w.Attacker.URL}
					}
				}
			}).From(Refused),
		func(t *T) {
			if len(t.To(t.World.MCP.Party, world.MetadataPath)) < 2 && len(t.At(t.World.Attacker)) == 0 {
				t.Skipf("the client never looked at the metadata again: see CL-EXPIRED-AT/renewed")
			}
			keepsCredentials(t)
		})
	It("first-contact", "does not send its credentials to a server that they are not for",
		Given.But("Metadata that names the attacker's authorization server from the start, while client_issuers of the "+
			"context says whom the credentials are for",
			func(w *world.World) { w.MCP.Publish(world.MetadataPath, DecoyResource(w, w.MCP.Resource)) }).From(ReadResource),
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
