package ras

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// attack is an ID-JAG with one thing wrong, for refuses.
type attack struct {
	slug string // the check's name within its requirement
	what string // what is sent, "an ID-JAG whose aud is missing": continues "refuses …"

	// One of the two makes the attack out of an honest ID-JAG. Both unset: the difference is in redeem.
	edit  server.Edit
	craft func(t *server.T, honest *server.Token) string // for what no library signs: the compact form, by package hostile

	control server.Edit           // what the honest twin has in common with the attack, when it is not the plain ID-JAG
	redeem  []server.RedeemOption // changes the attacking request, not the control's

	codes   []string // the error codes that a specification fixes for this case; none: any refusal will do
	options []check.Option
}

// refuses declares one check for each attack: an honest ID-JAG is granted, then the attack is refused.
func refuses(attacks ...attack) {
	for _, a := range attacks {
		options := append([]check.Option{
			check.Sends(sentence(a.what) + ", after an honest ID-JAG as control"), refusal(a.codes...),
		}, a.options...)
		server.It(a.slug, "refuses "+a.what, func(t *server.T) {
			t.Control(a.honest(t))
			expectRefused(t, t.Attack(a.assertion(t), a.redeem...), a.codes...)
		}, options...)
	}
}

// refusal says what expectRefused expects.
func refusal(codes ...string) check.Option {
	if len(codes) == 0 {
		return check.Expects("An OAuth error and no access token; RFC 7521 4.1.1 names the code invalid_grant.")
	}
	return check.Expects("An OAuth error with the code " + strings.Join(codes, " or ") + ", and no access token.")
}

// expectRefused judges the answer to an attack. Without codes any refusal will do, but one that is not invalid_grant is
// noted, since RFC 7521 4.1.1 wants it for a bad assertion.
func expectRefused(t *server.T, a *wire.Answer, codes ...string) {
	Expect(a).To(server.BeRefused(codes...))
	if code := a.String("error"); len(codes) == 0 && code != server.InvalidGrant {
		t.Notef("refused with %s; RFC 7521 4.1.1 names invalid_grant for an assertion that is not valid", a.Summary())
	}
}

func (a attack) honest(t *server.T) *server.Token {
	if a.control == nil {
		return t.Grant()
	}
	return t.Grant(a.control)
}

func (a attack) assertion(t *server.T) any {
	token := a.honest(t)
	if a.edit != nil {
		a.edit(token)
	}
	if a.craft != nil {
		return a.craft(t, token)
	}
	return token
}

// sentence turns "an ID-JAG …" into "An ID-JAG …".
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// texts are the strings of a JSON array.
func texts(value any) (list []string) {
	items, _ := value.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}
