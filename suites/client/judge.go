package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/world"
)

// judgement is a run under judgement.
type judgement struct {
	*attempt
	check    *check.Check
	shape    *shape
	all      map[string]*attempt // every run so far by the id of its check, for a final judgement
	warnings []string
	notes    []string
}

// ended is how a judgement ends before its end.
type ended struct {
	outcome reports.Outcome
	message string
}

// Failf ends the judgement: the requirement is broken.
func (j *judgement) Failf(format string, args ...any) {
	if message := fmt.Sprintf(format, args...); j.check.Level == "SHOULD" {
		panic(ended{reports.Warn, j.check.Warning(message)})
	} else {
		panic(ended{reports.Fail, message})
	}
}

// Skipf ends the judgement: the client does not do what would be judged.
func (j *judgement) Skipf(format string, args ...any) {
	panic(ended{reports.Skip, fmt.Sprintf(format, args...)})
}

// Inconclusivef ends the judgement: nothing was proved.
func (j *judgement) Inconclusivef(format string, args ...any) {
	panic(ended{reports.Inconclusive, fmt.Sprintf(format, args...)})
}

// Warnf adds a warning; the judgement goes on.
func (j *judgement) Warnf(format string, args ...any) {
	j.warnings = append(j.warnings, fmt.Sprintf(format, args...))
}

// Notef adds a fact worth reporting.
func (j *judgement) Notef(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// decide runs a judgement to its end.
func (j *judgement) decide(judge func(*judgement)) (o reports.Outcome, message string) {
	defer func() {
		switch end := recover().(type) {
		case nil:
		case ended:
			o, message = end.outcome, end.message
		default:
			o, message = reports.Inconclusive, fmt.Sprintf("our own error, please report it: %v", end)
		}
	}()
	judge(j)
	if len(j.warnings) > 0 {
		return reports.Warn, j.warnings[0]
	}
	return reports.Pass, ""
}

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
func (a *attempt) Calls() []world.Seen { return a.to(a.World.MCP.Party, world.EndpointPath) }

// Through reports whether the client got something out of the MCP server, or of every one where there are two.
func (a *attempt) Through() bool {
	served := func(s *world.Server) bool { return slices.ContainsFunc(a.Requests, s.Served) }
	return served(a.World.MCP) && (a.World.OtherMCP == nil || served(a.World.OtherMCP))
}

// Succeeded reports whether the run was a success from the client's own point of view as well.
func (a *attempt) Succeeded() bool { return a.Failed == nil && a.Through() && a.Exit == 0 }

// Summary tells in a few words how the run went.
func (a *attempt) Summary() string {
	switch {
	case a.Failed != nil:
		return a.Failed.Error()
	case a.Flooded:
		return fmt.Sprintf("it sent %d requests without end and was stopped", len(a.Requests))
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
	return fmt.Sprintf("it %s (%s, %d exchanges at the IdP, %d token requests at the RAS)",
		got, end, len(a.Exchanges()), len(a.Redemptions()))
}

// MustSucceed fails unless the client got through to the MCP server.
func (j *judgement) MustSucceed(why string) {
	if !j.Through() {
		j.Failf("expected the client to get through: %s. But %s", why, j.Summary())
	}
}

// MustNotRedeem fails when the client presented anything to a RAS.
func (j *judgement) MustNotRedeem(why string) {
	if n := len(j.Redemptions()); n > 0 {
		j.Failf("expected the client to stop before the RAS: %s. But it sent %d token requests there", why, n)
	}
	j.mustNotGetThrough(why)
}

// MustNotExchange fails when the client asked the IdP for an ID-JAG.
func (j *judgement) MustNotExchange(why string) {
	if n := len(j.Exchanges()); n > 0 {
		j.Failf("expected the client to stop before the token exchange: %s. But it sent %d of them", why, n)
	}
	j.MustNotRedeem(why)
}

func (j *judgement) mustNotGetThrough(why string) {
	if j.Through() {
		j.Failf("expected the client to stop: %s. But it called the MCP server", why)
	}
	j.tells()
}

// tells warns when a client that got nothing done ends as if all were well, or does not end.
func (j *judgement) tells() {
	switch {
	case j.TimedOut || j.Flooded:
		j.Warnf("the client did not give up: %s", j.Summary())
	case j.Exit == 0:
		j.Warnf("the client ended with exit code 0 although it could not connect: its user learns nothing")
	case len(strings.TrimSpace(string(j.Stdout)+string(j.Stderr))) == 0:
		j.Warnf("the client said nothing about why it could not connect")
	}
}

// MustSpare fails when a party was contacted at all.
func (j *judgement) MustSpare(p *world.Party, why string) {
	if seen := j.At(p); len(seen) > 0 {
		what := seen[0].Method + " " + seen[0].Path
		j.Failf("expected no request to the %s: %s. But there was %s", p.Name, why, what)
	}
}

// MustKeep fails when a secret of these kinds was where it must not be; what ends the message, and may be empty.
func (j *judgement) MustKeep(what string, kinds ...string) {
	for _, l := range j.Leaks {
		if slices.Contains(kinds, l.Kind) {
			j.Failf("%s%s", l, what)
		}
	}
}

// MustNotLeak fails when a secret was where it must not be.
func (j *judgement) MustNotLeak() {
	if len(j.Leaks) > 0 {
		var list []string
		for _, l := range j.Leaks {
			list = append(list, l.String())
		}
		j.Failf("%s", strings.Join(list, "; "))
	}
}
