package grammar

import "github.com/emaconform/emaconform/reports"

// ofRS are the identifiers that an MCP server compares. What stands in an access token is signed by its authorization
// server, so that nobody can send another one.
var ofRS = []Identifier{
	{
		ID: "access-token", Name: "the access token", Sends: "an access token that", Role: "rs", Requirement: "RS-TOKEN-AUD",
		Severity: reports.Low, Gain: "A token is found with fewer attempts.",
		Only: []string{"case-all", "begins-digit", "begun", "percent-one", "quotes-double", "list-comma", "nul-encoded",
			"glob-any",
			"like-any", "ends-letter"},
	},
	{
		ID: "origin", Name: "Origin", Sends: "a request whose Origin", Role: "rs", Requirement: "RS-ORIGIN",
		Kind:     URL | Dotted,
		Severity: reports.Medium, Gain: "A web page of such an origin drives the server with what the browser has " +
			"(DNS rebinding).",
		Only: []string{"begins", "contains", "regexp", "scheme", "list-comma", "list-space", "nul-encoded", "userinfo",
			"query-question",
			"ends-more"},
		// Of the server's own host: which of these it expects is for the server to say (its developers' tools have
		// another port), and no name that an attacker rebinds is among them.
		Should: []string{"scheme", "userinfo", "query-question"},
	},
	{
		ID: "token", Name: "a JWT access token", Sends: "an access token", Role: "rs", Requirement: "RS-TOKEN-AUD", Kind: JWS,
		Severity: reports.Low, Gain: "A token has more than one spelling, and a list of revoked ones knows one of them.",
		Should: []string{"*"},
		// What is spelled otherwise after it was signed, by who has no key, and can stand in a header field.
		Only: []string{"padding-signature", "alphabet-signature", "bits-signature", "json"},
	},
	{
		ID: "session", Name: "the session id", Sends: "a request whose Mcp-Session-Id", Role: "rs",
		Requirement: "RS-SESSION-NOT-AUTH", Severity: reports.Low, Gain: "A session is found with fewer attempts.",
		Should: []string{"*"},
		Only: []string{"case-all", "begins-digit", "begun", "ends-letter", "contains", "percent-one", "quotes-double",
			"list-comma",
			"nul-encoded", "glob-any", "like-any", "pattern-any"},
	},
}
