package ras

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// grantFor is an honest ID-JAG for this client.
func grantFor(t *server.T, c *target.Client) *server.Token {
	return t.Grant(server.Set("client_id", c.ID))
}

var _ = check.For("RAS-CLIENT-BINDING", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without client_id", edit: server.Remove("client_id"),
			codes: invalidGrant},
		attack{slug: "empty", what: "an ID-JAG whose client_id is the empty string", edit: server.Set("client_id", ""),
			codes: invalidGrant},
		attack{slug: "unknown", what: "an ID-JAG for a client that is not registered",
			craft: claim("client_id", func(*server.T) any { return "emaconform-" + rand.Text() }), codes: invalidGrant},
		attack{slug: "other-client", what: "an ID-JAG for another registered client",
			craft: claim("client_id", func(t *server.T) any { return t.Client(1).ID }), codes: invalidGrant,
			options: []check.Option{check.With(server.NeedsSecondClient)}},
		attack{slug: "array", what: "an ID-JAG whose client_id is an array that holds the client's",
			craft: claim("client_id", func(t *server.T) any { return []string{t.Client(0).ID} }), codes: invalidGrant},
		attack{slug: "case", what: "an ID-JAG whose client_id is the client's in another case",
			craft: claim("client_id", func(t *server.T) any { return otherCase(t.Client(0).ID) }), codes: invalidGrant},
	)

	server.It("stolen", "refuses an ID-JAG that another client presents with its own valid credentials", func(t *server.T) {
		thief := t.Client(1)
		t.Control(grantFor(t, t.Client(0)))
		t.Control(grantFor(t, thief), server.As(thief))
		expectRefused(t, t.Attack(grantFor(t, t.Client(0)), server.As(thief)), server.InvalidGrant)
	}, check.With(server.NeedsSecondClient), refusal(server.InvalidGrant),
		check.Sends("Two clients that each redeem their own ID-JAG as controls, then the first one's by the second"))

	server.It("form-client-id", "takes no other client from the form than the header authenticated", func(t *server.T) {
		authenticated := t.ClientBy("client_secret_basic")
		other := t.Client(0)
		if other == authenticated {
			other = t.Client(1)
		}
		t.Control(grantFor(t, authenticated), server.As(authenticated))
		expectRefused(t, t.Attack(grantFor(t, other), server.As(authenticated), server.Param("client_id", other.ID)),
			server.InvalidGrant, server.InvalidRequest, server.InvalidClient)
	}, check.With(server.NeedsSecondClient, server.NeedsClientAuth("client_secret_basic")),
		check.Sends("A client that authenticates over Basic, first with its own ID-JAG as control, then with the client_id "+
			"of another client in both the form and the ID-JAG"))
})
