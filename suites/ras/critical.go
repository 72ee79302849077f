package ras

import (
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
)

// withHeader is the honestly signed ID-JAG with these members in its header.
func withHeader(members map[string]any) func(*check.T, *check.Token) string {
	return func(_ *check.T, honest *check.Token) string {
		for name, value := range members {
			honest.Header[name] = value
		}
		return hostile.Sign(honest)
	}
}

const unknownMember = "urn:example:emaconform"

var _ = check.For("RAS-SIG-CRIT", func() {
	refuses(
		attack{slug: "unknown", what: "a signed ID-JAG with a critical header member that does not exist",
			craft: withHeader(map[string]any{"crit": []string{unknownMember}, unknownMember: true})},
		attack{slug: "empty", what: "a signed ID-JAG whose crit is empty",
			craft: withHeader(map[string]any{"crit": []string{}})},
		attack{slug: "absent", what: "a signed ID-JAG whose crit names a member that it does not have",
			craft: withHeader(map[string]any{"crit": []string{unknownMember}})},
		attack{slug: "string", what: "a signed ID-JAG whose crit is a string",
			craft: withHeader(map[string]any{"crit": unknownMember, unknownMember: true})},
		attack{slug: "b64", what: "a signed ID-JAG with b64 false, named in crit",
			craft: withHeader(map[string]any{"crit": []string{"b64"}, "b64": false})},
	)

	check.It("unknown-not-critical", "ignores an unknown header member that is not critical", func(t *check.T) {
		Expect(t.Redeem(t.Grant(check.SetHeader(unknownMember, true)))).To(check.BeGranted(), "RFC 7515 4")
	}, check.Sends("A signed ID-JAG with a header member that no specification defines"))
})
