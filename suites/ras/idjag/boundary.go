package idjag

import (
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-CROSS-DOMAIN", func() {
	server.Refuses(server.Attack{Slug: "own-issuer", What: "an ID-JAG whose iss is the server itself",
		Craft: server.Claim("iss", func(t *server.T) any { return t.Issuer() })})

	server.It("own-token", "refuses an access token of its own as an assertion", func(t *server.T) {
		token := t.Control(t.Grant()).String("access_token")
		server.ExpectRefused(t, t.Attack(token))
	}, server.Refusal(),
		check.Sends("An honest ID-JAG as control, then the access token that came back for it, as the assertion"))
})

var _ = check.For("RAS-SAML-BOUNDARY", func() {
	server.Refuses(server.Attack{Slug: "assertion", What: "a SAML assertion in place of an ID-JAG",
		Craft: func(t *server.T, _ *server.Token) string {
			return hostile.SAMLAssertion(t.IdP.URL, t.Issuer(), t.Alice().Sub)
		}})
})
