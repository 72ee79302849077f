package discovery

import (
	"encoding/json"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("CL-EXTENSION", func() {
	It("session", "names the extension in the capabilities of initialize, as an object",
		Sessions.Honest("An honest world whose MCP server speaks revision 2025-11-25").From(Called),
		func(t *T) {
			judgeExtension(t, func(m world.Message) (map[string]json.RawMessage, bool) {
				return m.Params.Capabilities.Extensions, m.Method == "initialize"
			})
		})
	It("not-named", "goes on, or says why not, when the server names other extensions and not this one",
		Given.But("An MCP server whose capabilities name another extension alone", func(w *world.World) {
			w.MCP.Extensions = map[string]any{"io.modelcontextprotocol/ui": map[string]any{}}
		}).From(Used),
		func(t *T) {
			t.MustBeTempted()
			if t.Through() {
				return
			}
			if t.TimedOut || len(strings.TrimSpace(string(t.Stdout)+string(t.Stderr))) == 0 {
				t.Failf("expected the client to go on without the extension, or to say why it does not, but %s", t.Summary())
			}
		}, check.Must(), check.By("MCP 2026-07-28 §Extension Negotiation"))
	It("stateless", "names the extension in the capabilities of each request, as an object",
		Stateless.Honest("An honest world whose MCP server speaks revision 2026-07-28").From(Called),
		func(t *T) {
			judgeExtension(t, func(m world.Message) (map[string]json.RawMessage, bool) {
				if m.Params.Meta.Capabilities == nil {
					return nil, false
				}
				return m.Params.Meta.Capabilities.Extensions, true
			})
		})
})

// judgeExtension judges the capabilities in the messages that have some.
func judgeExtension(t *T, of func(world.Message) (map[string]json.RawMessage, bool)) {
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
		t.NotOffered()
	}
}
