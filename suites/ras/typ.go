package ras

import (
	"crypto/rand"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
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
	refuses(
		attack{slug: "missing", what: "an ID-JAG without typ", craft: otherToken(nil, nil)},
		attack{slug: "empty", what: "an ID-JAG whose typ is the empty string", craft: otherToken("", nil)},
		attack{slug: "jwt", what: "an ID-JAG whose typ is JWT", craft: otherToken("JWT", nil)},
		attack{slug: "at-jwt", what: "an ID-JAG whose typ is at+jwt", craft: otherToken("at+jwt", nil)},
		attack{slug: "dpop-jwt", what: "an ID-JAG whose typ is dpop+jwt", craft: otherToken("dpop+jwt", nil)},
		attack{slug: "number", what: "an ID-JAG whose typ is a number", craft: otherToken(1, nil)},
		attack{slug: "id-token", what: "an ID token of the IdP", craft: otherToken("JWT", map[string]any{
			"nonce": rand.Text(), "at_hash": rand.Text(), "auth_time": now, "amr": []string{"pwd"}, "ver": 1})},
		attack{slug: "access-token", what: "an access token of the IdP", craft: otherToken("at+jwt", map[string]any{
			"scp": []string{"openid"}, "auth_time": now, "uid": rand.Text()})},
		attack{slug: "client-authentication-jwt", what: "an ID-JAG whose typ is client-authentication+jwt",
			craft: otherToken("client-authentication+jwt", nil)},
		attack{slug: "logout-token", what: "a logout token of the IdP", craft: otherToken("logout+jwt", map[string]any{
			"sid": rand.Text(), "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}})},
	)

	server.It("client-assertion", "refuses the client's own client assertion in place of an ID-JAG", func(t *server.T) {
		c := t.ClientBy("private_key_jwt")
		t.Control(grantFor(t, c), server.As(c))
		own := t.ClientAssertion(c, func(claims map[string]any) { claims["aud"] = t.Issuer() })
		expectRefused(t, t.Attack(own, server.As(c)))
	}, check.With(server.NeedsClientAuth("private_key_jwt")),
		check.Sends("A client's ID-JAG as control, then what it would prove its identity with, as the assertion"))

	for slug, typ := range map[string]string{
		"application": "application/" + mockidp.TypeIDJAG, "case": otherCase(mockidp.TypeIDJAG),
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
