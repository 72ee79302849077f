package client

import (
	"net/http"
	"slices"
	"strings"
	"sync"

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

func init() {
	scenarios("CL-EXPIRED-AT",
		scenario{slug: "renewed", title: "gets a new token when its own has expired, without the user", in: given,
			meets:   "A 401 invalid_token in the middle of the session",
			hostile: func(w *world.World) { w.MCP.Before = expireOnce(w, func() {}) },
			judge: func(j *judgement) {
				j.MustSpare(j.World.Consent, "the token is renewed without the user")
				j.MustSucceed("an expired token is renewed with a new ID-JAG (ID-JAG draft-04 4.4.3)")
			}},
		scenario{slug: "used-grant", title: "fetches a new ID-JAG instead of redeeming a used one", in: given,
			meets: "A 401 invalid_token in the middle of the session, and a RAS that redeems each ID-JAG once",
			hostile: func(w *world.World) {
				w.MCP.Before = expireOnce(w, func() {})
			}, judge: func(j *judgement) {
				seen := map[string]bool{}
				for _, s := range j.Redemptions() {
					if a := s.Form.Get("assertion"); seen[a] {
						j.Notef("the client presented an ID-JAG a second time, which the RAS refuses (EMA 7.4.2)")
					} else {
						seen[a] = true
					}
				}
				if len(j.Redemptions()) < 2 {
					j.Skipf("the client does not renew its token: see CL-EXPIRED-AT/renewed")
				}
				j.MustSucceed("a used ID-JAG is no end: a new one is to be had")
			}},
		scenario{slug: "bounded", title: "gives up when every token is refused", in: given,
			meets: "An MCP server that answers 401 invalid_token to every token", hostile: func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
				}
			}, judge: bounded},
	)
}

// bounded fails when a client went on and on.
func bounded(j *judgement) {
	if n := len(j.Exchanges()); n > enough || j.Flooded || j.TimedOut {
		j.Failf("expected the client to give up after a few attempts, but it made %d token exchanges: %s", n, j.Summary())
	}
	if !j.Through() {
		j.tells()
	}
}

func init() {
	scenarios("CL-EXPIRED-IDTOKEN",
		scenario{slug: "refresh", title: "uses its refresh token when the ID token has expired", in: refresh,
			meets:   "An ID token that has expired, beside a refresh token",
			hostile: func(w *world.World) { w.IdP.EditGiven = expire },
			judge:   succeeds("the refresh token yields a new ID token, or is a subject token itself (ID-JAG draft-04 4.4.3)")},
		scenario{slug: "login", title: "logs in again when the ID token has expired", in: relogin,
			meets:   "An ID token that has expired, and leave to log in",
			hostile: func(w *world.World) { w.IdP.EditGiven = expire },
			judge:   succeeds("a new login yields a new ID token (ID-JAG draft-04 4.4.3)")},
	)
}

func init() {
	scenarios("CL-STEPUP",
		scenario{slug: "max-age", title: "logs in again with the max_age that the IdP asks for", in: login,
			meets:   "insufficient_user_authentication with max_age at the first exchange",
			hostile: stepUp(map[string]any{"max_age": 5}),
			judge:   steppedUp("max_age", "5")},
		scenario{slug: "acr-values", title: "logs in again with the acr_values that the IdP asks for", in: login,
			meets:   "insufficient_user_authentication with acr_values at the first exchange",
			hostile: stepUp(map[string]any{"acr_values": "phr"}),
			judge:   steppedUp("acr_values", "phr")},
		scenario{slug: "bounded", title: "gives up when the stronger login is not enough either", in: login,
			meets: "insufficient_user_authentication at every exchange", hostile: func(w *world.World) {
				w.IdP.Endpoint("/token").Before = func(c *world.Call) *world.Reply {
					return insufficient(c, map[string]any{"max_age": 5})
				}
			}, judge: bounded},
	)
}

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

func steppedUp(name, value string) func(*judgement) {
	return func(j *judgement) {
		logins := j.logins()
		if len(logins) < 2 {
			j.Failf("expected a second login, but there was one: %s", j.Summary())
		}
		if got := logins[1].Query.Get(name); got != value {
			j.Failf("expected the second login to have %s=%s as the IdP asked (RFC 9470 4), but it has %q", name, value, got)
		}
		j.MustSucceed("the second login is good enough")
	}
}

func init() {
	scenarios("CL-403-SCOPE",
		scenario{slug: "step-up", title: "gets a token with the scope that a 403 asks for, and tries again", in: given,
			meets: "A 403 insufficient_scope with the scope that a tool call needs", hostile: wantScope(world.ElevatedScope),
			judge: func(j *judgement) {
				if !j.refusedCall() {
					j.Skipf("the client calls no tool, so nothing asks it for more scope")
				}
				for _, s := range j.Calls() {
					if world.ParseMessage(s.Body).Method == "tools/call" && s.Status == http.StatusOK {
						return
					}
				}
				j.Failf(
					"expected the call to be tried again with the scope that the challenge names (MCP, step-up authorization "+
						"flow), but %s",
					j.Summary(),
				)
			}},
		scenario{slug: "keeps-scopes", title: "asks for the scopes that it had before, too", in: given,
			meets:   "A 403 insufficient_scope that names the new scope alone",
			hostile: wantScope(world.ElevatedScope),
			judge: func(j *judgement) {
				list := j.exchanges()
				if !j.refusedCall() {
					j.Skipf("the client calls no tool, so nothing asks it for more scope")
				}
				if len(list) < 2 {
					j.Failf("expected a second exchange for the scope that is needed, but there was none: %s", j.Summary())
				}
				if scope := list[len(list)-1].Form.Get("scope"); !hasAll(scope, world.ElevatedScope, "notes.read") {
					j.Failf(
						"expected the second exchange to ask for notes.read and %s, but it asks for %q (MCP, step-up authorization flow)",
						world.ElevatedScope,
						scope,
					)
				}
			}},
		scenario{slug: "bounded", title: "gives up when no scope is enough", in: given,
			meets: "A 403 insufficient_scope whatever the scope", hostile: wantScope("notes.unobtainable"),
			judge: func(j *judgement) {
				bounded(j)
				if !j.refusedCall() {
					j.Skipf("the client calls no tool, so nothing asks it for more scope")
				}
			}},
	)
}

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

// refusedCall reports whether a tool call was answered with 403.
func (a *attempt) refusedCall() bool {
	return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool { return s.Status == http.StatusForbidden })
}
