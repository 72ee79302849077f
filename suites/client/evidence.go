package client

import (
	"fmt"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/world"
)

// evidence is what an attempt showed, redacted: its exchanges, and what the client said.
func evidence(a *attempt, part reports.Part) ([]reports.Exchange, []string) {
	if a.World == nil {
		return nil, nil
	}
	rec, exchanges := a.World.Exchanges(part)
	notes := []string{fmt.Sprintf("the client ended after %.1f s with exit code %d", a.Took.Seconds(), a.Exit)}
	if a.TimedOut || a.Flooded {
		notes[0] = a.Summary()
	}
	for _, o := range []struct {
		name string
		text []byte
	}{{"standard output", a.Stdout}, {"standard error", a.Stderr}} {
		if text := strings.TrimSpace(tail(rec.Scrub(strings.ToValidUTF8(string(o.text), "�")))); text != "" {
			notes = append(notes, o.name+": "+text)
		}
	}
	return exchanges, notes
}

// tail is the end of a text, at most 2,000 characters.
func tail(s string) string {
	const kept = 2000
	if r := []rune(s); len(r) > kept {
		return "…" + string(r[len(r)-kept:])
	}
	return s
}

// preflight runs the client in the honest world and tells how far it came, step by step. It stops nothing: what a
// client does wrong on the way is for the checks to say.
func (r *runner) preflight() ([]reports.Step, error) {
	a := r.control(given)
	if a.Failed != nil && r.ctx.Err() == nil {
		return nil, a.Failed
	}
	steps := []reports.Step{
		{
			Name: "ask the MCP server",
			OK:   len(a.Calls()) > 0,
			Fix:  "Take the URL of the MCP server from the last argument and connect to it.",
		},
		{Name: "find the protected resource metadata", OK: len(a.to(a.World.MCP.Party, world.MetadataPath)) > 0,
			Fix: "Follow resource_metadata in the WWW-Authenticate header of the 401."},
		{Name: "ask the IdP for an ID-JAG", OK: len(a.Exchanges()) > 0,
			Fix: "Exchange idp_id_token at idp_token_endpoint: both stand in MCP_CONFORMANCE_CONTEXT."},
		{
			Name: "redeem it at the Resource Authorization Server",
			OK:   len(a.Redemptions()) > 0,
			Fix:  "POST it to the token_endpoint of the metadata.",
		},
		{
			Name: "call the MCP server with the access token",
			OK:   a.Through(),
			Fix:  "Send the token in the Authorization header, and call a tool.",
		},
		{
			Name: "end with exit code 0",
			OK:   a.Exit == 0,
			Fix:  "See what the client said; a client that succeeded ends with 0.",
		},
	}
	for i := range steps {
		if steps[i].OK {
			steps[i].Fix = ""
		} else if i == len(steps)-1 {
			steps[i].Saw = a.Summary()
		}
		if r.Progress != nil {
			r.Progress.Step(steps[i])
		}
	}
	steps[0].Exchanges, _ = evidence(a, reports.Control)
	return steps, nil
}
