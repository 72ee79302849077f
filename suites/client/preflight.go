package client

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/wire"
)

// preflight runs the client in the honest world and tells how far it came, step by step, up to the first that is
// missing for good. It stops nothing: what a client does wrong on the way is for the checks to say.
func preflight(ctx context.Context, base assignment, progress engine.Progress,
	secrets *redact.Set) ([]reports.Step, error) {
	s := newStage(ctx, base, secrets)
	defer s.Close()
	a := s.control(ctx, scenario.Given, 0)
	if ctx.Err() != nil {
		return []reports.Step{}, nil // the report says that the run was interrupted
	}
	if a.Failed != nil {
		return nil, a.Failed
	}
	rec := wire.NewRecorder(secrets)
	a.World.Record(rec, reports.Control)
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
			steps[i].Saw = strings.Join(append(scenario.Said(a, rec), a.Summary()), "\n") // its own words first
		}
		progress.Step(steps[i])
	}
	steps[last].Exchanges = rec.Exchanges()
	return steps, nil
}

// journey is the way of a client through the honest world, each step with what to do when it is not there. Clients may
// find things in another order: a step is behind a client that was seen to take a later one.
func journey(a *program.Attempt) []reports.Step {
	steps := []reports.Step{
		{Name: "reach a party of the scenario", OK: len(a.Requests) > 0,
			Fix: "Take the URL of the MCP server from the last argument and connect to it."},
		{Name: "find the protected resource metadata", OK: len(a.To(a.World.MCP.Party, world.MetadataPath)) > 0,
			Fix: "Follow resource_metadata in the WWW-Authenticate header of the 401."},
		{Name: "find the authorization server's metadata", OK: len(a.At(a.World.RAS.Party)) > 0,
			Fix: "Fetch the metadata of the issuer in authorization_servers (RFC 8414)."},
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
	for i := len(steps) - 2; i >= 0; i-- {
		steps[i].OK = steps[i].OK || i < len(steps)-2 && steps[i+1].OK
	}
	if refused := len(a.Exchanges())+len(a.Redemptions()) > 0 && !a.Through(); refused && len(a.At(a.World.Consent)) > 0 {
		for i := range steps {
			steps[i].Fix = "The managed way failed and the client fell back to the consent page, which hides the " +
				"failure from its user: let it say what was refused, and stop (EMA 7.2). " + steps[i].Fix
		}
	}
	if wantsTLS.Match(slices.Concat(a.Stderr, a.Stdout)) && !a.World.TLS {
		for i := range steps {
			steps[i].Fix = "The client speaks of https, and this world has none: run it with --https."
		}
	}
	if lost := a.LostLogin(); lost != "" {
		for i := range steps {
			steps[i].Fix = strings.ToUpper(lost[:1]) + lost[1:] + "."
		}
	}
	return steps
}

// wantsTLS are the words of a client that refuses to speak in the clear.
var wantsTLS = regexp.MustCompile(`(?i)(non-?https|must (be|use) https|requires? (https|tls)|not (https|secure)|` +
	`insecure (url|endpoint|transport))`)
