package grammar

import "github.com/emaconform/emaconform/reports"

// Reasons for which attacks are left out.
const (
	lawfulArray = "the texts let it be an array of one"
	noFolding   = "none of its characters is the other case of one outside ASCII"
	asURL       = "RFC 9449 4.3 wants URLs compared after normalization, to which these are the same"
)

const aClaim = Member | Lookup

// ofRAS are the identifiers that a Resource Authorization Server compares.
var ofRAS = []Identifier{
	{
		ID: "iss", Name: "iss", Sends: "an ID-JAG whose iss", Role: "ras", Requirement: "RAS-ISS-TRUSTED",
		Kind: aClaim | URL | Dotted, Severity: reports.Critical,
		Gain: "Who runs an issuer of such a name signs everybody in.",
	},
	{
		ID: "aud", Name: "aud", Sends: "an ID-JAG whose aud", Role: "ras", Requirement: "RAS-AUD-EXACT",
		Kind: aClaim | URL | Dotted, Severity: reports.High,
		Gain:    "An ID-JAG that was made out to another server of such a name is redeemed here.",
		Without: map[string]string{"string-array": lawfulArray, "fold": noFolding},
	},
	{
		ID: "sub", Name: "sub", Sends: "an ID-JAG whose sub", Role: "ras", Requirement: "RAS-SUB",
		Kind: aClaim, Severity: reports.Critical,
		Gain: "Another user of the identity provider, whose sub is so, gets the account.",
	},
	{
		ID: "client_id", Name: "client_id", Sends: "an ID-JAG whose client_id", Role: "ras",
		Requirement: "RAS-CLIENT-BINDING",
		Kind:        aClaim, Severity: reports.High,
		Gain:    "An ID-JAG that was issued to another client of such a name is redeemed by this one.",
		Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "resource", Name: "resource", Sends: "an ID-JAG whose resource", Role: "ras", Requirement: "RAS-RES-BOUND",
		Kind: aClaim | URL | Dotted, Severity: reports.Medium,
		Gain: "A grant for another MCP server of such a name is good for this one.",
		// MCP calls both forms valid, so a server that treats them as one breaks no MUST.
		Should: []string{"slash"},
		Without: map[string]string{"string-array": lawfulArray, "fold": noFolding,
			"first": "array-foreign-too judges what a server grants of an array", "member-last": "array-foreign-too judges it"},
	},
	{
		ID: "scope", Name: "scope", Sends: "an ID-JAG whose scope", Role: "ras", Requirement: "RAS-SCOPE-INTERSECT",
		Kind: aClaim | Dotted, Severity: reports.High,
		Gain: "The identity provider granted something of another name, and this scope comes out.",
		// How scopes stand in their list is for checks of their own.
		Without: map[string]string{"trim-space-before": "checks of their own judge white space between scopes",
			"trim-space-after": "checks of their own judge white space between scopes",
			"list-space":       "it is how scopes are listed",
			"column":           "checks of their own judge white space between scopes",
			"string-array":     "a check of its own judges it"},
	},
	{
		ID: "email", Name: "email", Sends: "an ID-JAG for a new sub, whose email", Role: "ras",
		Requirement: "RAS-ACCOUNT-LINK",
		Kind:        aClaim | Email | Dotted, Severity: reports.Critical,
		Gain:    "Who has such an address gets the account of another user.",
		Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "tenant", Name: "tenant", Sends: "an ID-JAG whose tenant", Role: "ras", Requirement: "RAS-TENANT",
		Kind: aClaim | Digits, Severity: reports.Critical,
		Gain:    "A customer whose tenant is so becomes the users of another one.",
		Without: map[string]string{"fold": noFolding, "case": "it has no letters"},
	},
	{
		ID: "nameid", Name: "nameid of sub_id", Sends: "an ID-JAG with a sub_id whose nameid", Role: "ras",
		Requirement: "RAS-SUB-ID", Kind: aClaim | Email | Dotted, Severity: reports.Critical,
		Gain: "Another user, whose SAML name is so, gets the account.",
	},
	{
		ID: "saml-issuer", Name: "issuer of sub_id", Sends: "an ID-JAG with a sub_id whose issuer", Role: "ras",
		Requirement: "RAS-SUB-ID", Kind: aClaim | URL | Dotted, Severity: reports.High,
		Gain: "Another SAML issuer of such a name vouches for the users of this one.",
	},
	{
		ID: "qualifier", Name: "sp_name_qualifier of sub_id", Sends: "an ID-JAG with a sub_id whose sp_name_qualifier",
		Role:        "ras",
		Requirement: "RAS-SUB-ID", Kind: aClaim | URL | Dotted, Severity: reports.Medium,
		Gain: "A name from the namespace of another service provider is taken for one of this.",
	},
	{
		ID: "typ", Name: "typ", Sends: "an ID-JAG whose typ", Role: "ras", Requirement: "RAS-TYP",
		Kind: Member | Lookup, Severity: reports.Medium,
		Gain:   "Tokens of another type are taken for ID-JAGs.",
		Should: []string{"nfkc", "accents", "lookalike", "percent", "entity", "escape", "quotes", "invisible", "fold"},
		Without: map[string]string{"case": "RAS-TYP/case says what to make of it",
			"trim": "it harms nobody: no other type is spelled so",
			"list": "it harms nobody"},
	},
	{
		ID: "htu", Name: "htu of a DPoP proof", Sends: "a DPoP proof whose htu", Role: "ras", Requirement: "RAS-DPOP-BOUND",
		Kind: URL | Dotted, Severity: reports.Low,
		Gain: "A proof that was made for another URL is good here.",
		Without: map[string]string{"query": asURL, "url": asURL, "percent": asURL, "case-one": asURL, "fold": noFolding,
			"userinfo": asURL, "tabs": asURL},
	},
	{
		ID: "htm", Name: "htm of a DPoP proof", Sends: "a DPoP proof whose htm", Role: "ras", Requirement: "RAS-DPOP-BOUND",
		Severity: reports.Low, Gain: "A proof that was made for another method is good here.",
		Only: []string{"begins", "begun", "ends", "contains", "pattern", "glob", "like", "list"},
	},
	{
		ID: "jkt", Name: "cnf.jkt", Sends: "an ID-JAG whose cnf.jkt", Role: "ras", Requirement: "RAS-DPOP-BOUND",
		Kind: aClaim, Severity: reports.Low,
		Gain: "A key whose thumbprint is nearly the same proves possession.",
		Without: map[string]string{"fold": "a thumbprint need not have such a letter",
			"prototype": "a thumbprint is compared, not looked up"},
	},
	{
		ID: "secret", Name: "the client's secret", Sends: "a request with a secret that", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH",
		Severity:    reports.High, Gain: "A secret is guessed in fewer attempts.",
		// A few only: each is an attempt to guess, and servers lock clients out.
		Only: []string{"case-all", "trim-space-after", "nul-raw", "begins-digit", "begun", "ended", "glob-any", "like-any",
			"pattern-any", "column", "percent-one", "list-comma"},
	},
	{
		ID: "login-iss", Name: "iss of a client assertion", Sends: "a client assertion whose iss", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: aClaim, Severity: reports.Low,
		Gain: "A client of another name authenticates as this one.",
	},
	{
		ID: "login-sub", Name: "sub of a client assertion", Sends: "a client assertion whose sub", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: aClaim, Severity: reports.Low,
		Gain: "A client of another name authenticates as this one.",
	},
	{
		ID: "login-aud", Name: "aud of a client assertion", Sends: "a client assertion whose aud", Role: "ras",
		Requirement: "RAS-CLIENT-AUTH", Kind: aClaim | URL | Dotted, Severity: reports.Medium,
		Gain:    "A client assertion that was made for another server authenticates the client here.",
		Without: map[string]string{"string-array": lawfulArray, "fold": noFolding},
	},
	{
		ID: "aud_tenant", Name: "aud_tenant", Sends: "an ID-JAG whose aud_tenant", Role: "ras", Requirement: "RAS-TENANT",
		Kind: aClaim, Severity: reports.High,
		Gain: "A grant for another customer of this server, whose tenant is named so, is redeemed for this one.",
		// The draft does not tell a server without tenants of its own to look at aud_tenant.
		Should: []string{"*"}, Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "aud_sub", Name: "aud_sub", Sends: "an ID-JAG for a new sub, whose aud_sub", Role: "ras",
		Requirement: "RAS-ACCOUNT-LINK", Right: "the id of an account", Kind: aClaim, Severity: reports.Critical,
		Gain:    "Who has such an id at the identity provider gets the account of another user.",
		Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "jti", Name: "jti", Sends: "a second ID-JAG whose jti", Role: "ras", Requirement: "RAS-JTI-REPLAY",
		Right: "that of the first", Severity: reports.Low,
		Gain:   "An honest ID-JAG is refused because of another one, and who chooses ids keeps others out.",
		Should: []string{"*"},
		// What servers may refuse to remember is left out: other letters than ASCII, and what is long.
		Only: []string{"case-all", "case-one", "begins-digit", "begins-more", "begun", "ends-letter", "ended", "contains",
			"within", "percent-one"},
	},
	{
		ID: "details-type", Name: "type of an authorization detail", Sends: "an authorization detail whose type", Role: "ras",
		Requirement: "RAS-RAR", Kind: aClaim, Severity: reports.Medium,
		Gain:    "The identity provider granted something of another name, and this comes out.",
		Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "grant_type", Name: "grant_type", Sends: "a redemption whose grant_type", Role: "ras",
		Requirement: "RAS-TOKEN-POST-FORM", Severity: reports.Low,
		Gain:   "What stands before the server, and knows grant types by their names, lets a redemption through.",
		Should: []string{"*"}, Without: map[string]string{"fold": noFolding},
	},
	{
		ID: "alg", Name: "alg", Sends: "an ID-JAG whose alg", Role: "ras", Requirement: "RAS-SIG-ALG", Kind: Member,
		Severity: reports.Low,
		Gain:     "An algorithm that a list of allowed ones does not hold verifies.",
		Should: []string{"trim", "nul", "begins", "list", "quotes", "string", "first", "member", "strings", "object",
			"percent",
			"invisible", "nfkc"},
		Only: []string{"case", "trim", "nul", "begins", "list", "quotes", "string", "first", "member", "strings", "object",
			"percent",
			"invisible", "nfkc"},
	},
	{
		ID: "alg-none", Name: "alg none", Sends: "an unsigned ID-JAG whose alg", Role: "ras", Requirement: "RAS-SIG-ALG",
		Right: "none", Kind: Member, Severity: reports.Critical,
		Gain: "Anybody is anybody: the ID-JAG is not signed.",
		Only: []string{"case", "trim", "nul", "begins", "ends-letter", "list", "quotes", "string", "first", "member",
			"strings",
			"object", "percent", "invisible", "nfkc", "lookalike", "accents"},
	},
}
