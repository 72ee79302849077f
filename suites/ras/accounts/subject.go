package accounts

import (
	"crypto/rand"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

var _ = check.For("RAS-SUB", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without sub", Edit: server.Remove("sub")},
		server.Attack{Slug: "empty", What: "an ID-JAG whose sub is the empty string", Edit: server.Set("sub", "")},
		server.Attack{Slug: "null", What: "an ID-JAG whose sub is null", Edit: server.Set("sub", nil)},
		server.Attack{Slug: "number", What: "an ID-JAG whose sub is a number", Edit: server.Set("sub", 1)},
	)

	server.It("disabled", "refuses a user whose account is switched off", func(t *server.T) {
		t.Control(t.Grant())
		a := t.Attack(t.GrantFrom(t.IdP, *t.Config.DisabledUser))
		if server.Granted(a) {
			t.Failf("a token was granted to a user whose account is switched off: who has left the company, or was " +
				"locked out, goes on working. Look at the account's state at every redemption")
		}
		server.ExpectRefused(t, a)
	}, check.With(server.NeedsDisabledUser), server.Refusal(),
		check.Sends("An honest ID-JAG of a user whose account is switched off, after one of another user as control"))

	server.It("unknown", "takes an unknown sub with an unknown e-mail address for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		stranger := target.User{Sub: server.Like(t.Alice().Sub), Email: rand.Text() + "@nobody.example"}
		server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, stranger)), alice)
	}, check.Sends("An ID-JAG for a user that does not exist, after one for a known user as control"))

	server.It("long", "takes a sub of 10 KB that begins like a known one for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		long := t.Alice().Sub + strings.Repeat("0", 10<<10)
		server.ExpectNobodyElse(t, t.Attack(t.Grant(server.Set("sub", long), server.Remove("email"))), alice)
	}, check.Sends("An ID-JAG whose sub is a known one followed by 10 KB of zeros, after an honest one as control"))

	server.It("other-issuer", "takes the sub of a user of another issuer for no existing user", func(t *server.T) {
		foreign := t.Config.SecondIdP.Users[0]
		for _, u := range t.Config.Users {
			if u.Sub == foreign.Sub {
				t.Skipf("needs a user of the second IdP whose sub is not also one of the first IdP's (second_idp.users)")
			}
		}
		theirs := t.Control(t.GrantFrom(t.SecondIdP, foreign))
		stranger := target.User{Sub: foreign.Sub} // no e-mail address: sub alone is under test
		server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, stranger)), theirs)
	}, check.With(server.NeedsSecondIdP),
		check.Sends("A user of the second IdP, by that IdP as control, then the same sub in an ID-JAG by the first IdP"))
})

var _ = check.For("RAS-ACCESS-DENIED", func() {
	server.It("disabled", "says access_denied to a user whose account is switched off", func(t *server.T) {
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(t.GrantFrom(t.IdP, *t.Config.DisabledUser)), server.AccessDenied)
	}, check.With(server.NeedsDisabledUser), server.Refusal(server.AccessDenied),
		check.Sends("An honest ID-JAG of a user whose account is switched off, after one of another user as control"))
})
