package clients

import (
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// laxLogins are client assertions of the client's own key with one claim that a careful reader refuses.
var laxLogins = []struct {
	slug, what string
	edit       func(claims map[string]any)
	options    []check.Option
}{
	{"exp-null", "whose exp is null", changed(func(int64) any { return nil }), nil},
	// RFC 7523 3 lets a server refuse it.
	{"exp-year", "that lives a year", changed(func(s int64) any { return s + 365*24*3600 }),
		[]check.Option{check.Should()}},
	// RFC 7523 3 has jti as optional, OpenID Connect Core 9 demands it of private_key_jwt.
	{"no-jti", "without jti", func(claims map[string]any) { delete(claims, "jti") }, []check.Option{check.Should()}},
}

// changed makes another exp of the right one.
func changed(of func(seconds int64) any) func(map[string]any) {
	return func(claims map[string]any) {
		seconds, _ := claims["exp"].(int64)
		claims["exp"] = of(seconds)
	}
}

var _ = check.For("RAS-CLIENT-AUTH", func() {
	for _, l := range laxLogins {
		server.It("jwt-"+l.slug, "refuses a client assertion "+l.what, func(t *server.T) {
			c := t.ClientBy(target.PrivateKeyJWT)
			t.Control(server.GrantFor(t, c), server.As(c))
			lax := server.Asserting(c, t.ClientAssertion(c, l.edit))
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, c), lax), server.InvalidClient)
		}, append(l.options, check.With(server.NeedsClientAuth(target.PrivateKeyJWT)), server.Refusal(server.InvalidClient),
			check.Sends("A good client assertion as control, then one "+l.what))...)
	}
})
