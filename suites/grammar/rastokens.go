package grammar

import "github.com/emaconform/emaconform/reports"

// Reasons for which ways of reading are left out.
const (
	longAgo = "it is a moment long ago"
	noBreak = "a header field holds no line break"
)

// heldInField leaves out what no header field can hold.
var heldInField = map[string]string{"breaks-header": noBreak, "breaks-payload": noBreak, "breaks-signature": noBreak}

// ofRASTokens are the dates that a Resource Authorization Server reads, and the JWTs that they stand in.
var ofRASTokens = []Identifier{
	{
		ID: "exp", Name: "exp", Sends: "an ID-JAG whose exp", Role: "ras", Requirement: "RAS-EXP", Kind: Date,
		Severity: reports.High, Gain: "An ID-JAG lives on.",
		Should:  []string{"as-milliseconds", "as-microseconds", "as-32-bits"}, // NumericDates, far ahead
		Without: map[string]string{"as-boolean": longAgo},
	},
	{
		ID: "iat", Name: "iat", Sends: "an ID-JAG whose iat", Role: "ras", Requirement: "RAS-IAT", Kind: Date,
		Severity: reports.Low, Gain: "An ID-JAG is taken for a fresh one.",
		Should: []string{"as-absolute"},
	},
	{
		ID: "nbf", Name: "nbf", Sends: "an ID-JAG whose nbf", Role: "ras", Requirement: "RAS-NBF", Kind: Date,
		Severity: reports.Low, Gain: "An ID-JAG is good before its time.",
		Without: map[string]string{"as-absolute": longAgo},
	},
	{
		ID: "login-exp", Name: "exp of a client assertion", Sends: "a client assertion whose exp", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: Date, Severity: reports.Medium, Gain: "A client assertion lives on.",
		Should:  []string{"as-milliseconds", "as-microseconds", "as-32-bits"}, // RFC 7523 3 lets a server refuse them
		Without: map[string]string{"as-boolean": longAgo},
	},
	{
		ID: "login-iat", Name: "iat of a client assertion", Sends: "a client assertion whose iat", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: Date, Severity: reports.Low,
		Gain: "A client assertion is taken for a fresh one.", Should: []string{"*"},
		Without: map[string]string{"as-absolute": longAgo},
	},
	{
		ID: "login-nbf", Name: "nbf of a client assertion", Sends: "a client assertion whose nbf", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: Date, Severity: reports.Low,
		Gain: "A client assertion is good before its time.", Should: []string{"*"},
		Without: map[string]string{"as-absolute": longAgo},
	},
	{
		ID: "proof-iat", Name: "iat of a DPoP proof", Sends: "a DPoP proof whose iat", Role: "ras",
		Requirement: "RAS-DPOP-BOUND", Kind: Date, Severity: reports.Low, Gain: "A proof that was copied works again.",
		Without: map[string]string{"as-boolean": longAgo},
	},
	{
		ID: "id-jag", Name: "an ID-JAG", Sends: "an ID-JAG", Role: "ras", Requirement: "RAS-SIG-VERIFY", Kind: JWS,
		Severity: reports.Low, Gain: "An ID-JAG has more than one spelling, and readers disagree about what it says.",
		Should: []string{"*"},
	},
	{
		ID: "login", Name: "a client assertion", Sends: "a client assertion", Role: "ras", Requirement: "RAS-CLIENT-AUTH",
		Kind: JWS, Severity: reports.Low,
		Gain:   "A client assertion has more than one spelling, and readers disagree about what it says.",
		Should: []string{"*"},
	},
	{
		ID: "proof", Name: "a DPoP proof", Sends: "a DPoP proof", Role: "ras", Requirement: "RAS-DPOP-BOUND", Kind: JWS,
		Severity: reports.Low, Gain: "A proof has more than one spelling, and readers disagree about what it says.",
		Should: []string{"*"}, Without: heldInField,
	},
}
