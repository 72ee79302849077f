package clients

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// twoKeyClients are two clients that authenticate with keys: a registered one, and another registered one or, where
// there is none, one that is known by its metadata document.
func twoKeyClients(t *server.T) (one, other *target.Client) {
	one = t.ClientBy(target.PrivateKeyJWT)
	for n := range t.Config.Clients {
		if c := t.Client(n); c.Auth == one.Auth && c.ID != one.ID {
			return one, c
		}
	}
	if !t.Config.CIMD || t.Canary == "" {
		t.Skipf("needs a second client that authenticates by private_key_jwt (clients), or cimd")
	}
	described := newDescribed(t)
	described.publish(t, documentPath, described.document(), mockidp.Reply{})
	return one, &described.Client
}

var _ = check.For("RAS-CLIENT-AUTH", func() {
	needs := check.With(server.NeedsClientAuth(target.PrivateKeyJWT))

	server.It("jwt-other-clients-key", "refuses a client assertion that another client has signed", func(t *server.T) {
		one, other := twoKeyClients(t)
		t.Control(server.GrantFor(t, one), server.As(one))
		t.Control(server.GrantFor(t, other), server.As(other))
		for _, pair := range [][2]*target.Client{{other, one}, {one, other}} {
			forged := *pair[0]
			forged.Key = pair[1].Key
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, &forged),
				server.Asserting(&forged, t.ClientAssertion(&forged, nil))), server.InvalidClient)
		}
	}, needs, server.Refusal(server.InvalidClient),
		check.Sends("Two clients with their own assertions as controls, then each in the name of the other"))

	server.It("jwt-same-jti", "takes a client assertion whose jti another client has used", func(t *server.T) {
		one, other := twoKeyClients(t)
		t.Control(server.GrantFor(t, other), server.As(other))
		same := func(c *target.Client, jti string) server.RedeemOption {
			return server.Asserting(c, t.ClientAssertion(c, func(claims map[string]any) { claims["jti"] = jti }))
		}
		jti := rand.Text()
		t.Control(server.GrantFor(t, one), same(one, jti))
		if a := t.Redeem(server.GrantFor(t, other), same(other, jti)); !server.Granted(a) {
			t.Failf("expected a client assertion to be taken although another client has used its jti, but saw %s: "+
				"one client can keep another one from its tokens", a.Summary())
		}
	}, check.Should(), needs, check.Sends("A client assertion of one client as control, then one of another client "+
		"with the same jti"))
})
