package renewal

import (
	"net/http"
	"sync"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-STEPUP", func() {
	It("max-age", "logs in again with the max_age that the IdP asks for",
		Login.But("insufficient_user_authentication with max_age at the first exchange",
			stepUp(map[string]any{"max_age": 5})).From(Exchanged),
		steppedUp("max_age", "5"))
	It("acr-values", "logs in again with the acr_values that the IdP asks for",
		Login.But("insufficient_user_authentication with acr_values at the first exchange",
			stepUp(map[string]any{"acr_values": "phr"})).From(Exchanged),
		steppedUp("acr_values", "phr"))
	It("bounded", "gives up when the stronger login is not enough either",
		Login.But("insufficient_user_authentication at every exchange",
			func(w *world.World) {
				w.IdP.Endpoint("/token").Before = func(c *world.Call) *world.Reply {
					return insufficient(c, map[string]any{"max_age": 5})
				}
			}).From(Exchanged),
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
		logins := t.NeedLogins()
		if len(logins) < 2 {
			t.Failf("expected a second login, but there was one: %s", t.Summary())
		}
		if got := logins[1].Query.Get(name); got != value {
			t.Failf("expected the second login to have %s=%s as the IdP asked (RFC 9470 4), but it has %q", name, value, got)
		}
		t.MustSucceed("the second login is good enough")
	}
}
