package client

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-SCOPE-SELECTION", func() {
	It("challenged", "asks for the scopes that the challenge names, and no others",
		given.but("A challenge that names one scope, while the metadata of MCP server and "+
			"RAS list many", func(w *world.World) {
			w.MCP.Metadata["scopes_supported"] = allScopes
			w.RAS.Metadata["scopes_supported"] = append(slices.Clone(allScopes), "openid", "offline_access")
		}).from(exchanged),
		func(t *T) { t.asksWithin(strings.Fields(t.World.MCP.Scope), "the challenge names") })
	It("supported", "asks for no more than the metadata lists when the challenge names no scope",
		given.but("A challenge without scope; the MCP server's metadata lists two, the RAS's many", func(w *world.World) {
			w.MCP.Scope = ""
			w.MCP.Metadata["scopes_supported"] = allScopes[:2]
			w.RAS.Metadata["scopes_supported"] = append(slices.Clone(allScopes), "openid", "offline_access")
		}).from(exchanged),
		func(t *T) { t.asksWithin(allScopes[:2], "the MCP server's metadata lists") })
})

var allScopes = []string{"notes.read", "notes.list", world.ElevatedScope, "notes.admin"}

// asksWithin fails when the first exchange asks for a scope that is not among these.
func (t *T) asksWithin(scopes []string, who string) {
	asked := t.exchanges()[0].Form.Get("scope")
	if !hasAll(strings.Join(scopes, " "), strings.Fields(asked)...) {
		t.Failf("expected the client to ask for what %s (%s), but it asks for %q", who, strings.Join(scopes, " "), asked)
	}
}
