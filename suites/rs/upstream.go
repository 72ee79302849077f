package rs

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RS-NO-PASSTHROUGH", func() {
	server.It("upstream", "does not pass the caller's token on to its upstream service", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		before := asked(t, token)
		Expect(t.Try(t.Call(token, t.Config.Upstream.Tool, nil))).To(server.BeLetIn())
		after := asked(t, token)
		if after.Requests == before.Requests {
			t.Skipf("the tool %s did not ask the upstream service: is it configured with its URL? (upstream)",
				t.Config.Upstream.Tool)
		}
		if after.Holds {
			t.Failf("the upstream service got the access token that the MCP server was called with: it can use it "+
				"here, and trusts a token that was not made for it (tool %s)", t.Config.Upstream.Tool)
		}
	}), check.With(server.NeedsUpstream), check.Sends("A call of the tool that asks the upstream service, which we play"))
})

func asked(t *server.T, token string) server.Upstream {
	seen, err := t.Upstreams(t, token)
	if err != nil {
		t.Inconclusivef("our own error: the upstream service cannot be asked: %v", err)
	}
	return seen
}

var _ = check.For("RS-SCOPE-NAMESPACE", func() {
	server.It("shared", "shares no scope name with the second server that does not say whose it is", func(t *server.T) {
		mine := server.Texts(metadata(t).members["scopes_supported"])
		other := wellKnown(t, t.Config.SecondServer)
		if other == nil {
			other = pointedTo(t, t.Config.SecondServer)
		}
		if len(mine) == 0 || other == nil || len(server.Texts(other.members["scopes_supported"])) == 0 {
			t.Skipf("the two servers do not both list scopes_supported in their metadata")
		}
		for _, scope := range server.Texts(other.members["scopes_supported"]) {
			if !strings.ContainsAny(scope, ".:/") {
				Expect(mine).NotTo(ContainElement(scope), "both servers call a scope %q: a right for one looks like "+
					"a right for the other", scope)
			}
		}
	}, check.Open(), check.With(server.NeedsSecondServer), check.Sends("GET requests for the metadata of both servers"))
})
