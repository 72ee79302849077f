package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// What else is configured is tried once before the checks: a mistake in it would make checks pass over nothing. It does
// not end the run, since much can be judged without it.
var configured = []struct {
	name string
	try  func(p *preflight) []mistake // nil: not configured, or all right
}{
	{"each client gets a token", (*preflight).clients},
	{"each user gets a token", (*preflight).users},
	{"each scope is granted as asked", (*preflight).scopes},
	{"the second IdP is trusted", (*preflight).secondIdP},
	{"the second MCP server takes its token", (*preflight).secondServer},
}

// mistake is something in the configuration that the target does not know.
type mistake struct{ saw, fix string }

// tryConfigured adds a step for each part of the configuration that does not work.
func (p *preflight) tryConfigured() {
	for _, part := range configured {
		before := p.t.Recorder().Len()
		wrong := part.try(p)
		if len(wrong) == 0 {
			continue
		}
		var saw, fix []string
		for _, w := range wrong {
			saw = append(saw, w.saw)
			if !slices.Contains(fix, w.fix) {
				fix = append(fix, w.fix)
			}
		}
		s := reports.Step{Name: part.name, Saw: strings.Join(saw, " "), Fix: strings.Join(fix, " ")}
		s.Saw, s.Fix = p.t.Recorder().Scrub(s.Saw), p.t.Recorder().Scrub(s.Fix)
		s.Exchanges = p.t.Recorder().Exchanges()[before:]
		p.steps = append(p.steps, s)
		p.progress.Step(s)
	}
}

func (p *preflight) clients() (wrong []mistake) {
	for n := 1; n < len(p.t.Config.Clients); n++ {
		c := p.t.Client(n)
		a := p.t.Present(p.t.Grant(server.Set("client_id", c.ID)), reports.Setup, "for client "+c.ID, server.As(c))
		if !server.Granted(a) {
			wrong = append(wrong, mistake{fmt.Sprintf("Client %q (%s) gets %s%s.", c.ID, c.Auth, a.Summary(), words(a)),
				fmt.Sprintf("Register the client for %s, for this grant type and these scopes, or correct clients[%d].",
					c.Auth, n)})
		}
	}
	return wrong
}

func (p *preflight) users() (wrong []mistake) {
	for n := 1; n < len(p.t.Config.Users); n++ {
		u := p.t.Config.Users[n]
		if a := p.t.Present(p.t.GrantFrom(p.t.IdP, u), reports.Setup, "for another user"); !server.Granted(a) {
			wrong = append(wrong, mistake{fmt.Sprintf("users[%d] (sub %q) gets %s%s, users[0] is granted.", n, u.Sub,
				a.Summary(), words(a)),
				fmt.Sprintf("Is users[%d] an account of the target, with exactly this sub (and e-mail address, where "+
					"it links by it)?", n)})
		}
	}
	return wrong
}

// scopes reads the scope of the token response (RFC 6749 5.1: it may be left out when all was granted).
func (p *preflight) scopes() (wrong []mistake) {
	granted := p.redemption.String("scope")
	if granted == "" {
		return nil
	}
	for _, scope := range p.t.Config.Scopes {
		if !slices.Contains(strings.Fields(granted), scope) {
			wrong = append(wrong, mistake{fmt.Sprintf("Scope %q was asked for, but the token has only %q.", scope,
				wire.Printable(granted, 200)),
				"Correct scopes: each has to be known for the resource and allowed to the clients, or scope checks " +
					"prove nothing. If the authorization server grants only what the scope parameter asks for, set " +
					"redeem.scope: true."})
		}
	}
	return wrong
}

func (p *preflight) secondIdP() []mistake {
	second := p.t.Config.SecondIdP
	if second == nil || len(second.Users) == 0 || p.t.SecondIdP == nil {
		return nil
	}
	a := p.t.Present(p.t.GrantFrom(p.t.SecondIdP, second.Users[0]), reports.Setup, "by the second IdP")
	if server.Granted(a) {
		return nil
	}
	return []mistake{{fmt.Sprintf("An honest ID-JAG of the second IdP, %s, gets %s%s.", p.t.SecondIdP.URL,
		a.Summary(), words(a)),
		"Add second_idp.issuer to the target's trusted issuers, exactly as it stands here, and second_idp.users[0] " +
			"to its accounts."}}
}

func (p *preflight) secondServer() []mistake {
	url := p.t.Config.SecondServer
	if url == "" {
		return nil
	}
	resource := url
	for _, u := range target.ResourceMetadataURLs(url) {
		if document, _, err := p.t.Get(u); err == nil {
			if named, ok := document["resource"].(string); ok {
				resource = named
			}
			break
		}
	}
	if !target.Covers(resource, url) {
		s := otherResource(resource, url)
		return []mistake{{s.saw, s.fix}}
	}
	a := p.t.Present(p.t.Grant(server.Set("resource", resource)), reports.Setup, "for the second MCP server")
	if !server.Granted(a) {
		return []mistake{{fmt.Sprintf("An honest ID-JAG for the second MCP server, %s, gets %s%s.",
			wire.Printable(resource, 200), a.Summary(), words(a)),
			"Register that resource with the authorization server and allow it to clients[0], or correct second_server."}}
	}
	return nil
}

// words are the target's own explanation.
func words(a *wire.Answer) string {
	if d := a.String("error_description"); d != "" {
		return " (" + wire.Printable(wire.ScrubJWTs(d), 200) + ")"
	}
	return ""
}
