// Package identifiers sends the attacks that package grammar generates: each way of comparing wrongly, on each
// identifier of a RAS.
package identifiers

import (
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// sender is how attacks on one identifier of the grammar are sent and judged.
type sender struct {
	needs []check.Need
	right func(t *server.T) string // the value that the attack changes
	kind  server.Kind              // of the honest request that differs in this value alone
	send  func(t *server.T, given any) *wire.Answer
	judge func(t *server.T, a grammar.Attack, control, attacked *wire.Answer) // nil: must be refused
	forge func(t *server.T) grammar.Forge                                     // of a JWS, in place of right

	distinct  bool // must be granted, for it is another one
	intrusive bool
	each      func(t *server.T) sender // makes the others anew for each check, where they belong together
}

// senders is one for each identifier of a RAS in the grammar.
var senders = merged(claimSenders, accountSenders, proofSenders, loginSenders, tokenSenders,
	requestSenders)

func merged(groups ...map[string]sender) map[string]sender {
	all := map[string]sender{}
	for _, group := range groups {
		for id, s := range group {
			all[id] = s
		}
	}
	return all
}

var _ = check.ForAttacks("ras", senders, sender.declare)

func (s sender) declare(a grammar.Attack) {
	title := "refuses " + a.What()
	expects := server.Refusal()
	switch {
	case s.distinct:
		title = "grants " + a.What()
		expects = check.Expects("An access token: both are honest, and what tells them apart is compared character " +
			"by character.")
	case s.judge != nil:
		title = "takes " + a.What() + " for nobody and nothing that it knows"
	}
	options := []check.Option{check.Of(a), check.With(s.needs...), expects,
		check.Sends(check.Sentence(a.What()) + ". An honest request that differs in this alone is granted before " +
			"it, and one after it")}
	if s.intrusive {
		options = append(options, check.Intrusive())
	}
	server.It(a.Slug(), title, func(t *server.T) {
		s := s.anew(t, a)
		given := s.given(t, a)
		control, attacked := t.Beside(s.kind, func() *wire.Answer { return s.send(t, given) })
		if attacked.Err == nil && attacked.Status >= 500 && a.Way.ID == "prototype" {
			server.ExpectOAuthError(t, attacked)
		}
		if s.distinct {
			if !server.Granted(attacked) {
				t.Failf("expected it to be granted, but saw %s: %s, so that %s", attacked.Summary(), a.Mistake(), a.Way.Why)
			}
			return
		}
		if s.judge != nil && server.Granted(attacked) {
			s.judge(t, a, control, attacked)
			return
		}
		if server.Granted(attacked) {
			t.Failf("expected a refusal, but a token was granted: %s, so that %s", a.Mistake(), a.Way.Why)
		}
		Expect(attacked).To(server.BeRefused())
	}, options...)
}

// anew is the sender with values of its own for this check, where it has such. Drawn ones may chance to have nothing
// that the attack could change, such as no letter that looks like another: then others are drawn, a few times.
func (s sender) anew(t *server.T, a grammar.Attack) sender {
	if s.each == nil {
		return s
	}
	made := s.each(t)
	if made.right == nil {
		return made
	}
	for range 8 {
		if _, ok := a.Variant.Of(made.right(t)); ok {
			break
		}
		made = s.each(t)
	}
	return made
}

// given is what the attack sends: the right value, changed.
func (s sender) given(t *server.T, a grammar.Attack) any {
	if a.Variant.Write != nil {
		written, ok := a.Variant.Write(s.forge(t))
		if !ok {
			t.Skipf("it cannot be made with the key that is here")
		}
		return written
	}
	right := s.right(t)
	given, ok := a.Variant.Of(right)
	if !ok {
		t.Skipf("%s is %q here, which has nothing that this could change", a.Name, wire.Printable(right, 80))
	}
	return given
}

// plainly is the kind of ID-JAGs that have this edit in common.
func plainly(name string, edits ...server.Edit) server.Kind {
	return server.Kind{Name: name, Send: func(t *server.T) *wire.Answer {
		return t.Honest(t.Quick(edits...))
	}}
}

// ofClaim sends an ID-JAG with another value of one claim.
func ofClaim(name string, right func(*server.T) string, needs ...check.Need) sender {
	return sender{
		needs: needs, right: right, kind: plainly("claims"),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.Quick(server.Set(name, given)))
		},
	}
}

var claimSenders = map[string]sender{
	"iss":       ofClaim("iss", func(t *server.T) string { return t.IdP.URL }),
	"aud":       ofClaim("aud", func(t *server.T) string { return t.Issuer() }),
	"client_id": ofClaim("client_id", func(t *server.T) string { return t.Client(0).ID }),
	"resource":  ofClaim("resource", func(t *server.T) string { return t.Resource() }),
	"typ": {
		right: func(*server.T) string { return mockidp.TypeIDJAG },
		kind:  plainly("claims"),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(hostile.Sign(t.Quick(server.SetHeader("typ", given))))
		},
	},
	"scope": {
		needs: []check.Need{server.NeedsScope},
		right: func(t *server.T) string { return t.Config.Scopes[0] },
		kind: server.Kind{Name: "one scope", Send: func(t *server.T) *wire.Answer {
			return t.Honest(t.Quick(server.Set("scope", t.Config.Scopes[0])), server.Without("scope"))
		}},
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.Quick(server.Set("scope", given)), server.Without("scope"))
		},
		judge: func(t *server.T, a grammar.Attack, _, attacked *wire.Answer) {
			for _, known := range append(t.Config.Scopes, t.Config.ForbiddenScope) {
				for _, granted := range server.GrantedScope(t, attacked, "") {
					if known != "" && granted == known {
						t.Failf("expected no scope that the target knows, but %q was granted: %s, so that %s",
							wire.Printable(granted, 80), a.Mistake(), a.Way.Why)
					}
				}
			}
		},
	},
}
