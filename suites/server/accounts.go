package server

import (
	"encoding/json"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// AccountOf is the local account that an access token is for, "" when that cannot be seen. Where the token does not say
// it, the MCP server's tool does that the configuration names.
func AccountOf(t *T, a *wire.Answer) string {
	if sub, ok := TokenClaims(t, a)["sub"].(string); ok && sub != "" {
		return sub
	}
	token := a.String("access_token")
	if t.Config.WhoamiTool == "" || token == "" {
		return ""
	}
	result := Result(t.Send(t.Call(token, t.Config.WhoamiTool, nil), reports.Setup, "who is calling?"))
	told, err := json.Marshal(result["content"])
	if err != nil || result["content"] == nil || result["isError"] == true {
		return ""
	}
	return string(told)
}

// SeenAccount is AccountOf for a check that cannot go on without it.
func SeenAccount(t *T, a *wire.Answer) string {
	account := AccountOf(t, a)
	if account == "" {
		Invisible(t)
	}
	return account
}

// OwnAccount is what the target itself calls the first user's account, for a check that cannot go on without it. The
// first that asks for it redeems an honest ID-JAG.
func (t *T) OwnAccount() string {
	t.known.naming.Lock()
	defer t.known.naming.Unlock()
	if t.known.account == "" {
		t.known.account = SeenAccount(t, t.Redeem(t.Quick(NoEmail)))
	}
	return t.known.account
}

// Invisible ends a check that needs to see whose account a token is for.
func Invisible(t *T) {
	t.Skipf("whose account a token is for cannot be seen: it is opaque, and no tool tells it (whoami_tool)")
}

// ExpectNobodyElse judges the answer for a user that the target does not know: refusal, or an account made just in
// time, but never that of a user who has one: of these, given by their answers, or of the configuration.
func ExpectNobodyElse(t *T, a *wire.Answer, known ...*wire.Answer) {
	if !Granted(a) {
		ExpectRefused(t, a)
		return
	}
	got := SeenAccount(t, a)
	for _, u := range t.Config.Users {
		known = append(known, t.Redeem(t.GrantFrom(t.IdP, u)))
	}
	for _, k := range known {
		if got == AccountOf(t, k) {
			t.Failf("expected a refusal or an account of their own for a user that is not known, but the token is for the "+
				"account %q of another user", wire.Printable(got, 80))
		}
	}
	t.Notef("granted for the account %q, which no known user has: it must have been made just in time",
		wire.Printable(got, 80))
}
