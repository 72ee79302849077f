package idp

import (
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var _ = check.For("IDP-REQUESTED-TYPE", func() {
	// An identity provider may exchange for other kinds of tokens: what it must not hand out is an ID-JAG.
	no := func(slug, what string, options []Option, more ...check.Option) {
		It(slug, "issues no ID-JAG "+what, func(t *T) {
			_, a := t.Beside(func() *wire.Answer { return t.Attack(options...) })
			Expect(idJAG(t, a)).To(BeFalse(), "an ID-JAG was issued (%s)", a.Summary())
		}, append([]check.Option{check.Sends("An honest exchange, then one " + what + ".")}, more...)...)
	}
	no("missing", "without requested_token_type", []Option{Without("requested_token_type")}, check.Should())
	no("empty", "for an empty requested_token_type", []Option{Param("requested_token_type", "")}, check.Should())
	no("access-token", "for access_token", []Option{Param("requested_token_type", TypeAccess)})
	no("id-token", "for id_token", []Option{Param("requested_token_type", TypeID)})
	refuses("unknown", "a requested_token_type that nobody knows",
		one(Param("requested_token_type", "urn:example:nothing")))
	refuses("twice", "two requested_token_types", one(Also("requested_token_type", TypeAccess)))
})

const grantJWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

var _ = check.For("IDP-NO-SELF", func() {
	It("own-id-jag", "issues no access token for an ID-JAG of its own", func(t *T) {
		g := t.Control()
		Expect(t.AttackWith(post(t, "grant_type", grantJWTBearer, "assertion", g.Compact))).To(server.BeRefused())
	}, check.Sends("An ID-JAG, and a jwt-bearer grant with it at the identity provider's own token endpoint."))
	It("as-subject", "exchanges no ID-JAG of its own for an access token", func(t *T) {
		g := t.Control()
		Expect(t.AttackWith(post(t, "grant_type", GrantExchange, "requested_token_type", TypeAccess, "subject_token",
			g.Compact,
			"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"))).To(server.BeRefused())
	}, check.Sends("An ID-JAG, and an exchange of it for an access token."))
})
