// Package renewal holds the scenarios about what does not do any more: tokens that end, scopes and logins that are not
// enough.
package renewal

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-EXPIRED-AT", func() {
	It("renewed", "gets a new token when its own has expired, without the user",
		Given.But("A 401 invalid_token in the middle of the session",
			func(w *world.World) { w.MCP.Before = ExpireOnce(w, func() {}) }).From(Refused),
		func(t *T) {
			t.MustSpare(t.World.Consent, "the token is renewed without the user")
			t.MustSucceed("an expired token is renewed with a new ID-JAG (ID-JAG draft-04 4.4.3)")
		})
	It("used-grant", "fetches a new ID-JAG instead of redeeming a used one",
		Given.But("A 401 invalid_token in the middle of the session, and a RAS that redeems each ID-JAG once",
			func(w *world.World) {
				w.MCP.Before = ExpireOnce(w, func() {})
			}).From(Refused),
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
		Given.But("An MCP server that answers 401 invalid_token to every token",
			func(w *world.World) {
				w.MCP.Before = func(*world.Call, world.Message) *world.Reply {
					return w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
				}
			}).From(Refused),
		bounded)
})

var _ = check.For("CL-EXPIRED-AT", func() {
	for _, revision := range ByEachRevision {
		It("renewed-"+revision.Slug, "gets a new token when its own has expired ("+revision.Slug+")",
			revision.In.But("A 401 invalid_token behind the first request about tools",
				func(w *world.World) { w.MCP.Before = ExpireOnce(w, func() {}) }).From(Refused),
			func(t *T) {
				t.MustSpare(t.World.Consent, "the token is renewed without the user")
				t.MustSucceed("an expired token is renewed with a new ID-JAG (ID-JAG draft-04 4.4.3)")
			})
		It("short-lived-"+revision.Slug, "goes on when its token ends within the run ("+revision.Slug+")",
			revision.In.But("Access tokens that live for 2 s, as expires_in says, and an MCP server that takes longer "+
				"for its first answer about tools", func(w *world.World) {
				w.RAS.Lifetime = brief
				w.MCP.Before = outlive(w, func() *world.Reply { return nil })
			}).From(Ended),
			func(t *T) {
				if t.Through() && !Ended.Seen(t.Attempt) {
					t.Skipf("the client sends nothing after the first answer about tools: it needs no second token")
				}
				t.MustSpare(t.World.Consent, "the token is renewed without the user")
				if !afterEnd(t.Attempt) {
					t.MustBeTempted()
					t.Failf("expected the client to go on with a new token when its own had ended (ID-JAG draft-04 4.4.3), but %s",
						t.Summary())
				}
			}, check.Slow())
	}
})

// afterEnd reports whether the MCP server answered a request that carries another access token than the first one did.
func afterEnd(a *program.Attempt) bool {
	first := ""
	for _, s := range a.Calls() {
		given := s.Header.Get("Authorization")
		switch {
		case s.Status/100 != 2 || given == "":
		case first == "":
			first = given
		case given != first:
			return true
		}
	}
	return false
}

// brief is how long a token lives that ends within the run, in whole seconds as JWTs count.
const brief = 2 * time.Second

// outlive lets the MCP server take longer for its first answer about tools than a brief token lives, and then calls
// also, whose answer is given in place of the server's unless it is nil.
func outlive(w *world.World, also func() *world.Reply) func(*world.Call, world.Message) *world.Reply {
	w.RequestTimeout += 2 * brief // what the client waits for is no hour
	var once sync.Once
	return func(c *world.Call, m world.Message) (reply *world.Reply) {
		if strings.HasPrefix(m.Method, "tools/") || w.ConnectsOnly {
			once.Do(func() {
				w.MCP.Rest(c, brief+brief/10)
				reply = also()
			})
		}
		return reply
	}
}

// bounded fails when a client went on and on.
func bounded(t *T) {
	if n := len(t.Exchanges()); n > Enough || t.Flooded || t.TimedOut {
		t.MustBeTempted()
		t.Failf("expected the client to give up after a few attempts, but it made %d token exchanges: %s", n, t.Summary())
	}
	if !t.Through() {
		t.Tells()
	}
}
