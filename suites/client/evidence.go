package client

import (
	"fmt"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/wire"
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
	return exchanges, append(notes, said(a, rec)...)
}

// said is what the client printed, redacted: a line for each stream that is not empty.
func said(a *attempt, rec *wire.Recorder) []string {
	var list []string
	for _, o := range []struct {
		name string
		text []byte
	}{{"standard output", a.Stdout}, {"standard error", a.Stderr}, {"opened in a browser", a.Opened}} {
		if text := strings.TrimSpace(tail(rec.Scrub(strings.ToValidUTF8(string(o.text), "�")))); text != "" {
			list = append(list, o.name+": "+text)
		}
	}
	return list
}

// tail is the end of a text, at most 2,000 characters.
func tail(s string) string {
	const kept = 2000
	if r := []rune(s); len(r) > kept {
		return "…" + string(r[len(r)-kept:])
	}
	return s
}

// preflight runs the client in the honest world and tells how far it came, step by step, up to the first that is
// missing for good. It stops nothing: what a client does wrong on the way is for the checks to say.
func (r *runner) preflight() ([]reports.Step, error) {
	a := r.control(given)
	select {
	case <-r.ctx.Done():
		return []reports.Step{}, nil // the report says that the run was interrupted
	default:
	}
	if a.Failed != nil {
		return nil, a.Failed
	}
	rec, exchanges := a.World.Exchanges(reports.Control)
	steps := journey(a)
	last := len(steps) - 1
	for last > 0 && !steps[last-1].OK {
		last-- // what comes after the step that is missing needs no words
	}
	steps = steps[:last+1]
	for i := range steps {
		switch {
		case steps[i].OK:
			steps[i].Fix = ""
		case i == last:
			steps[i].Saw = strings.Join(append([]string{a.Summary()}, said(a, rec)...), "\n")
		}
		if r.Progress != nil {
			r.Progress.Step(steps[i])
		}
	}
	steps[last].Exchanges = exchanges
	return steps, nil
}

// journey is the way of a client through the honest world, each step with what to do when it is not there.
func journey(a *attempt) []reports.Step {
	return []reports.Step{
		{Name: "ask the MCP server", OK: len(a.Calls()) > 0,
			Fix: "Take the URL of the MCP server from the last argument and connect to it."},
		{Name: "find the protected resource metadata", OK: len(a.to(a.World.MCP.Party, world.MetadataPath)) > 0,
			Fix: "Follow resource_metadata in the WWW-Authenticate header of the 401."},
		{Name: "ask the IdP for an ID-JAG", OK: len(a.Exchanges()) > 0,
			Fix: "Exchange idp_id_token at idp_token_endpoint: both stand in MCP_CONFORMANCE_CONTEXT. A client that needs a " +
				"secret for it is judged with --confidential."},
		{Name: "redeem it at the Resource Authorization Server", OK: len(a.Redemptions()) > 0,
			Fix: "POST it to the token_endpoint of the metadata."},
		{Name: "call the MCP server with the access token", OK: a.Through(),
			Fix: "Send the token in the Authorization header, and list or call the tools."},
		{Name: "end with exit code 0", OK: a.Exit == 0,
			Fix: "A client that called the tool ends with exit code 0."},
	}
}
