package scenario

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
)

// Moment is what must have been seen before a scenario can be judged: until then the client did not come to the point
// where it could go wrong, and that it did nothing wrong says nothing.
type Moment struct {
	Words string // continues "once the client …"
	Seen  func(a *program.Attempt) bool
}

// The moments, in the order of a connection.
var (
	Called = &Moment{"has called the MCP server", func(a *program.Attempt) bool { return len(a.Calls()) > 0 }}

	Challenged = &Moment{"has been challenged by the MCP server", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool { return s.Status == http.StatusUnauthorized })
	}}
	ReadResource = &Moment{"has read metadata of the MCP server", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Requests, func(s world.Seen) bool {
			return s.Status == http.StatusOK && strings.Contains(s.Path, "oauth-protected-resource")
		})
	}}
	ReadServer = &Moment{"has read the metadata of the RAS", describedBy(func(w *world.World) *world.Party {
		return w.RAS.Party
	})}
	ReadIdP = &Moment{"has read the metadata of the IdP", describedBy(func(w *world.World) *world.Party {
		return w.IdP.Party
	})}
	Registered = &Moment{"has registered itself at the RAS", Asked(func(w *world.World) (*world.Party, string) {
		return w.RAS.Party, "/register"
	})}
	LoggedIn = &Moment{"has got the answer to a login", func(a *program.Attempt) bool {
		return len(a.To(a.World.IdP.Party, "/authorize")) > a.Undelivered
	}}
	GotIDToken = &Moment{"has redeemed the code of a login", func(a *program.Attempt) bool {
		return a.Tokens("authorization_code") > 0
	}}
	Refreshed = &Moment{"has used its refresh token", func(a *program.Attempt) bool {
		return a.Tokens("refresh_token") > 0
	}}
	AskedIdP = &Moment{"has asked the IdP for a token", Asked(func(w *world.World) (*world.Party, string) {
		return w.IdP.Party, "/token"
	})}
	Exchanged = &Moment{"has asked the IdP for an ID-JAG", func(a *program.Attempt) bool { return len(a.Exchanges()) > 0 }}
	Redeemed  = &Moment{"has asked the RAS for an access token", func(a *program.Attempt) bool {
		return len(a.Redemptions()) > 0
	}}

	Used = &Moment{"has called the MCP server with an access token", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), a.Authorized)
	}}
	Refused = &Moment{"has had an access token refused", func(a *program.Attempt) bool {
		return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
			return s.Status == http.StatusUnauthorized && a.Authorized(s)
		})
	}}
	Ended = &Moment{"has come to the end of its access token", func(a *program.Attempt) bool { // or has another one
		granted := 0
		for _, s := range a.Redemptions() {
			if s.Status == http.StatusOK {
				granted++
			}
		}
		return granted > 1 || Refused.Seen(a)
	}}
	WantedMore = &Moment{"has had a call refused for want of scope", (*program.Attempt).RefusedCall}
	Through    = &Moment{"has got through to the MCP server", (*program.Attempt).Through}
)

// Asked is that a request came to this place.
func Asked(at func(*world.World) (*world.Party, string)) func(*program.Attempt) bool {
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

// Shook is that the client has seen the certificate of a party.
func Shook(name string, of func(*world.World) *world.Party) *Moment {
	return &Moment{"has seen the certificate of " + name, func(a *program.Attempt) bool {
		return of(a.World).Handshakes() > 0
	}}
}

// From says from what moment on a scenario can be judged.
func (in *Scene) From(m *Moment) *Scene {
	in.Moment = m
	return in
}
