package ras

import (
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-CROSS-DOMAIN", func() {
	refuses(attack{slug: "own-issuer", what: "an ID-JAG whose iss is the server itself",
		craft: claim("iss", func(t *server.T) any { return t.Issuer() })})

	server.It("own-token", "refuses an access token of its own as an assertion", func(t *server.T) {
		token := t.Control(t.Grant()).String("access_token")
		expectRefused(t, t.Attack(token))
	}, refusal(),
		check.Sends("An honest ID-JAG as control, then the access token that came back for it, as the assertion"))
})

var _ = check.For("RAS-SAML-BOUNDARY", func() {
	refuses(attack{slug: "assertion", what: "a SAML assertion in place of an ID-JAG",
		craft: func(t *server.T, _ *server.Token) string {
			return hostile.SAMLAssertion(t.IdP.URL, t.Issuer(), t.Alice().Sub)
		}})
})
