package grammar

import "github.com/emaconform/emaconform/reports"

// guesses are the ways that are tried on what is a secret: a few only, for each is an attempt to guess, and servers
// lock out.
var guesses = []string{"case-all", "trim-space-after", "nul-raw", "begins-digit", "begun", "ended", "glob-any",
	"like-any",
	"pattern-any", "column", "percent-one", "list-comma"}

// echoed are the ways that are tried on what comes back as it was sent, and is a key under which sign-ins are kept.
var echoed = []string{"case-all", "trim-space-after", "begins-digit", "begun", "contains", "list-comma", "percent-one",
	"nfkc-wide", "column"}

// names are the ways that are tried on the name of a client.
var names = []string{"case-all", "trim-space-after", "nul-raw", "begins-digit", "begun", "glob-any", "like-any",
	"list-comma", "nfkc-wide",
	"column"}

// inAssertions are those of claims in client assertions.
var inAssertions = []string{"case-all", "trim-space-after", "nul-raw", "begins-digit", "begun", "glob-any", "like-any",
	"list-comma", "nfkc-wide",
	"string-array", "string-object", "member-last", "prototype-constructor"}

// ofIdP are the identifiers that an identity provider compares.
var ofIdP = []Identifier{
	{
		ID: "audience", Name: "audience", Sends: "an exchange whose audience", Role: "idp", Requirement: "IDP-PAIRING",
		Kind: URL | Dotted, Severity: reports.High,
		Gain: "Who runs an authorization server of such a name gets grants of users who were never connected to it.",
	},
	{
		ID: "resource", Name: "resource", Sends: "an exchange whose resource", Role: "idp", Requirement: "IDP-PAIRING",
		Kind: URL | Dotted, Severity: reports.High,
		Gain: "Who runs an MCP server of such a name gets a grant that another authorization server may redeem for it.",
		// MCP calls both forms valid, so an identity provider that treats them as one breaks no MUST.
		Should: []string{"slash"},
	},
	{
		ID: "forbidden-scope", Name: "a scope that policy denies", Sends: "an exchange for a scope that", Role: "idp",
		Requirement: "IDP-POLICY", Kind: Dotted, Severity: reports.High,
		Gain: "A scope that the company denied is granted under another spelling.",
		Without: map[string]string{"trim": "white space is how scopes are listed",
			"list-space": "it is how scopes are listed",
			"lines":      "white space is how scopes are listed", "invisible-space": "white space is how scopes are listed",
			"column": "white space is how scopes are listed"},
	},
	{
		ID: "redirect", Name: "redirect_uri", Sends: "a sign-in whose redirect_uri", Role: "idp", Requirement: "IDP-REDIRECT",
		Kind: URL | Dotted, Severity: reports.Critical,
		Gain: "Authorization codes go to an address of somebody else's choice.",
		// Each is a sign-in, so that only those are tried that lead elsewhere, or that a browser reads otherwise.
		Only: []string{"case-all", "trim-space-after", "nfkc-wide", "percent-one", "percent-twice", "nul-encoded",
			"lines-first", "begins",
			"ends-more", "contains", "list", "regexp", "glob-end", "slash", "scheme", "url", "backslash", "tabs",
			"idna-dot", "userinfo",
			"query", "parameter", "below", "host"},
		Without: map[string]string{"url-dots": "browsers resolve them before they go there"},
	},
	{
		ID: "state", Name: "state", Sends: "a sign-in whose state", Role: "idp", Requirement: "IDP-CODE",
		Severity: reports.Medium, Gain: "The answer to one sign-in is taken for that to another one (CSRF).", Only: echoed,
	},
	{
		ID: "nonce", Name: "nonce", Sends: "a sign-in whose nonce", Role: "idp", Requirement: "IDP-CODE",
		Severity: reports.Medium, Gain: "An ID token of one sign-in is taken for that of another one.", Only: echoed,
	},
	{
		ID: "verifier", Name: "code_verifier", Sends: "a code redemption whose code_verifier", Role: "idp",
		Requirement: "IDP-CODE", Severity: reports.High,
		Gain: "Who has caught the code of somebody guesses the verifier in fewer attempts.", Only: guesses,
	},
	{
		ID: "code-redirect", Name: "redirect_uri of a code redemption", Sends: "a code redemption whose redirect_uri",
		Role: "idp", Requirement: "IDP-CODE", Kind: URL | Dotted, Severity: reports.Medium,
		Gain: "A code that was led to another address is redeemed in the name of the right one.",
		Only: []string{"case-all", "trim-space-after", "percent-one", "begins", "ends-more", "contains", "list", "regexp",
			"glob-end", "slash", "scheme", "userinfo", "query", "below", "host"},
	},
	{
		ID: "client", Name: "the id of a client", Sends: "a request with a client id that", Role: "idp",
		Requirement: "IDP-CLIENT-AUTH",
		Severity:    reports.Low, Gain: "A client of another name authenticates as this one.", Only: names,
	},
	{
		ID: "secret", Name: "the client's secret", Sends: "a request with a secret that", Role: "idp",
		Requirement: "IDP-CLIENT-AUTH",
		Severity:    reports.High, Gain: "A secret is guessed in fewer attempts.", Only: guesses,
	},
	{
		ID: "login-iss", Name: "iss of a client assertion", Sends: "a client assertion whose iss", Role: "idp",
		Requirement: "IDP-CLIENT-AUTH", Kind: aClaim, Severity: reports.Low,
		Gain: "A client of another name authenticates as this one.", Only: inAssertions,
	},
	{
		ID: "login-sub", Name: "sub of a client assertion", Sends: "a client assertion whose sub", Role: "idp",
		Requirement: "IDP-CLIENT-AUTH", Kind: aClaim, Severity: reports.Low,
		Gain: "A client of another name authenticates as this one.", Only: inAssertions,
	},
	{
		ID: "login-aud", Name: "aud of a client assertion", Sends: "a client assertion whose aud", Role: "idp",
		Requirement: "IDP-CLIENT-AUTH", Kind: aClaim | URL | Dotted, Severity: reports.Medium,
		Gain: "A client assertion that was made for another server authenticates the client here.",
		Only: []string{"case-all", "begins", "ends-more", "contains", "regexp", "scheme", "userinfo", "query", "below",
			"host", "list-comma",
			"prototype-constructor"},
	},
	{
		ID: "refresh-token", Name: "a refresh token", Sends: "an exchange of a refresh token that", Role: "idp",
		Requirement: "IDP-SUBJECT-REFRESH", Severity: reports.Medium, Gain: "A refresh token is guessed in fewer attempts.",
		Only: guesses,
	},
	{
		ID: "subject-type", Name: "subject_token_type", Sends: "an exchange whose subject_token_type", Role: "idp",
		Requirement: "IDP-SUBJECT-VALIDATE", Severity: reports.Low, Gain: "A token of another type is taken for an ID token.",
		Only: []string{"case-all", "trim-space-after", "begins-digit", "begun", "ends-letter", "contains", "list-space",
			"glob-any", "like-any"},
	},
	{
		ID: "requested-type", Name: "requested_token_type", Sends: "an exchange whose requested_token_type", Role: "idp",
		Requirement: "IDP-REQUESTED-TYPE", Severity: reports.Low,
		Gain: "An ID-JAG is issued to who asked for another kind of token.",
		Only: []string{"case-all", "trim-space-after", "begins-digit", "begun", "ends-letter", "contains", "list-space",
			"glob-any", "like-any"},
	},
	{
		ID: "nameid", Name: "NameID of a SAML assertion", Sends: "a SAML assertion whose NameID", Role: "idp",
		Requirement: "IDP-SUBJECT-SAML", Kind: Email | Dotted, Severity: reports.Critical,
		Gain:    "A user of such a name gets grants in the name of another one.",
		Without: map[string]string{"nul-raw": "XML cannot hold a NUL"},
	},
}
