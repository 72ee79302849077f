package reports

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sample is a report as a run against a target with a few defects makes it: every outcome, controls and attacks with
// tokens, several exchanges to a check, a second role, requirements that cannot be tested.
func sample() *Report {
	r := &Report{
		Tool:    Tool{Name: "emaconform", Version: "0.1.0", Go: "go1.26.0"},
		Started: time.Date(2026, 3, 14, 9, 26, 53, 589e6, time.UTC), Seconds: 4.317, Profile: "ema",
		Target: Target{
			Name: "Acme connector", URL: "https://mcp.acme.example/mcp", Resource: "https://mcp.acme.example/mcp",
			AuthorizationServer: "https://auth.acme.example/tenant-7",
			TokenEndpoint:       "https://auth.acme.example/tenant-7/token",
			TrustedIssuers:      []string{"https://idp.example", "https://second-idp.example"},
		},
		Preflight: []Step{
			{Name: "reach the MCP server", OK: true, Saw: "401 with WWW-Authenticate: Bearer",
				Exchanges: []Exchange{call(Setup, 401)}},
			{Name: "find protected resource metadata", OK: true,
				Saw: "https://mcp.acme.example/.well-known/oauth-protected-resource/mcp"},
			{Name: "find the authorization server", OK: true, Saw: "https://auth.acme.example/tenant-7",
				Exchanges: []Exchange{metadata()}},
			{Name: "redeem an honest ID-JAG", OK: true, Saw: "200 with an access token"},
			{Name: "call the MCP server", OK: true, Saw: "200, protocol 2025-11-25"},
		},
		Load: Load{Workers: 4, Exchanges: 214, PeakMemory: 93 << 20},
	}
	for _, s := range sampleRequirements {
		r.Requirements = append(r.Requirements, s.requirement)
		for i, slug := range s.slugs {
			r.Checks = append(r.Checks, s.check(i, slug))
		}
	}
	Finish(r)
	return r
}

type sampleRequirement struct {
	requirement Requirement
	slugs       []string        // one check each
	ends        map[int]Outcome // outcomes that are no pass
	change      [2]string       // claim line of the control, and what the attack makes of it
	prepare     func(c *Check)  // further changes
}

func (s sampleRequirement) check(i int, slug string) Check {
	q := s.requirement
	c := Check{
		ID: q.ID + "/" + slug, Requirement: q.ID, Role: q.Role, Level: q.Level,
		Title:   "refuses an ID-JAG whose claims are wrong: " + strings.ReplaceAll(slug, "-", " "),
		Sends:   "An ID-JAG that differs from an honest one in this alone: " + slug + ".",
		Expects: "400 with the error invalid_grant.", Labels: []string{q.ID, strings.ToLower(q.Level), q.Role},
		Outcome: Pass, Seconds: 0.021 + float64(i)/100,
	}
	if o, ok := s.ends[i]; ok {
		c.Outcome = o
	}
	attack := redeem(Attack, 2*i+2, s.change[1])
	attack.Response = refused("invalid_grant", "the assertion is not for this server")
	c.Exchanges = []Exchange{redeem(Control, 2*i+1, s.change[0]), attack}
	switch c.Outcome {
	case Fail:
		c.Message = "Expected the ID-JAG to be refused with invalid_grant.\nSaw 200 with an access token.\n" +
			"Compare the claim exactly, before the grant is redeemed."
		c.Exchanges[1].Response = granted(2*i + 2)
	case Warn:
		c.Message = "Expected the error invalid_grant, saw invalid_request."
		c.Warnings = []string{c.Message}
		c.Exchanges[1].Response = refused("invalid_request", "bad assertion")
	case Inconclusive:
		c.Message = "The control, an honest ID-JAG, was refused: 400 invalid_client. Nothing is proved."
		c.Exchanges = c.Exchanges[:1]
		c.Exchanges[0].Response = refused("invalid_client", "")
	case Skip:
		c.Message, c.Exchanges = "a second registered client is needed (clients)", nil
	case Pass:
		c.Notes = []string{"The answer took 12 ms."}
	}
	if s.prepare != nil {
		s.prepare(&c)
	}
	return c
}

func requirement(role, id, level, title, says string, sources ...Source) Requirement {
	return Requirement{
		ID: id, Role: role, Level: level, Title: title, Says: says, Sources: sources,
		Why: "Whoever holds an assertion meant for another server could spend it here and act as the user that it names.",
		Fix: "Check this in the token endpoint, before anything is looked up by the claims, and answer invalid_grant.",
	}
}

func jag(section string) Source {
	return Source{Document: "ID-JAG draft-04", Section: section,
		URL: "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-identity-assertion-authz-grant-04#section-" + section}
}

func rfc(number, section string) Source {
	return Source{Document: "RFC " + number, Section: section, URL: "https://www.rfc-editor.org/rfc/rfc" + number +
		"#section-" + section}
}

// sampleRequirements are two dozen lines of a catalogue: "" for a requirement's change means exchanges of another kind.
var sampleRequirements = []sampleRequirement{
	{
		requirement: requirement("ras", "RAS-AUD-EXACT", "MUST", "Audience",
			"aud is the server's own issuer identifier: a string, or an array of exactly that one element.",
			jag("4.4.1"), ema("7.6.2")),
		slugs: []string{"missing", "null", "empty", "number", "array-empty", "array-of-two", "prefix", "subpath",
			"case-changed", "token-endpoint", "resource", "client-id"},
		ends: map[int]Outcome{5: Fail, 6: Fail, 8: Warn},
		change: [2]string{`"aud": "https://auth.acme.example/tenant-7"`,
			`"aud": "https://auth.acme.example/tenant-7.evil.example"`},
	},
	{
		requirement: requirement("ras", "RAS-SIG-VERIFY", "MUST", "Signature",
			"The signature is verified with a key of the issuing IdP.", rfc("7523", "3"), rfc("8725", "3.1")),
		slugs: []string{"bit-flipped", "payload-changed", "removed", "of-another-token", "foreign-key", "jwk-in-header",
			"jku", "x5u"},
		ends:   map[int]Outcome{6: Inconclusive},
		change: [2]string{`"sub": "00u1alice"`, `"sub": "00u1mallory"`},
	},
	{
		requirement: requirement("ras", "RAS-JTI-REPLAY", "MUST", "Replay", "An ID-JAG is redeemed once.", ema("7.4.3")),
		slugs:       []string{"twice", "at-once", "after-restart"},
		ends:        map[int]Outcome{1: Fail},
		change:      [2]string{`"scope": "files.read"`, `"scope": "files.read"`},
		prepare:     race,
	},
	{
		requirement: requirement("ras", "RAS-EXP", "MUST", "Expiry",
			"exp lies in the future, with a minute's leeway at most.", rfc("7523", "3")),
		slugs:  []string{"missing", "past", "string", "negative", "far-future", "float"},
		ends:   map[int]Outcome{4: Warn},
		change: [2]string{`"exp": 1773480713`, `"exp": 1773394013`},
	},
	{
		requirement: requirement("ras", "RAS-CLIENT-BINDING", "MUST", "Client binding",
			"client_id names the authenticated client.", jag("4.4.1")),
		slugs:  []string{"missing", "other-client", "array", "case-changed", "second-client"},
		ends:   map[int]Outcome{1: Skip, 4: Skip},
		change: [2]string{`"client_id": "connector"`, `"client_id": "another", "azp": "connector"`},
	},
	{
		requirement: requirement("ras", "RAS-CLIENT-CIMD", "MAY", "Client id documents",
			"A client id document is fetched safely.", jag("8.1")),
		slugs: []string{"loopback", "redirect", "large"},
		ends:  map[int]Outcome{0: Skip, 1: Skip, 2: Skip},
	},
	{
		requirement: requirement("ras", "RAS-META-PROFILE", "SHOULD", "Profile in metadata",
			"Metadata lists the ID-JAG grant profile.", jag("7.2")),
		slugs:   []string{"listed", "array"},
		ends:    map[int]Outcome{0: Warn},
		prepare: func(c *Check) { c.Exchanges = []Exchange{metadata()} },
	},
	{requirement: untestable(requirement("ras", "RAS-NO-LOG", "MUST", "Logs",
		"No assertion is written to a log.", ema("7.8")))},
	{
		requirement: requirement("rs", "RS-AUD", "MUST", "Access token audience",
			"An access token for another server is refused.", rfc("9068", "4")),
		slugs: []string{"other-resource", "no-audience", "prefix", "array", "issuer", "trailing-slash", "id-token", "id-jag",
			"opaque", "empty"},
		prepare: func(c *Check) { c.Exchanges = []Exchange{call(Control, 200), call(Attack, 401)} },
	},
	{
		requirement: requirement("rs", "RS-CHALLENGE", "MUST", "Challenge",
			"A 401 names the metadata in WWW-Authenticate.", rfc("9728", "5.1")),
		slugs:   []string{"no-token", "bad-token", "expired-token", "post", "get", "delete", "batch", "scope"},
		ends:    map[int]Outcome{7: Warn},
		prepare: func(c *Check) { c.Exchanges = []Exchange{call(Setup, 401)} },
	},
	{
		requirement: requirement("rs", "RS-TOKEN-QUERY", "MUST", "Token in the query",
			"A token in the query string is refused.", rfc("6750", "2.3")),
		slugs:   []string{"query", "form", "cookie"},
		prepare: func(c *Check) { c.Exchanges = []Exchange{call(Control, 200), lost()} },
	},
}

// race makes one check a race of many attacks.
func race(c *Check) {
	if c.ID != "RAS-JTI-REPLAY/at-once" {
		return
	}
	for i := range 8 {
		c.Exchanges = append(c.Exchanges, redeem(Attack, 100+i, `"scope": "files.read"`))
	}
}

func untestable(q Requirement) Requirement {
	q.Untestable = "logs cannot be seen from outside"
	return q
}

func ema(section string) Source { return Source{Document: "EMA", Section: section} }

func redeem(part Part, n int, claim string) Exchange {
	ref := fmt.Sprintf("id-jag %d", n)
	return Exchange{
		Part: part, Seconds: 0.012,
		Request: Request{
			Method: "POST", URL: "https://auth.acme.example/tenant-7/token",
			Header: http.Header{"Authorization": {"Basic ‹client id:client secret›"}, "Accept": {"application/json"}},
			Form: []Field{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
				{"assertion", "‹" + ref + "›"}, {"scope", "files.read files.write"}},
		},
		Response: granted(n),
		Tokens: []Token{{
			Ref:    ref,
			Header: "{\n  \"alg\": \"ES256\",\n  \"kid\": \"k-1\",\n  \"typ\": \"oauth-id-jag+jwt\"\n}",
			Claims: fmt.Sprintf("{\n  \"iss\": \"https://idp.example\",\n  \"jti\": \"jti-%d\",\n  %s,\n"+
				"  \"iat\": 1773480413,\n  \"resource\": [\n    \"https://mcp.acme.example/mcp\"\n  ],\n"+
				"  \"email\": \"alice@acme.example\"\n}", n, claim),
			Note: "signature cut, 86 characters",
		}},
	}
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
		"Date": {"Sat, 14 Mar 2026 09:26:53 GMT"}}
}

func granted(n int) *Response {
	return &Response{Status: 200, Header: jsonHeader(), Body: fmt.Sprintf(
		`{"access_token":"‹access token %d›","token_type":"Bearer","expires_in":300,"scope":"files.read"}`, n)}
}

func refused(code, description string) *Response {
	return &Response{Status: 400, Header: jsonHeader(),
		Body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description)}
}

func metadata() Exchange {
	return Exchange{
		Part: Setup, Note: "authorization server metadata", Seconds: 0.008,
		Request: Request{Method: "GET",
			URL: "https://auth.acme.example/.well-known/oauth-authorization-server/tenant-7"},
		Response: &Response{Status: 200, Header: jsonHeader(), Cut: true,
			Body: `{"issuer":"https://auth.acme.example/tenant-7","grant_types_supported":["urn:ietf:params:oauth`},
	}
}

func call(part Part, status int) Exchange {
	e := Exchange{
		Part: part, Seconds: 0.031,
		Request: Request{
			Method: "POST", URL: "https://mcp.acme.example/mcp",
			Header: http.Header{"Authorization": {"Bearer ‹access token 1›"}, "Content-Type": {"application/json"},
				"Accept": {"application/json, text/event-stream"}},
			Body: `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`,
		},
		Response: &Response{Status: status, Header: jsonHeader(), Body: `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`},
		Tokens:   []Token{{Ref: "access token 1", Note: "opaque, 43 characters"}},
	}
	if status == 401 {
		e.Response.Body = ""
		e.Response.Header.Set("WWW-Authenticate", `Bearer resource_metadata="https://mcp.acme.example/.well-known/x"`)
	}
	return e
}

func lost() Exchange {
	return Exchange{
		Part: Attack, Seconds: 10, Error: "no complete answer within 10s",
		Request: Request{Method: "GET", URL: "https://mcp.acme.example/mcp?access_token=‹access token 1›"},
		Tokens:  []Token{{Ref: "access token 1", Note: "opaque, 43 characters"}},
	}
}

// sampleWith is a sample of one role with these outcomes, for questions of judgement.
func sampleWith(outcomes ...Outcome) *Report {
	r := &Report{Requirements: []Requirement{{ID: "R", Role: "ras", Level: "MUST"}}}
	for i, o := range outcomes {
		r.Checks = append(r.Checks, Check{ID: fmt.Sprintf("R/%d", i), Requirement: "R", Role: "ras", Outcome: o})
	}
	Finish(r)
	return r
}
