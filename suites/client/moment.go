package client

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
)

// moment is what must have been seen before a scenario can be judged: until then the client did not come to the point
// where it could go wrong, and that it did nothing wrong says nothing.
type moment struct {
	words string // continues "once the client …"
	seen  func(a *program.Attempt) bool
}

// The moments, in the order of a connection.
var (
	called = &moment{"has called the MCP server", func(a *program.Attempt) bool { return len(a.Calls()) > 0 }}

	challenged = &moment{"has been challenged by the MCP server", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool { return s.Status == http.StatusUnauthorized })
	}}
	readResource = &moment{"has read metadata of the MCP server", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Requests, func(s world.Seen) bool {
			return s.Status == http.StatusOK && strings.Contains(s.Path, "oauth-protected-resource")
		})
	}}
	readServer = &moment{"has read the metadata of the RAS", describedBy(func(w *world.World) *world.Party {
		return w.RAS.Party
	})}
	readIdP = &moment{"has read the metadata of the IdP", describedBy(func(w *world.World) *world.Party {
		return w.IdP.Party
	})}
	registered = &moment{"has registered itself at the RAS", asked(func(w *world.World) (*world.Party, string) {
		return w.RAS.Party, "/register"
	})}
	loggedIn = &moment{"has got the answer to a login", func(a *program.Attempt) bool {
		return len(a.To(a.World.IdP.Party, "/authorize")) > a.Undelivered
	}}
	gotIDToken = &moment{"has redeemed the code of a login", func(a *program.Attempt) bool {
		return a.Tokens("authorization_code") > 0
	}}
	refreshed = &moment{"has used its refresh token", func(a *program.Attempt) bool {
		return a.Tokens("refresh_token") > 0
	}}
	askedIdP = &moment{"has asked the IdP for a token", asked(func(w *world.World) (*world.Party, string) {
		return w.IdP.Party, "/token"
	})}
	exchanged = &moment{"has asked the IdP for an ID-JAG", func(a *program.Attempt) bool { return len(a.Exchanges()) > 0 }}
	redeemed  = &moment{"has asked the RAS for an access token", func(a *program.Attempt) bool {
		return len(a.Redemptions()) > 0
	}}

	used = &moment{"has called the MCP server with an access token", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), a.Authorized)
	}}
	refused = &moment{"has had an access token refused", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
			return s.Status == http.StatusUnauthorized && a.Authorized(s)
		})
	}}
	ended = &moment{"has come to the end of its access token", func(a *program.Attempt) bool { // or has another one
		granted := 0
		for _, s := range a.Redemptions() {
			if s.Status == http.StatusOK {
				granted++
			}
		}
		return granted > 1 || refused.seen(a)
	}}
	wantedMore = &moment{"has had a call refused for want of scope", (*program.Attempt).RefusedCall}
	through    = &moment{"has got through to the MCP server", (*program.Attempt).Through}
)

// asked is that a request came to this place.
func asked(at func(*world.World) (*world.Party, string)) func(*program.Attempt) bool {
	return func(a *program.Attempt) bool {
		party, path := at(a.World)
		return len(a.To(party, path)) > 0
	}
}

// describedBy is that a party's metadata was read.
func describedBy(of func(*world.World) *world.Party) func(*program.Attempt) bool {
	return func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.At(of(a.World)), func(s world.Seen) bool {
			return s.Status == http.StatusOK && strings.Contains(s.Path, ".well-known/")
		})
	}
}

// shook is that the client has seen the certificate of a party.
func shook(name string, of func(*world.World) *world.Party) *moment {
	return &moment{"has seen the certificate of " + name, func(a *program.Attempt) bool {
		return of(a.World).Handshakes() > 0
	}}
}

// from says from what moment on a scenario can be judged.
func (in *scene) from(m *moment) *scene {
	in.moment = m
	return in
}

// mustBeTempted ends a check, as inconclusive, of a client that did not come to the point where it could go wrong. One
// that came there in the honest run may have been kept from it by what lies between, and is run again.
func (t *T) mustBeTempted() {
	const again = 2
	if m := t.scene.moment; !m.seen(t.Attempt) {
		if t.honest != nil && m.seen(t.honest) && t.T.Attempt <= again {
			t.Doubtf("the client did not come as far as in the honest run: there it %s", m.words)
		}
		t.Inconclusivef("not tempted: this can be judged once the client %s. But %s", m.words, t.Summary())
	}
}
