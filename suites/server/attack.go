package server

import (
	"reflect"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Attack is an ID-JAG with one thing wrong, for Refuses.
type Attack struct {
	Slug string // the check's name within its requirement
	What string // what is sent, "an ID-JAG whose aud is missing": continues "refuses …"

	// One of the two makes the attack out of an honest ID-JAG. Both unset: the difference is in Redeem.
	Edit  Edit
	Craft func(t *T, honest *Token) string // for what no library signs: the compact form, by package hostile

	Control Edit           // what the honest twin has in common with the attack, when it is not the plain ID-JAG
	Redeem  []RedeemOption // changes the attacking request, not the control's

	Codes   []string // the error codes that a specification fixes for this case; none: any refusal will do
	Options []check.Option
}

// Refuses declares one check for each attack: an honest ID-JAG is granted, then the attack is refused.
func Refuses(attacks ...Attack) {
	for _, a := range attacks {
		options := append([]check.Option{
			check.Sends(check.Sentence(a.What) + ", after an honest ID-JAG as control"), Refusal(a.Codes...),
		}, a.Options...)
		It(a.Slug, "refuses "+a.What, func(t *T) { ExpectRefused(t, a.beside(t), a.Codes...) }, options...)
	}
}

// Refusal says what ExpectRefused expects.
func Refusal(codes ...string) check.Option {
	if len(codes) == 0 {
		return check.Expects("An OAuth error and no access token; RFC 7521 4.1.1 names the code invalid_grant.")
	}
	return check.Expects("An OAuth error with the code " + strings.Join(codes, " or ") + ", and no access token.")
}

// ExpectRefused judges the answer to an attack. Without codes any refusal will do, but one that is not invalid_grant is
// noted, since RFC 7521 4.1.1 wants it for a bad assertion.
func ExpectRefused(t *T, a *wire.Answer, codes ...string) {
	Expect(a).To(BeRefused(codes...))
	if code := a.String("error"); len(codes) == 0 && code != InvalidGrant {
		t.Notef("refused with %s; RFC 7521 4.1.1 names invalid_grant for an assertion that is not valid", a.Summary())
	}
}

// plain is the kind of the honest ID-JAG.
var plain = Kind{Name: "plain", Send: func(t *T) *wire.Answer { return t.Honest(t.Grant()) }}

// beside sends the attack after its control, which many attacks share where it is the plain ID-JAG.
func (a Attack) beside(t *T) *wire.Answer {
	send := func() *wire.Answer { return t.Attack(a.assertion(t), a.Redeem...) }
	if a.Control != nil || t.Check.Serial {
		t.Control(a.honest(t))
		return send()
	}
	_, attacked := t.Beside(plain, send)
	return attacked
}

func (a Attack) honest(t *T) *Token {
	if a.Control == nil {
		return t.Grant()
	}
	return t.Grant(a.Control)
}

func (a Attack) assertion(t *T) any {
	token := a.honest(t)
	if a.Edit != nil {
		a.Edit(token)
	}
	if a.Craft != nil {
		return a.Craft(t, token)
	}
	return token
}

// Claim makes an attack by giving one claim of an honest ID-JAG a value that depends on the target. Where that is the
// honest value already, the check has nothing to say and is skipped.
func Claim(name string, value func(*T) any) func(*T, *Token) string {
	return func(t *T, honest *Token) string {
		v := value(t)
		if reflect.DeepEqual(v, honest.Claims[name]) {
			t.Skipf("this variant of %s is the same as the right value here", name)
		}
		honest.Claims[name] = v
		return hostile.Sign(honest)
	}
}

// Honestly redeems an honest ID-JAG as control: with this edit where the target grants that, else a plain one. It
// returns what the attack has to have in common with it.
func Honestly(t *T, edit Edit, note string) Edit {
	if Granted(t.Send(t.TokenRequest(t.Grant(edit)), reports.Control, note)) {
		return edit
	}
	t.Control(t.Grant())
	return func(*Token) {}
}

// OnlyInvalidGrant is for where a specification fixes this code.
var OnlyInvalidGrant = []string{InvalidGrant}
