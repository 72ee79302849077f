package client

import (
	"slices"

	"github.com/emaconform/emaconform/suites/client/world"
)

// to returns the requests to a path of a party.
func (a *attempt) to(p *world.Party, path string) []world.Seen {
	var list []world.Seen
	for _, s := range a.Requests {
		if s.Party == p && s.Path == path {
			list = append(list, s)
		}
	}
	return list
}

// Exchanges are the requests for an ID-JAG at the IdP.
func (a *attempt) Exchanges() []world.Seen {
	return slices.DeleteFunc(a.to(a.World.IdP.Party, "/token"), func(s world.Seen) bool {
		return s.Form.Get("grant_type") != world.GrantExchange || s.Form.Get("requested_token_type") == world.TypeRefreshToken
	})
}

// Redemptions are the token requests at the Resource Authorization Servers.
func (a *attempt) Redemptions() []world.Seen {
	list := a.to(a.World.RAS.Party, "/token")
	if a.World.OtherRAS != nil {
		list = append(list, a.to(a.World.OtherRAS.Party, "/token")...)
	}
	return list
}

// At are all requests to a party.
func (a *attempt) At(p *world.Party) []world.Seen {
	return slices.DeleteFunc(slices.Clone(a.Requests), func(s world.Seen) bool { return s.Party != p })
}

// Calls are the requests to the MCP endpoint.
func (a *attempt) Calls() []world.Seen { return a.to(a.World.MCP.Party, a.World.MCP.Path) }

// speaks reports whether the client used this revision of MCP.
func (a *attempt) speaks(revision string) bool {
	return slices.ContainsFunc(a.Calls(), func(s world.Seen) bool {
		return s.Header.Get("Mcp-Protocol-Version") == revision
	})
}

// Through reports whether the client got something out of the MCP server, or of every one where there are two.
func (a *attempt) Through() bool {
	served := func(s *world.Server) bool { return slices.ContainsFunc(a.Requests, s.Served) }
	return served(a.World.MCP) && (a.World.OtherMCP == nil || served(a.World.OtherMCP))
}

// Succeeded reports whether the run was a success from the client's own point of view as well.
func (a *attempt) Succeeded() bool { return a.Failed == nil && a.Through() && a.Exit == 0 }

// issued reports whether a party gave this out as a secret of this kind.
func (a *attempt) issued(kind, value string) bool {
	return slices.ContainsFunc(a.World.Secrets(), func(s world.Secret) bool { return s.Kind == kind && s.Value == value })
}
