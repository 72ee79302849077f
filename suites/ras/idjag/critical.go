package idjag

import (
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// withHeader is the honestly signed ID-JAG with these members in its header.
func withHeader(members map[string]any) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		for name, value := range members {
			honest.Header[name] = value
		}
		return hostile.Sign(honest)
	}
}

const unknownMember = "urn:example:emaconform"

var _ = check.For("RAS-SIG-CRIT", func() {
	server.Refuses(
		server.Attack{Slug: "unknown", What: "a signed ID-JAG with a critical header member that does not exist",
			Craft: withHeader(map[string]any{"crit": []string{unknownMember}, unknownMember: true})},
		server.Attack{Slug: "empty", What: "a signed ID-JAG whose crit is empty",
			Craft: withHeader(map[string]any{"crit": []string{}})},
		server.Attack{Slug: "absent", What: "a signed ID-JAG whose crit names a member that it does not have",
			Craft: withHeader(map[string]any{"crit": []string{unknownMember}})},
		server.Attack{Slug: "string", What: "a signed ID-JAG whose crit is a string",
			Craft: withHeader(map[string]any{"crit": unknownMember, unknownMember: true})},
		server.Attack{Slug: "b64", What: "a signed ID-JAG with b64 false, named in crit",
			Craft: withHeader(map[string]any{"crit": []string{"b64"}, "b64": false})},
	)

	server.It("unknown-not-critical", "ignores an unknown header member that is not critical", func(t *server.T) {
		Expect(t.Redeem(t.Grant(server.SetHeader(unknownMember, true)))).To(server.BeGranted(), "RFC 7515 4")
	}, check.Sends("A signed ID-JAG with a header member that no specification defines"))
})
