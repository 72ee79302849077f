package grammar

import "github.com/emaconform/emaconform/reports"

// borrowed is a claim that a careless server reads from others as well: what other products call it, or what holds
// something like it.
type borrowed struct {
	claim       string // that counts
	requirement string // that reading another one breaks
	severity    reports.Severity
	from        []string // claims that do not count
	gain        string   // what an accepted attack gains, a sentence
}

// Borrowings are attacks on the claims of an ID-JAG that are read from others: the claim is wrong, and the right value
// stands elsewhere. The variant's slug is the claim in which it stands.
func Borrowings() (list []Attack) {
	for _, b := range borrowings {
		i := Identifier{ID: b.claim, Name: b.claim, Sends: "an ID-JAG whose " + b.claim, Role: "ras",
			Requirement: b.requirement, Gain: b.gain, Severity: b.severity, Right: "another"}
		for _, from := range b.from {
			list = append(list, Attack{i, Way{ID: "instead", Verb: "read", Title: "from other claims, where they are there",
				Why: "what does not count decides"}, Variant{Slug: from, What: "beside the right one in " + from}})
		}
	}
	return list
}

var borrowings = []borrowed{
	{claim: "sub", requirement: "RAS-SUB", severity: reports.Critical,
		from: []string{"uid", "user_id", "oid", "username", "preferred_username", "unique_name", "upn", "login", "name",
			"act"},
		gain: "What users may choose for themselves at many identity providers says who they are here."},
	{claim: "email", requirement: "RAS-ACCOUNT-LINK", severity: reports.Critical,
		from: []string{"upn", "mail", "preferred_username", "unique_name", "emails", "verified_primary_email"},
		gain: "What nobody has verified gives the account of another user."},
	{claim: "tenant", requirement: "RAS-TENANT", severity: reports.Critical,
		from: []string{"tid", "tenant_id", "org_id", "organization", "hd"},
		gain: "A customer's own administrator says which customer it is."},
	{claim: "iss", requirement: "RAS-ISS-TRUSTED", severity: reports.High, from: []string{"issuer", "idp"},
		gain: "An issuer that is not trusted passes for one that is."},
	{claim: "aud", requirement: "RAS-AUD-EXACT", severity: reports.High, from: []string{"audience", "azp", "recipient"},
		gain: "An ID-JAG for another server is redeemed here."},
	{claim: "resource", requirement: "RAS-RES-BOUND", severity: reports.Medium, from: []string{"resources", "resource_uri",
		"target"},
		gain: "A grant for another MCP server is good for this one."},
	{claim: "exp", requirement: "RAS-EXP", severity: reports.High, from: []string{"expires_at", "expiry", "expires",
		"not_after"},
		gain: "An ID-JAG that has expired lives on."},
	{claim: "jti", requirement: "RAS-JTI-PRESENT", severity: reports.Low, from: []string{"id", "uti", "nonce", "sid"},
		gain: "What need not be unique tells ID-JAGs apart, or nothing does."},
}

// SubIDFormats are the formats of RFC 9493 section 3.2 beside that of SAML names, each with a sub_id of it that names a
// user.
var SubIDFormats = map[string]func(issuer, sub, email string) map[string]any{
	"email":        func(_, _, email string) map[string]any { return map[string]any{"email": email} },
	"account":      func(_, _, email string) map[string]any { return map[string]any{"uri": "acct:" + email} },
	"did":          func(_, _, email string) map[string]any { return map[string]any{"url": "did:web:" + email} },
	"uri":          func(_, _, email string) map[string]any { return map[string]any{"uri": "mailto:" + email} },
	"opaque":       func(_, sub, _ string) map[string]any { return map[string]any{"id": sub} },
	"phone_number": func(_, sub, _ string) map[string]any { return map[string]any{"phone_number": sub} },
	"iss_sub": func(issuer, sub, _ string) map[string]any {
		return map[string]any{"iss": issuer, "sub": sub}
	},
	"aliases": func(issuer, sub, email string) map[string]any {
		return map[string]any{"identifiers": []any{
			map[string]any{"format": "iss_sub", "iss": issuer, "sub": sub}, map[string]any{"format": "email", "email": email}}}
	},
}
