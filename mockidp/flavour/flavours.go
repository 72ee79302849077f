package flavour

import (
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// All returns every flavour, the default first.
func All() []Flavour {
	return []Flavour{okta(), generic(), entra(), google(), claude()}
}

const (
	oktaTokens   = "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/"
	oktaServers  = "https://developer.okta.com/docs/concepts/auth-servers/"
	oktaRequest  = "https://developer.okta.com/docs/guides/xaa-request-token-ex/openidconnect/main/"
	oktaValidate = "https://developer.okta.com/docs/guides/xaa-validate-id-jag/main/"
	oktaClients  = "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/"
)

func okta() Flavour {
	return Flavour{
		Name: "okta", Title: "Okta org authorization server", Algorithm: jose.RS256,
		Subject: directory.SubjectID, IDTokenLifetime: time.Hour, IDTokenJTI: "ID.", Thin: true,
		IDTokenClaims: map[string]any{"ver": 1}, OrgClaim: "idp",
		IDJAGLifetime: 5 * time.Minute, IDJAGJTI: "IDAAG.", Email: EmailByScope,
		Differences: []Difference{
			{"the issuer has no path; a custom authorization server's has", oktaServers},
			{"ID tokens have no typ, a jti that begins with ID., ver 1 and idp, and live for an hour", oktaTokens},
			{"sub is the user's id at Okta, never the e-mail address", oktaTokens},
			{"with an access token beside it, an ID token holds the name and the address but no more of profile and email", oktaTokens},
			{"ID-JAGs have a jti that begins with IDAAG. and live for five minutes", oktaValidate},
			{"client_id in an ID-JAG is the client's id at the resource application, from the connection", oktaRequest},
			{"an ID-JAG holds the e-mail address only when the sign-in asked for the scope email",
				"https://developer.okta.com/docs/release-notes/2026-okta-identity-engine/"},
			{"the answer has no scope when what is granted is what was asked", oktaRequest},
			{"aud of a client assertion is the URL of the endpoint, not the issuer", oktaClients},
			{"the metadata says nothing about ID-JAGs", ""},
			{"ID-JAGs have no auth_time, acr, amr and nbf: no example shows them", ""},
		},
	}
}

func generic() Flavour {
	const draft = "https://datatracker.ietf.org/doc/draft-ietf-oauth-identity-assertion-authz-grant/"
	return Flavour{
		Name: "generic", Title: "By the letter of the specifications", Algorithm: jose.RS256,
		Subject: directory.SubjectUUID, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT",
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, Authenticated: true, ScopeEcho: true, SAMLDirect: true,
		AnnounceTypes: true, AnnounceProfiles: false, IssuerAudience: true, ResponseIssuer: true,
		Differences: []Difference{
			{"the metadata names ID-JAGs in identity_chaining_requested_token_types_supported (section 7.1)", draft},
			{"ID-JAGs hold the e-mail address (recommended in section 3.1), auth_time, acr and amr", draft},
			{"the answer always has the scope that is granted (section 4.3.4)", draft},
			{"a SAML assertion can be exchanged for an ID-JAG at once (section 4.3)", draft},
			{"the authorization response names the issuer", "https://www.rfc-editor.org/rfc/rfc9207"},
			{"aud of a client assertion may be the issuer", "https://www.rfc-editor.org/rfc/rfc7523#section-3"},
		},
	}
}

// entraTenant is the tenant of Microsoft's own examples.
const entraTenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"

func entra() Flavour {
	const claims = "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference"
	return Flavour{
		Name: "entra", Title: "Microsoft Entra ID, v2.0 tokens", Algorithm: jose.RS256,
		IssuerPath: "/{tenant}/v2.0", Tenant: entraTenant, TenantClaim: "tid", ObjectClaim: "oid",
		Subject: directory.SubjectPairwise, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT", NotBefore: true,
		IDTokenClaims: map[string]any{"ver": "2.0"},
		IDJAGLifetime: 5 * time.Minute, Email: EmailNever, Authenticated: true, ScopeEcho: true, AnnounceTypes: true,
		Differences: []Difference{
			{"the issuer ends in the tenant's GUID and /v2.0", claims},
			{"ID tokens always have typ JWT, and ver 2.0, tid and oid", claims},
			{"sub is another one for each application; oid is the same for all", claims},
			{"nbf is there, equal to iat", claims},
			{"that it issues ID-JAGs, and every claim in them", ""},
			{"the ID-JAG holds no e-mail address: it is an optional claim of ID tokens", ""},
		},
	}
}

func google() Flavour {
	const claims = "https://developers.google.com/identity/openid-connect/openid-connect"
	return Flavour{
		Name: "google", Title: "Google", Algorithm: jose.RS256,
		Subject: directory.SubjectNumeric, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT", DomainClaim: "hd", PartyClaim: true,
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, ScopeEcho: true, AnnounceTypes: true,
		Differences: []Difference{
			{"one issuer without a path for all organizations; hd names the organization's domain", claims},
			{"sub is digits, the same for every application and never used again", claims},
			{"azp is in ID tokens; email comes with email_verified", claims},
			{"ID tokens live for an hour", claims},
			{"that it issues ID-JAGs, and every claim in them", ""},
		},
	}
}

func claude() Flavour {
	const connectors = "https://claude.com/docs/connectors/building/enterprise-managed-auth"
	f := okta()
	f.Name, f.Title, f.Email = "claude", "What a connector of Claude gets", EmailAlways
	f.Differences = []Difference{
		{"the assertion is the ID-JAG of the customer's own identity provider, whose keys the connector fetches; here: Okta's", connectors},
		{"Claude is a client with credentials that Anthropic holds, or with a Client ID Metadata Document", connectors},
		{"the e-mail address is always there: the sign-in to Claude is assumed to ask for it", ""},
	}
	return f
}
