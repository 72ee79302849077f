package tokens

import (
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// secondResource is the resource identifier of the second MCP server, from its metadata (RFC 9728) or else its URL.
func secondResource(t *server.T) string {
	for _, at := range target.ResourceMetadataURLs(t.Config.SecondServer) {
		if metadata, _, err := t.Get(at); err == nil {
			if id, ok := metadata["resource"].(string); ok && target.Covers(id, t.Config.SecondServer) {
				return id
			}
		}
	}
	return t.Config.SecondServer
}

var _ = check.For("RAS-AT-AUDIENCE", func() {
	server.It("named", "names the MCP server of the resource claim alone as the token's audience", func(t *server.T) {
		a := t.Control(t.Grant())
		claims := server.TokenClaims(t, a)
		if claims == nil {
			t.Skipf("access tokens are opaque and introspection tells the client nothing: see what second_server would show")
		}
		audience := server.AudienceOf(claims)
		switch {
		case len(audience) == 0 && server.Opaque(a):
			t.Skipf("access tokens are opaque, and introspection leaves out aud, which RFC 7662 2.2 makes optional: " +
				"second_server would show whom they are for")
		case len(audience) == 0:
			t.Failf("expected an access token whose aud names the MCP server, but it has no aud: every MCP server could take it")
		case !slices.Contains(audience, t.Resource()):
			t.Warnf("the token's aud is %q, not the resource identifier %s: whom it means cannot be seen",
				wire.Printable(strings.Join(audience, " "), 200), t.Resource())
		case len(audience) > 1:
			t.Warnf("the token's aud names more than the MCP server: %q", wire.Printable(strings.Join(audience, " "), 200))
		}
	}, check.Sends("An honest ID-JAG; the access token is looked into"))

	server.It("other-server", "issues a token that a second MCP server refuses", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		Expect(t.Break(t.KnockAt(t.Config.SecondServer, token))).To(server.BeTurnedAway(),
			"the token is not restricted to the MCP server that resource named, or the second one does not look at its audience")
	}, check.With(server.NeedsSecondServer),
		check.Sends("A token for the MCP server, there as control, then to a second MCP server of the same RAS"))

	server.It("by-claim", "restricts the token to whichever of its MCP servers the resource "+
		"claim names", func(t *server.T) {
		t.Use(t.AccessToken())
		token := t.AccessToken(server.Set("resource", secondResource(t)))
		Expect(t.Break(t.Knock(token))).To(server.BeTurnedAway(),
			"the ID-JAG named the second MCP server, and the first one takes the token")
		Expect(t.Break(t.KnockAt(t.Config.SecondServer, token))).To(server.BeLetIn(),
			"the ID-JAG named the second MCP server, and it does not take the token")
	}, check.With(server.NeedsSecondServer),
		check.Sends("An ID-JAG for a second MCP server; its token goes to the first one, then there"))
})
