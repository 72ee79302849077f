package identifiers

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/ras/accounts"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// accountSenders are of the identifiers that lead to an account. Whoever is not known may get a new account just in
// time: what counts is whose account it is.
var accountSenders = map[string]sender{
	"sub": {
		right: func(t *server.T) string { return t.Alice().Sub },
		kind:  plainly("without email", server.NoEmail),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.Quick(server.NoEmail, server.Set("sub", given)))
		},
		judge: ofNobody(func(t *server.T) *server.Token {
			return t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail)
		}),
	},
	"email": {
		needs: []check.Need{server.NeedsLinkableEmail},
		right: func(t *server.T) string { return t.Config.LinkableEmail },
		kind: server.Kind{Name: "linked", Send: func(t *server.T) *wire.Answer {
			return t.Honest(t.QuickFrom(t.IdP, accounts.Linked(t)))
		}},
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.Set("email", given)))
		},
		judge: ofNobody(func(t *server.T) *server.Token {
			return t.QuickFrom(t.IdP, accounts.Stranger(t, rand.Text()+"@nobody.example"))
		}),
	},
	"tenant": {
		needs: []check.Need{server.NeedsTenant},
		right: func(t *server.T) string {
			idp, user := accounts.MultiTenant(t)
			tenant, _ := t.GrantFrom(idp, user).Claims["tenant"].(string)
			return tenant
		},
		kind: server.Kind{Name: "multi-tenant", Send: func(t *server.T) *wire.Answer {
			idp, user := accounts.MultiTenant(t)
			return t.Honest(t.QuickFrom(idp, user, server.NoEmail))
		}},
		send: func(t *server.T, given any) *wire.Answer {
			idp, user := accounts.MultiTenant(t)
			return t.Attack(t.QuickFrom(idp, user, server.NoEmail, server.Set("tenant", given)))
		},
		judge: ofNobody(func(t *server.T) *server.Token {
			idp, user := accounts.MultiTenant(t)
			return t.QuickFrom(idp, user, server.NoEmail, func(j *server.Token) {
				tenant, _ := j.Claims["tenant"].(string)
				j.Claims["tenant"] = server.Like(tenant)
			})
		}),
	},
	"nameid":      ofName("nameid"),
	"saml-issuer": ofName("issuer"),
	"qualifier":   ofName("sp_name_qualifier"),
}

// ofName is the sender of a member of sub_id, at the second IdP.
func ofName(member string) sender {
	alice := func(t *server.T) target.User { return t.Config.SecondIdP.Users[0] }
	attack := func(t *server.T, given any) *server.Token {
		return t.QuickFrom(t.SecondIdP, alice(t), server.NoEmail, func(j *server.Token) {
			id := map[string]any{}
			for name, value := range alice(t).SubID {
				id[name] = value
			}
			id[member] = given
			j.Claims["sub_id"] = id
		})
	}
	return sender{
		needs: []check.Need{server.NeedsSubID},
		right: func(t *server.T) string {
			if alice(t).SubID[member] == "" {
				t.Skipf("the SAML names of the users have no %s (second_idp.users[].sub_id)", member)
			}
			return alice(t).SubID[member]
		},
		kind: server.Kind{Name: "SAML name", Send: func(t *server.T) *wire.Answer {
			return t.Honest(t.QuickFrom(t.SecondIdP, alice(t), server.NoEmail))
		}},
		send:  func(t *server.T, given any) *wire.Answer { return t.Attack(attack(t, given)) },
		judge: ofNobody(func(t *server.T) *server.Token { return attack(t, server.Like(alice(t).SubID[member])) }),
	}
}

// ofNobody judges a token that was granted to somebody whom the target does not know: the account may be a new one, but
// not that of a known user. Where accounts cannot be seen, a target that grants complete strangers cannot be judged;
// one that refuses them has taken this one for somebody. strange makes an ID-JAG for a complete stranger.
func ofNobody(strange func(*server.T) *server.Token) func(*server.T, grammar.Attack, *wire.Answer, *wire.Answer) {
	return func(t *server.T, a grammar.Attack, control, attacked *wire.Answer) {
		got, right := server.AccountOf(t, attacked), server.AccountOf(t, control)
		if got == "" || right == "" {
			if server.Granted(t.Redeem(strange(t))) {
				t.Skipf("granted, as everybody is whom the target does not know yet; whose account it is cannot be " +
					"seen: the token is opaque")
			}
			t.Failf("granted, though a complete stranger is refused: %s, so that %s", a.Mistake(), a.Way.Why)
		}
		if got == right {
			if anybody := t.Redeem(strange(t)); server.Granted(anybody) && server.AccountOf(t, anybody) == right {
				t.Skipf("the same account with any %s at all: the target finds this user by something else", a.Name)
			}
			t.Failf("the token is for %q, the account of the user with the right one: %s, so that %s",
				wire.Printable(got, 80), a.Mistake(), a.Way.Why)
		}
		for _, u := range t.Config.Users {
			if got == server.AccountOf(t, t.Redeem(t.GrantFrom(t.IdP, u))) {
				t.Failf("the token is for %q, the account of another user: %s, so that %s", wire.Printable(got, 80),
					a.Mistake(), a.Way.Why)
			}
		}
		t.Notef("granted for the account %q, which no known user has: it must have been made just in time",
			wire.Printable(got, 80))
	}
}
