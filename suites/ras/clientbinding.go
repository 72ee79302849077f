package ras

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
)

// grantFor is an honest ID-JAG for this client.
func grantFor(t *check.T, c *target.Client) *check.Token {
	return t.Grant(check.Set("client_id", c.ID))
}

var _ = check.For("RAS-CLIENT-BINDING", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without client_id", edit: check.Remove("client_id"),
			codes: invalidGrant},
		attack{slug: "empty", what: "an ID-JAG whose client_id is the empty string", edit: check.Set("client_id", ""),
			codes: invalidGrant},
		attack{slug: "unknown", what: "an ID-JAG for a client that is not registered",
			craft: claim("client_id", func(*check.T) any { return "emaconform-" + rand.Text() }), codes: invalidGrant},
		attack{slug: "other-client", what: "an ID-JAG for another registered client",
			craft: claim("client_id", func(t *check.T) any { return t.Client(1).ID }), codes: invalidGrant,
			options: []check.Option{check.With(check.NeedsSecondClient)}},
		attack{slug: "array", what: "an ID-JAG whose client_id is an array that holds the client's",
			craft: claim("client_id", func(t *check.T) any { return []string{t.Client(0).ID} }), codes: invalidGrant},
		attack{slug: "case", what: "an ID-JAG whose client_id is the client's in another case",
			craft: claim("client_id", func(t *check.T) any { return otherCase(t.Client(0).ID) }), codes: invalidGrant},
	)

	check.It("stolen", "refuses an ID-JAG that another client presents with its own valid credentials", func(t *check.T) {
		thief := t.Client(1)
		t.Control(grantFor(t, t.Client(0)))
		t.Control(grantFor(t, thief), check.As(thief))
		expectRefused(t, t.Attack(grantFor(t, t.Client(0)), check.As(thief)), check.InvalidGrant)
	}, check.With(check.NeedsSecondClient), refusal(check.InvalidGrant),
		check.Sends("Two clients that each redeem their own ID-JAG as controls, then the first one's by the second"))

	check.It("form-client-id", "takes no other client from the form than the header authenticated", func(t *check.T) {
		authenticated := t.ClientBy("client_secret_basic")
		other := t.Client(0)
		if other == authenticated {
			other = t.Client(1)
		}
		t.Control(grantFor(t, authenticated), check.As(authenticated))
		expectRefused(t, t.Attack(grantFor(t, other), check.As(authenticated), check.Param("client_id", other.ID)),
			check.InvalidGrant, check.InvalidRequest, check.InvalidClient)
	}, check.With(check.NeedsSecondClient, check.NeedsClientAuth("client_secret_basic")),
		check.Sends("A client that authenticates over Basic, first with its own ID-JAG as control, then with the client_id "+
			"of another client in both the form and the ID-JAG"))
})
