package tokens

import (
	"encoding/json"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// longest is how long an access token may live without a warning: EMA's own example has it.
const longest = 24 * time.Hour

// lifetimeOf is how long the access token of an answer lives: as the response says, else as the token says.
func lifetimeOf(t *server.T, a *wire.Answer) (d time.Duration, known bool) {
	if object, err := a.Object(); err == nil {
		if seconds, ok := number64(object["expires_in"]); ok {
			return time.Duration(seconds) * time.Second, true
		}
	}
	if exp, ok := number64(server.TokenClaims(t, a)["exp"]); ok {
		return time.Until(time.Unix(exp, 0)), true
	}
	return 0, false
}

func number64(value any) (int64, bool) {
	switch n := value.(type) {
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	case float64:
		return int64(n), true
	}
	return 0, false
}

var _ = check.For("RAS-LIFECYCLE", func() {
	server.It("bounded", "issues access tokens that live 24 hours at most", func(t *server.T) {
		d, known := lifetimeOf(t, t.Control(t.Grant()))
		if !known {
			t.Failf("neither expires_in nor the token says how long it lives: a user who has left may keep it for ever")
		}
		if d > longest {
			t.Failf("the access token lives %s: expected 24 hours at most, since a user who has left keeps it that long",
				d.Round(time.Second))
		}
	}, check.Sends("An honest ID-JAG; expires_in of the answer, or exp of the token, is looked at"))

	server.It("refresh", "gives out no refresh token that works without the IdP", func(t *server.T) {
		a := t.Control(t.Grant())
		refresh := a.String("refresh_token")
		if refresh == "" {
			return
		}
		r := &wire.Request{URL: t.Target.TokenEndpoint}
		r.AddField("grant_type", "refresh_token")
		r.AddField("refresh_token", refresh)
		t.Authenticate(r, t.Client(0))
		if got := t.Send(r, reports.Attack, "must not go on without the IdP"); server.Granted(got) {
			t.Failf("a refresh token came back and works: when the IdP refuses the user, the client goes on all the same")
		}
		t.Notef("a refresh token came with the access token, but it does not work")
	}, check.Sends("An honest ID-JAG; a refresh token that comes back is used"))
})
