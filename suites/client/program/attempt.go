package program

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

// To returns the requests to a path of a party.
func (a *Attempt) To(p *world.Party, path string) []world.Seen {
	var list []world.Seen
	for _, s := range a.Requests {
		if s.Party == p && s.Path == path {
			list = append(list, s)
		}
	}
	return list
}

// Exchanges are the requests for an ID-JAG at the IdP.
func (a *Attempt) Exchanges() []world.Seen {
	return slices.DeleteFunc(a.To(a.World.IdP.Party, "/token"), func(s world.Seen) bool {
		return s.Form.Get("grant_type") != world.GrantExchange || s.Form.Get("requested_token_type") == world.TypeRefreshToken
	})
}

// Redemptions are the token requests at the Resource Authorization Servers.
func (a *Attempt) Redemptions() []world.Seen {
	list := a.To(a.World.RAS.Party, "/token")
	if a.World.OtherRAS != nil {
		list = append(list, a.To(a.World.OtherRAS.Party, "/token")...)
	}
	return list
}

// At are all requests to a party.
func (a *Attempt) At(p *world.Party) []world.Seen {
	return slices.DeleteFunc(slices.Clone(a.Requests), func(s world.Seen) bool { return s.Party != p })
}

// Calls are the requests to the MCP endpoint.
func (a *Attempt) Calls() []world.Seen { return a.To(a.World.MCP.Party, a.World.MCP.Path) }

// Speaks reports whether the client used this revision of MCP.
func (a *Attempt) Speaks(revision string) bool {
	return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
		return s.Header.Get("Mcp-Protocol-Version") == revision
	})
}

// Through reports whether the client got something out of the MCP server, or of every one where there are two.
func (a *Attempt) Through() bool {
	served := func(s *world.Server) bool { return slices.ContainsFunc(a.Requests, s.Served) }
	return served(a.World.MCP) && (a.World.OtherMCP == nil || served(a.World.OtherMCP))
}

// Succeeded reports whether the run was a success from the client's own point of view as well.
func (a *Attempt) Succeeded() bool { return a.Failed == nil && a.Through() && a.Exit == 0 }

// Issued reports whether a party gave this out as a secret of this kind.
func (a *Attempt) Issued(kind, value string) bool {
	return slices.ContainsFunc(a.World.Secrets(), func(s world.Secret) bool { return s.Kind == kind && s.Value == value })
}

// Refreshes are the uses of a refresh token at the IdP.
func (a *Attempt) Refreshes() []world.Seen {
	return slices.DeleteFunc(a.To(a.World.IdP.Party, "/token"), func(s world.Seen) bool {
		return s.Form.Get("grant_type") != "refresh_token"
	})
}

// SAMLExchanges are the trades of a SAML assertion for a refresh token.
func (a *Attempt) SAMLExchanges() []world.Seen {
	var list []world.Seen
	for _, s := range a.To(a.World.IdP.Party, "/token") {
		if s.Form.Get("requested_token_type") == world.TypeRefreshToken &&
			s.Form.Get("subject_token_type") == world.TypeSAML2 {
			list = append(list, s)
		}
	}
	return list
}

// RefusedCall reports whether a tool call was answered with 403.
func (a *Attempt) RefusedCall() bool {
	return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool { return s.Status == http.StatusForbidden })
}

// Authorized reports whether a request carries an access token that was issued, in its header.
func (a *Attempt) Authorized(s world.Seen) bool {
	scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "bearer") && a.Issued(world.AccessToken, token)
}

// Tokens counts the token requests at the IdP of this grant type that were answered with tokens.
func (a *Attempt) Tokens(grantType string) int {
	n := 0
	for _, s := range a.To(a.World.IdP.Party, "/token") {
		if s.Form.Get("grant_type") == grantType && s.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// Summary tells in a few words how the run went.
func (a *Attempt) Summary() string {
	switch {
	case a.Failed != nil:
		return a.Failed.Error()
	case a.Flooded:
		return fmt.Sprintf("it sent %d requests without end and was stopped", len(a.Requests))
	case a.Hungry:
		return "it took up more memory than --memory allows and was stopped"
	case a.Crowded:
		return fmt.Sprintf("it started more than %d processes and was stopped", mostProcesses)
	case a.TimedOut:
		return fmt.Sprintf("it did not end within %d s and was stopped", int(a.Took.Seconds()))
	}
	got := "did not get through to the MCP server"
	if a.Through() {
		got = "called the MCP server"
	}
	end := fmt.Sprintf("exit code %d", a.Exit)
	if a.Killed != "" {
		end = "ended by " + a.Killed
	}
	text := fmt.Sprintf("it %s (%s, %d exchanges at the IdP, %d token requests at the RAS)",
		got, end, len(a.Exchanges()), len(a.Redemptions()))
	if lost := a.LostLogin(); lost != "" {
		text += "; " + lost
	}
	return text
}

// LostLogin says why a login did not come to its end; "" where it did, or where there was none to be.
func (a *Attempt) LostLogin() string {
	idp := a.World.IdP.Party
	described := slices.ContainsFunc(a.At(idp), func(s world.Seen) bool {
		return strings.Contains(s.Path, "/.well-known/")
	})
	switch {
	case a.Through():
	case a.Undelivered > 0:
		return "a login ended at " + a.Unanswered + ", where nobody listens: the client has to listen there until it has " +
			"come back, and --redirect-uri has to name where it does"
	case a.World.Identity == world.Login && described && len(a.To(idp, "/authorize")) == 0 && len(a.Opened) == 0:
		return "no login was seen after the IdP's metadata: a browser that is opened otherwise than by " +
			strings.Join(browserNames[:2], ", ") + " or the variable BROWSER cannot be stood in for"
	}
	return ""
}

// Points says how the client sent its user to the consent page, or "".
func (a *Attempt) Points(consent *world.Party) string {
	for _, shown := range []struct {
		how  string
		text []byte
	}{{"printed", a.Stdout}, {"printed", a.Stderr}, {"opened a browser at", a.Opened}} {
		if bytes.Contains(shown.text, []byte(consent.URL+"/authorize")) {
			return shown.how
		}
	}
	return ""
}

// TookBefore reports whether an ID-JAG for a server was asked for before that server was called.
func (a *Attempt) TookBefore(server *world.Server) bool {
	for _, s := range a.Requests {
		if s.Party == server.Party {
			return false
		}
		if s.Party == a.World.IdP.Party && s.Form.Get("resource") == server.Resource {
			return true
		}
	}
	return false
}
