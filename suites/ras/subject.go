package ras

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// account is the local account that an access token is for, "" when that cannot be seen. Where the token does not say it, the
// MCP server's tool does that the configuration names.
func account(t *server.T, a *wire.Answer) string {
	if sub, ok := tokenClaims(t, a)["sub"].(string); ok && sub != "" {
		return sub
	}
	token := a.String("access_token")
	if t.Config.WhoamiTool == "" || token == "" {
		return ""
	}
	result := server.Result(t.Send(t.Call(token, t.Config.WhoamiTool, nil), reports.Setup, "who is calling?"))
	told, err := json.Marshal(result["content"])
	if err != nil || result["content"] == nil || result["isError"] == true {
		return ""
	}
	return string(told)
}

// invisible ends a check that needs to see whose account a token is for.
func invisible(t *server.T) {
	t.Skipf("whose account a token is for cannot be seen: it is opaque, and no tool tells it (whoami_tool)")
}

// expectNobodyElse judges the answer for a user that the target does not know: refusal, or an account made just in
// time, but never that of a user who has one: of these, given by their answers, or of the configuration.
func expectNobodyElse(t *server.T, a *wire.Answer, known ...*wire.Answer) {
	if !server.Granted(a) {
		expectRefused(t, a)
		return
	}
	got := account(t, a)
	if got == "" {
		invisible(t)
	}
	for _, u := range t.Config.Users {
		known = append(known, t.Redeem(t.GrantFrom(t.IdP, u)))
	}
	for _, k := range known {
		if got == account(t, k) {
			t.Failf("expected a refusal or an account of their own for a user that is not known, but the token is for the "+
				"account %q of another user", wire.Printable(got, 80))
		}
	}
	t.Notef("granted for the account %q, which no known user has: it must have been made just in time",
		wire.Printable(got, 80))
}

var _ = check.For("RAS-SUB", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without sub", edit: server.Remove("sub")},
		attack{slug: "empty", what: "an ID-JAG whose sub is the empty string", edit: server.Set("sub", "")},
		attack{slug: "null", what: "an ID-JAG whose sub is null", edit: server.Set("sub", nil)},
		attack{slug: "number", what: "an ID-JAG whose sub is a number", edit: server.Set("sub", 1)},
		attack{slug: "array", what: "an ID-JAG whose sub is an array that holds the user's",
			craft: claim("sub", func(t *server.T) any { return []string{t.Alice().Sub} })},
	)

	server.It("unknown", "takes an unknown sub with an unknown e-mail address for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		stranger := target.User{Sub: "emaconform-" + rand.Text(), Email: rand.Text() + "@nobody.example"}
		expectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, stranger)), alice)
	}, check.Sends("An ID-JAG for a user that does not exist, after one for a known user as control"))

	server.It("long", "takes a sub of 10 KB that begins like a known one for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		long := t.Alice().Sub + strings.Repeat("0", 10<<10)
		expectNobodyElse(t, t.Attack(t.Grant(server.Set("sub", long), server.Remove("email"))), alice)
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
		expectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, stranger)), theirs)
	}, check.With(server.NeedsSecondIdP),
		check.Sends("A user of the second IdP, by that IdP as control, then the same sub in an ID-JAG by the first IdP"))
})
