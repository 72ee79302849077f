package grants

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-SCOPE-SELECTION", func() {
	It("challenged", "asks for the scopes that the challenge names, and no others",
		Given.But("A challenge that names one scope, while the metadata of MCP server and "+
			"RAS list many", func(w *world.World) {
			w.MCP.Metadata["scopes_supported"] = allScopes
			w.RAS.Metadata["scopes_supported"] = append(slices.Clone(allScopes), "openid", "offline_access")
		}).From(Exchanged),
		func(t *T) { asksWithin(t, strings.Fields(t.World.MCP.Scope), "the challenge names") })
	It("supported", "asks for no more than the metadata lists when the challenge names no scope",
		Given.But("A challenge without scope; the MCP server's metadata lists two, the RAS's many", func(w *world.World) {
			w.MCP.Scope = ""
			w.MCP.Metadata["scopes_supported"] = allScopes[:2]
			w.RAS.Metadata["scopes_supported"] = append(slices.Clone(allScopes), "openid", "offline_access")
		}).From(Exchanged),
		func(t *T) { asksWithin(t, allScopes[:2], "the MCP server's metadata lists") })
})

var allScopes = []string{"notes.read", "notes.list", world.ElevatedScope, "notes.admin"}

// asksWithin fails when the first exchange asks for a scope that is not among these.
func asksWithin(t *T, scopes []string, who string) {
	Asked := t.NeedExchanges()[0].Form.Get("scope")
	if !HasAll(strings.Join(scopes, " "), strings.Fields(Asked)...) {
		t.Failf("expected the client to ask for what %s (%s), but it asks for %q", who, strings.Join(scopes, " "), Asked)
	}
}
