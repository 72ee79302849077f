package idjag

import (
	"crypto/rand"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// otherToken is another kind of token of the same IdP, with these claims beside all those of an ID-JAG: only its type
// tells it apart. typ nil leaves the header member out.
func otherToken(typ any, claims map[string]any) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		honest.Header["typ"] = typ
		if typ == nil {
			delete(honest.Header, "typ")
		}
		for name, value := range claims {
			honest.Claims[name] = value
		}
		return hostile.Sign(honest)
	}
}

var _ = check.For("RAS-TYP", func() {
	now := time.Now().Unix()
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without typ", Craft: otherToken(nil, nil)},
		server.Attack{Slug: "empty", What: "an ID-JAG whose typ is the empty string", Craft: otherToken("", nil)},
		server.Attack{Slug: "jwt", What: "an ID-JAG whose typ is JWT", Craft: otherToken("JWT", nil)},
		server.Attack{Slug: "at-jwt", What: "an ID-JAG whose typ is at+jwt", Craft: otherToken("at+jwt", nil)},
		server.Attack{Slug: "dpop-jwt", What: "an ID-JAG whose typ is dpop+jwt", Craft: otherToken("dpop+jwt", nil)},
		server.Attack{Slug: "number", What: "an ID-JAG whose typ is a number", Craft: otherToken(1, nil)},
		server.Attack{Slug: "id-token", What: "an ID token of the IdP", Craft: otherToken("JWT", map[string]any{
			"nonce": rand.Text(), "at_hash": rand.Text(), "auth_time": now, "amr": []string{"pwd"}, "ver": 1})},
		server.Attack{Slug: "access-token", What: "an access token of the IdP", Craft: otherToken("at+jwt", map[string]any{
			"scp": []string{"openid"}, "auth_time": now, "uid": rand.Text()})},
		server.Attack{Slug: "client-authentication-jwt", What: "an ID-JAG whose typ is client-authentication+jwt",
			Craft: otherToken("client-authentication+jwt", nil)},
		server.Attack{Slug: "logout-token", What: "a logout token of the IdP", Craft: otherToken("logout+jwt", map[string]any{
			"sid": rand.Text(), "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}})},
	)

	server.It("client-assertion", "refuses the client's own client assertion in place of an ID-JAG", func(t *server.T) {
		c := t.ClientBy(target.PrivateKeyJWT)
		t.Control(server.GrantFor(t, c), server.As(c))
		own := t.ClientAssertion(c, func(claims map[string]any) { claims["aud"] = t.Issuer() })
		server.ExpectRefused(t, t.Attack(own, server.As(c)))
	}, check.With(server.NeedsClientAuth(target.PrivateKeyJWT)),
		check.Sends("A client's ID-JAG as control, then what it would prove its identity with, as the assertion"))

	for slug, typ := range map[string]string{
		"application": "application/" + mockidp.TypeIDJAG, "case": server.OtherCase(mockidp.TypeIDJAG),
	} {
		server.It(slug, "answers an ID-JAG whose typ is spelled "+typ, func(t *server.T) {
			t.Control(t.Grant())
			if a := t.Attack(t.Grant(server.SetHeader("typ", typ))); server.Granted(a) {
				t.Warnf("granted: RFC 7515 4.1.9 takes %s for the same media type, ID-JAG draft-04 3.1 wants it spelled %s: "+
					"what compares exactly is never wrong", typ, mockidp.TypeIDJAG)
			}
		}, check.Should(), check.Sends("An ID-JAG whose typ is "+typ+", after an honest one as control"),
			check.Expects("The target refuses it. Granting it is defensible and only worth a warning."))
	}
})
