package rs

import (
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var needsScopedTool = check.With(server.NeedsScopedTool, server.NeedsTwoScopes)

const sendsScoped = "A call of the scoped tool with a token that has its scope as control, then with a token that " +
	"lacks it"

// underScoped calls the scoped tool with a token that has every scope but the one that it needs.
func underScoped(t *server.T) *wire.Answer {
	t.UseWith(t.Call(t.AccessToken(), t.Config.ScopedTool.Name, nil))
	return t.Break(t.Call(lacking(t), t.Config.ScopedTool.Name, nil))
}

// lacking is a token, seen to work, that has every scope but the one that the scoped tool needs and those that imply
// it.
func lacking(t *server.T) string {
	tool := t.Config.ScopedTool
	others := slices.DeleteFunc(slices.Clone(t.Config.Scopes), func(s string) bool {
		return s == tool.Scope || slices.Contains(t.Config.ImpliedScopes[s], tool.Scope)
	})
	if len(others) == 0 {
		t.Skipf("every other scope implies the one that the tool needs (implied_scopes): name one in scopes that does not")
	}
	token := t.AccessToken(server.Set("scope", strings.Join(others, " ")))
	t.Use(token)
	return token
}

var _ = check.For("RS-SCOPE-403", func() {
	server.It("status", "answers 403 when the token lacks the scope that a tool needs", server.InEach(func(t *server.T) {
		Expect(underScoped(t)).To(server.BeStatus(http.StatusForbidden))
	}), needsScopedTool, check.Sends(sendsScoped))

	server.It("error", "says insufficient_scope in the challenge beside the 403", server.InEach(func(t *server.T) {
		expectParam(t, mustChallenge(t, underScoped(t)), "error", "insufficient_scope",
			"clients step up when they see it (RFC 6750 3.1)")
	}), check.Should(), needsScopedTool, check.Sends(sendsScoped))

	server.It("scope", "names the scope that is needed in the challenge beside the 403", server.InEach(func(t *server.T) {
		scope := mustChallenge(t, underScoped(t))["scope"]
		if !slices.Contains(strings.Fields(scope), t.Config.ScopedTool.Scope) {
			t.Failf("expected scope to name %s in the challenge, but saw %q: clients must guess what to ask for "+
				"(MCP 2025-11-25, Runtime Insufficient Scope Errors)", t.Config.ScopedTool.Scope, wire.Printable(scope, 80))
		}
	}), check.Should(), needsScopedTool, check.Sends(sendsScoped))

	server.It("metadata", "names its metadata in the challenge beside the 403", server.InEach(func(t *server.T) {
		expectParam(t, mustChallenge(t, underScoped(t)), "resource_metadata", "",
			"it belongs there as in a 401 (MCP 2025-11-25, Runtime Insufficient Scope Errors)")
	}), check.Should(), needsScopedTool, check.Sends(sendsScoped))
})
