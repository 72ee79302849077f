package client

import (
	"net/http"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/suites/client/world"
)

// enough is the number of attempts beyond which a client counts as going on for ever.
const enough = 10

// expireOnce lets every token expire when the client first works with the tools, and then calls also.
func expireOnce(w *world.World, also func()) func(*world.Call, world.Message) *world.Reply {
	var once sync.Once
	return func(_ *world.Call, m world.Message) (reply *world.Reply) {
		if strings.HasPrefix(m.Method, "tools/") {
			once.Do(func() {
				w.Revoke()
				also()
				reply = w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
			})
		}
		return reply
	}
}

var _ = check.For("CL-EXPIRED-AT", func() {
	It("renewed", "gets a new token when its own has expired, without the user",
		given.but("A 401 invalid_token in the middle of the session",
			func(w *world.World) { w.MCP.Before = expireOnce(w, func() {}) }).from(refused),
		func(t *T) {
			t.MustSpare(t.World.Consent, "the token is renewed without the user")
			t.MustSucceed("an expired token is renewed with a new ID-JAG (ID-JAG draft-04 4.4.3)")
		})
	It("used-grant", "fetches a new ID-JAG instead of redeeming a used one",
		given.but("A 401 invalid_token in the middle of the session, and a RAS that redeems each ID-JAG once",
			func(w *world.World) {
				w.MCP.Before = expireOnce(w, func() {})
			}).from(refused),
		func(t *T) {
			seen := map[string]bool{}
			for _, s := range t.Redemptions() {
				if a := s.Form.Get("assertion"); seen[a] {
					t.Notef("the client presented an ID-JAG a second time, which the RAS refuses (EMA 7.4.2)")
				} else {
					seen[a] = true
				}
			}
			if len(t.Redemptions()) < 2 {
				t.Skipf("the client does not renew its token: see CL-EXPIRED-AT/renewed")
			}
			t.MustSucceed("a used ID-JAG is no end: a new one is to be had")
		})
	It("bounded", "gives up when every token is refused",
		given.but("An MCP server that answers 401 invalid_token to every token",
			func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
				}
			}).from(refused),
		bounded)
})

// bounded fails when a client went on and on.
func bounded(t *T) {
	if n := len(t.Exchanges()); n > enough || t.Flooded || t.TimedOut {
		t.mustBeTempted()
		t.Failf("expected the client to give up after a few attempts, but it made %d token exchanges: %s", n, t.Summary())
	}
	if !t.Through() {
		t.tells()
	}
}

var _ = check.For("CL-EXPIRED-IDTOKEN", func() {
	It("refresh", "uses its refresh token when the ID token has expired",
		refresh.but("An ID token that has expired, beside a refresh token",
			func(w *world.World) { w.IdP.EditGiven = expire }).from(challenged),
		succeeds("the refresh token yields a new ID token, or is a subject token itself (ID-JAG draft-04 4.4.3)"))
	It("login", "logs in again when the ID token has expired",
		relogin.but("An ID token that has expired, and leave to log in",
			func(w *world.World) { w.IdP.EditGiven = expire }).from(challenged),
		succeeds("a new login yields a new ID token (ID-JAG draft-04 4.4.3)"))
})

var _ = check.For("CL-STEPUP", func() {
	It("max-age", "logs in again with the max_age that the IdP asks for",
		login.but("insufficient_user_authentication with max_age at the first exchange",
			stepUp(map[string]any{"max_age": 5})).from(exchanged),
		steppedUp("max_age", "5"))
	It("acr-values", "logs in again with the acr_values that the IdP asks for",
		login.but("insufficient_user_authentication with acr_values at the first exchange",
			stepUp(map[string]any{"acr_values": "phr"})).from(exchanged),
		steppedUp("acr_values", "phr"))
	It("bounded", "gives up when the stronger login is not enough either",
		login.but("insufficient_user_authentication at every exchange",
			func(w *world.World) {
				w.IdP.Endpoint("/token").Before = func(c *world.Call) *world.Reply {
					return insufficient(c, map[string]any{"max_age": 5})
				}
			}).from(exchanged),
		bounded)
})

// insufficient refuses a token exchange for want of a stronger login (RFC 9470 3).
func insufficient(c *world.Call, ask map[string]any) *world.Reply {
	if c.Form.Get("grant_type") != world.GrantExchange {
		return nil
	}
	answer := map[string]any{"error": "insufficient_user_authentication", "error_description": "sign in again"}
	for k, v := range ask {
		answer[k] = v
	}
	return &world.Reply{Status: http.StatusBadRequest, JSON: answer}
}

func stepUp(ask map[string]any) func(*world.World) {
	return func(w *world.World) {
		var once sync.Once
		w.IdP.Endpoint("/token").Before = func(c *world.Call) (reply *world.Reply) {
			if c.Form.Get("grant_type") == world.GrantExchange {
				once.Do(func() { reply = insufficient(c, ask) })
			}
			return reply
		}
	}
}

func steppedUp(name, value string) func(*T) {
	return func(t *T) {
		logins := t.logins()
		if len(logins) < 2 {
			t.Failf("expected a second login, but there was one: %s", t.Summary())
		}
		if got := logins[1].Query.Get(name); got != value {
			t.Failf("expected the second login to have %s=%s as the IdP asked (RFC 9470 4), but it has %q", name, value, got)
		}
		t.MustSucceed("the second login is good enough")
	}
}

var _ = check.For("CL-403-SCOPE", func() {
	stepUp := func(slug string, in *shape) {
		It(slug, "gets a token with the scope that a 403 asks for, and tries again",
			in.but("A 403 insufficient_scope with the scope that a tool call needs",
				wantScope(world.ElevatedScope)).from(wantedMore),
			func(t *T) {
				if !t.RefusedCall() {
					t.Skipf("the client calls no tool, so nothing asks it for more scope")
				}
				for _, s := range t.Calls() {
					if world.ParseMessage(s.Body).Method == "tools/call" && s.Status == http.StatusOK {
						return
					}
				}
				t.Failf(
					"expected the call to be tried again with the scope that the challenge names (MCP, step-up authorization "+
						"flow), but %s",
					t.Summary(),
				)
			})
	}
	stepUp("step-up", given)
	for _, revision := range byEachRevision {
		stepUp("step-up-"+revision.slug, revision.in)
	}
	It("keeps-scopes", "asks for the scopes that it had before, too",
		stateless.but("A 403 insufficient_scope that names the new scope alone",
			wantScope(world.ElevatedScope)).from(wantedMore),
		func(t *T) {
			list := t.exchanges()
			if !t.RefusedCall() {
				t.Skipf("the client calls no tool, so nothing asks it for more scope")
			}
			if len(list) < 2 {
				t.Failf("expected a second exchange for the scope that is needed, but there was none: %s", t.Summary())
			}
			if scope := list[len(list)-1].Form.Get("scope"); !hasAll(scope, world.ElevatedScope, "notes.read") {
				t.Failf(
					"expected the second exchange to ask for notes.read and %s, but it asks for %q (MCP, step-up authorization flow)",
					world.ElevatedScope,
					scope,
				)
			}
		})
	It("bounded", "gives up when no scope is enough",
		given.but("A 403 insufficient_scope whatever the scope",
			wantScope("notes.unobtainable")).from(wantedMore),
		func(t *T) {
			bounded(t)
			if !t.RefusedCall() {
				t.Skipf("the client calls no tool, so nothing asks it for more scope")
			}
		})
})

// wantScope makes tool calls need a scope. One that cannot be had is never enough.
func wantScope(scope string) func(*world.World) {
	return func(w *world.World) {
		w.MCP.Before = func(c *world.Call, m world.Message) *world.Reply {
			if m.Method != "tools/call" || scope == world.ElevatedScope && hasAll(w.MCP.Granted(c), scope) {
				return nil
			}
			return w.MCP.Challenge(http.StatusForbidden, "insufficient_scope", scope)
		}
	}
}
