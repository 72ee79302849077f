package client

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

// moment is what must have been seen before a scenario can be judged: until then the client did not come to the point
// where it could go wrong, and that it did nothing wrong says nothing.
type moment struct {
	words string // continues "once the client …"
	seen  func(a *attempt) bool
}

// The moments, in the order of a connection.
var (
	called = &moment{"has called the MCP server", func(a *attempt) bool { return len(a.Calls()) > 0 }}

	challenged = &moment{"has been challenged by the MCP server", func(a *attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool { return s.Status == http.StatusUnauthorized })
	}}
	readResource = &moment{"has read metadata of the MCP server", func(a *attempt) bool {
		return slices.ContainsFunc(a.Requests, func(s world.Seen) bool {
			return s.Status == http.StatusOK && strings.Contains(s.Path, "oauth-protected-resource")
		})
	}}
	readServer = &moment{"has read the metadata of the RAS", func(a *attempt) bool {
		return slices.ContainsFunc(a.At(a.World.RAS.Party), func(s world.Seen) bool {
			return s.Status == http.StatusOK && strings.Contains(s.Path, ".well-known/")
		})
	}}
	registered = &moment{"has registered itself at the RAS", asked(func(w *world.World) (*world.Party, string) {
		return w.RAS.Party, "/register"
	})}
	loggedIn = &moment{"has got the answer to a login", func(a *attempt) bool {
		return len(a.to(a.World.IdP.Party, "/authorize")) > a.Undelivered
	}}
	gotIDToken = &moment{"has redeemed the code of a login", func(a *attempt) bool {
		return a.tokens("authorization_code") > 0
	}}
	refreshed = &moment{"has used its refresh token", func(a *attempt) bool { return a.tokens("refresh_token") > 0 }}
	askedIdP  = &moment{"has asked the IdP for a token", asked(func(w *world.World) (*world.Party, string) {
		return w.IdP.Party, "/token"
	})}
	exchanged = &moment{"has asked the IdP for an ID-JAG", func(a *attempt) bool { return len(a.Exchanges()) > 0 }}
	redeemed  = &moment{"has asked the RAS for an access token", func(a *attempt) bool { return len(a.Redemptions()) > 0 }}

	used = &moment{"has called the MCP server with an access token", func(a *attempt) bool {
		return slices.ContainsFunc(a.Calls(), a.authorized)
	}}
	refused = &moment{"has had an access token refused", func(a *attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
			return s.Status == http.StatusUnauthorized && a.authorized(s)
		})
	}}
	wantedMore = &moment{"has had a call refused for want of scope", (*attempt).refusedCall}
	through    = &moment{"has got through to the MCP server", (*attempt).Through}
)

// asked is that a request came to this place.
func asked(at func(*world.World) (*world.Party, string)) func(*attempt) bool {
	return func(a *attempt) bool {
		party, path := at(a.World)
		return len(a.to(party, path)) > 0
	}
}

// shook is that the client has seen the certificate of a party.
func shook(name string, of func(*world.World) *world.Party) *moment {
	return &moment{"has seen the certificate of " + name, func(a *attempt) bool { return of(a.World).Handshakes() > 0 }}
}

// authorized reports whether a request carries an access token that was issued, in its header.
func (a *attempt) authorized(s world.Seen) bool {
	scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "bearer") && a.issued(world.AccessToken, token)
}

// tokens counts the token requests at the IdP of this grant type that were answered with tokens.
func (a *attempt) tokens(grantType string) int {
	n := 0
	for _, s := range a.to(a.World.IdP.Party, "/token") {
		if s.Form.Get("grant_type") == grantType && s.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// from says from what moment on a scenario can be judged.
func (in *scene) from(m *moment) *scene {
	in.moment = m
	return in
}

// mustBeTempted ends a check, as inconclusive, of a client that did not come to the point where it could go wrong.
func (t *T) mustBeTempted() {
	if m := t.scene.moment; !m.seen(t.attempt) {
		t.Inconclusivef("not tempted: this can be judged once the client %s. But %s", m.words, t.Summary())
	}
}
