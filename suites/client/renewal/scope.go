package renewal

import (
	"net/http"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-403-SCOPE", func() {
	stepUp := func(slug string, in *Shape) {
		It(slug, "gets a token with the scope that a 403 asks for, and tries again",
			in.But("A 403 insufficient_scope with the scope that a tool call needs",
				wantScope(world.ElevatedScope)).From(WantedMore),
			func(t *T) {
				if !t.RefusedCall() {
					t.Skipf("the client calls no tool, so nothing asks it for more scope")
				}
				for _, s := range t.Calls() {
					if world.ParseMessage(s.Body).Method == "tools/call" && s.Status == http.StatusOK {
						return
					}
				}
				t.Failf(
					"expected the call to be tried again with the scope that the challenge names (MCP, step-up authorization "+
						"flow), but %s",
					t.Summary(),
				)
			})
	}
	stepUp("step-up", Given)
	for _, revision := range ByEachRevision {
		stepUp("step-up-"+revision.Slug, revision.In)
	}
	It("keeps-scopes", "asks for the scopes that it had before, too",
		Stateless.But("A 403 insufficient_scope that names the new scope alone",
			wantScope(world.ElevatedScope)).From(WantedMore),
		func(t *T) {
			list := t.NeedExchanges()
			if !t.RefusedCall() {
				t.Skipf("the client calls no tool, so nothing asks it for more scope")
			}
			if len(list) < 2 {
				t.Failf("expected a second exchange for the scope that is needed, but there was none: %s", t.Summary())
			}
			if scope := list[len(list)-1].Form.Get("scope"); !HasAll(scope, world.ElevatedScope, "notes.read") {
				t.Failf(
					"expected the second exchange to ask for notes.read and %s, but it asks for %q (MCP, step-up authorization flow)",
					world.ElevatedScope,
					scope,
				)
			}
		})
	It("bounded", "gives up when no scope is enough",
		Given.But("A 403 insufficient_scope whatever the scope",
			wantScope("notes.unobtainable")).From(WantedMore),
		func(t *T) {
			bounded(t)
			if !t.RefusedCall() {
				t.Skipf("the client calls no tool, so nothing asks it for more scope")
			}
		})
})

// wantScope makes tool calls need a scope. One that cannot be had is never enough.
func wantScope(scope string) func(*world.World) {
	return func(w *world.World) {
		w.MCP.Before = func(c *world.Call, m world.Message) *world.Reply {
			if m.Method != "tools/call" || scope == world.ElevatedScope && HasAll(w.MCP.Granted(c), scope) {
				return nil
			}
			return w.MCP.Challenge(http.StatusForbidden, "insufficient_scope", scope)
		}
	}
}
