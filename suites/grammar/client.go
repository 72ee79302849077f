package grammar

import "github.com/emaconform/emaconform/reports"

// ofClient are the identifiers that an MCP client compares when it signs its user in.
var ofClient = []Identifier{
	{
		ID: "state", Name: "state", Sends: "the answer of a login whose state", Role: "client", Requirement: "CL-OIDC",
		Severity: reports.Medium, Gain: "A login that somebody else began is finished here (CSRF).",
		Only: []string{"case-all", "begins-digit", "begun", "trim-space-after", "contains"},
	},
	{
		ID: "nonce", Name: "nonce", Sends: "an ID token whose nonce", Role: "client", Requirement: "CL-IDTOKEN-VALIDATE",
		Severity: reports.Medium, Gain: "An ID token of another login is taken for that of this one.",
		Only: []string{"case-all", "begins-digit", "begun", "trim-space-after", "contains"},
	},
	{
		ID: "id-iss", Name: "iss of the ID token", Sends: "an ID token whose iss", Role: "client",
		Requirement: "CL-IDTOKEN-VALIDATE",
		Kind:        URL | Dotted, Severity: reports.High, Gain: "Who runs an issuer of such a name signs the user in.",
		Only: []string{"case-all", "begins-more", "trim-space-after", "scheme", "ends-more", "host"},
	},
	{
		ID: "id-aud", Name: "aud of the ID token", Sends: "an ID token whose aud", Role: "client",
		Requirement: "CL-IDTOKEN-VALIDATE",
		Severity:    reports.High, Gain: "An ID token that was issued to another client signs the user in here.",
		Only: []string{"case-all", "begins-digit", "begun", "trim-space-after", "list-comma"},
	},
}
