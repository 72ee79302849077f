package idjag

import (
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

var _ = check.For("RAS-CLIENT-BINDING", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without client_id", Edit: server.Remove("client_id"),
			Codes: server.OnlyInvalidGrant},
		server.Attack{Slug: "empty", What: "an ID-JAG whose client_id is the empty string", Edit: server.Set("client_id", ""),
			Codes: server.OnlyInvalidGrant},
		server.Attack{Slug: "unknown", What: "an ID-JAG for a client that is not registered",
			Craft: server.Claim("client_id", func(t *server.T) any { return server.Like(t.Client(0).ID) }),
			Codes: server.OnlyInvalidGrant},
		server.Attack{Slug: "other-client", What: "an ID-JAG for another registered client",
			Craft: server.Claim("client_id", func(t *server.T) any { return t.Client(1).ID }), Codes: server.OnlyInvalidGrant,
			Options: []check.Option{check.With(server.NeedsSecondClient)}},
	)

	server.It("stolen", "refuses an ID-JAG that another client presents with its own valid "+
		"credentials", func(t *server.T) {
		thief := t.Client(1)
		t.Control(server.GrantFor(t, t.Client(0)))
		t.Control(server.GrantFor(t, thief), server.As(thief))
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, t.Client(0)), server.As(thief)), server.InvalidGrant)
	}, check.With(server.NeedsSecondClient), server.Refusal(server.InvalidGrant),
		check.Sends("Two clients that each redeem their own ID-JAG as controls, then the first one's by the second"))

	server.It("form-client-id", "takes no other client from the form than the header authenticated", func(t *server.T) {
		authenticated := t.ClientBy(target.ClientSecretBasic)
		other := t.Client(0)
		if other == authenticated {
			other = t.Client(1)
		}
		t.Control(server.GrantFor(t, authenticated), server.As(authenticated))
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, other), server.As(authenticated),
			server.Param("client_id", other.ID)),
			server.InvalidGrant, server.InvalidRequest, server.InvalidClient)
	}, check.With(server.NeedsSecondClient, server.NeedsClientAuth(target.ClientSecretBasic)),
		check.Sends("A client that authenticates over Basic, first with its own ID-JAG as control, then with the client_id "+
			"of another client in both the form and the ID-JAG"))
})

var _ = check.For("RAS-CLIENT-BINDING", func() {
	for _, name := range []string{"azp", "cid", "client"} {
		server.Refuses(server.Attack{Slug: "beside-" + name,
			What: "an ID-JAG for another client, with the right one in " + name, Codes: server.OnlyInvalidGrant,
			Craft: func(t *server.T, honest *server.Token) string {
				honest.Claims[name] = honest.Claims["client_id"]
				honest.Claims["client_id"] = server.Like(t.Client(0).ID)
				return hostile.Sign(honest)
			}})
	}
})
