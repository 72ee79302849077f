// Package use holds the scenarios about what becomes of a token, and of the user when there is none.
package use

import (
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-BEARER", func() {
	It("every-request", "sends the token with every stateless request",
		Stateless.Honest("An honest world whose MCP server speaks revision 2026-07-28").From(Used),
		bearerEverywhere)
	It("every-session-request", "sends the token with every request of a session, to the end",
		Sessions.Honest("An honest world whose MCP server speaks revision 2025-11-25").From(Used),
		bearerEverywhere)
	It("query", "keeps the token out of the query",
		Given.Honest(MeetsGiven).From(Used),
		func(t *T) {
			for _, s := range t.Calls() {
				for name, values := range s.Query {
					for _, v := range values {
						if t.Issued(world.AccessToken, v) {
							t.Failf("expected the token in the Authorization header alone, but it stood in the query parameter %q", name)
						}
					}
				}
			}
			if !t.Through() {
				t.Missing("called the MCP server")
			}
		})
})

// bearerEverywhere fails when a request to the MCP server, from the first that was let in, has no token in its header.
func bearerEverywhere(t *T) {
	authorized := false
	for _, s := range t.Calls() {
		scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
		good := strings.EqualFold(scheme, "bearer") && t.Issued(world.AccessToken, token)
		if authorized && !good {
			t.Failf("expected the token with every request, but a %s after the first authorized one has none", s.Method)
		}
		authorized = authorized || good
	}
	if !authorized {
		t.Missing("called the MCP server with a token")
	}
}
