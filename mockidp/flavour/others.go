package flavour

import (
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

func generic() Flavour {
	const draft = "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-identity-assertion-authz-grant-04"
	const c1 = "https://www.c1.ai/docs/product/admin/enterprise-managed-authorization/enable"
	return Flavour{
		Name: "generic", Title: "By the letter of the specifications", Algorithm: jose.RS256,
		Algorithms: []jose.SignatureAlgorithm{jose.RS256, jose.ES256},
		Subject:    directory.SubjectUUID, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT",
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, Authenticated: true, ScopeEcho: true, SAMLDirect: true,
		AnnounceTypes: true, AnnounceProfiles: false, IssuerAudience: true, ResponseIssuer: true,
		Differences: []Difference{
			{"the metadata names ID-JAGs in identity_chaining_requested_token_types_supported (section 7.1)", draft, "draft-04"},
			{"ID-JAGs hold the e-mail address (recommended in section 3.1), auth_time, acr and amr", draft, "draft-04"},
			{"the answer always has the scope that is granted (section 4.3.4)", draft, "draft-04"},
			{"a SAML assertion can be exchanged for an ID-JAG at once (section 4.3)", draft, "draft-04"},
			{"keys are RS256 or ES256: C1 signs ID-JAGs with ES256 unless told otherwise", c1, "undated"},
			{"the authorization response names the issuer", "https://www.rfc-editor.org/rfc/rfc9207", "2022-03"},
			{"aud of a client assertion may be the issuer", "https://www.rfc-editor.org/rfc/rfc7523#section-3", "2015-05"},
		},
	}
}

// claude is Claude as the issuer for its own connectors.
func claude() Flavour {
	const (
		statsig   = "https://docs.statsig.com/integrations/mcp/enterprise-managed-auth"
		mixpanel  = "https://docs.mixpanel.com/docs/mcp/claude-enterprise-managed-auth.md"
		connector = "https://claude.com/docs/connectors/building/enterprise-managed-auth"
	)
	return Flavour{
		Name: "claude", Title: "Claude as the issuer for its own connectors, one issuer for each organization",
		Algorithm:  jose.ES256,
		Algorithms: []jose.SignatureAlgorithm{jose.ES256, jose.RS256},
		IssuerPath: "/issuers/{tenant}", Tenant: "acme", TenantSilent: true,
		Subject: directory.SubjectUUID, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT",
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, ScopeEcho: true, AnnounceTypes: true,
		Differences: []Difference{
			{"the issuer ends in /issuers/ and the organization's id: https://identity.anthropic.com/issuers/<tenant>",
				statsig, "undated"},
			{"ID-JAGs hold the e-mail address", mixpanel, "undated"},
			{"with a customer's own Okta, the connector gets Okta's ID-JAG: flavour okta-agent", connector, "undated"},
			{What: "signs with ES256 (RS256 besides): nothing public says which"},
			{What: "sub is an opaque id of the user"},
			{What: "lifetimes, and that no other claims are there"},
		},
	}
}

// xaaDev is the playground at https://xaa.dev.
func xaaDev() Flavour {
	const step, structure, errors = "https://xaa.dev/docs/step2", "https://xaa.dev/docs/token-structure",
		"https://xaa.dev/docs/error-codes"
	return Flavour{
		Name: "xaa.dev", Title: "The playground xaa.dev", Algorithm: jose.RS256,
		Subject: directory.SubjectEmail, IDTokenLifetime: 10 * time.Minute, IDTokenTyp: "JWT", NotBefore: true,
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, ScopeEcho: true, ResourceRequired: true, IDTokenOnly: true,
		AnnounceTypes: true,
		Differences: []Difference{
			{"sub is the e-mail address", structure, "undated"},
			{"nbf is in ID-JAGs", structure, "undated"},
			{"client_id is the client's id, -at- and the resource's name (client_id of a connection)", structure, "undated"},
			{"resource is required", errors, "undated"},
			{"the subject token is an ID token, nothing else, and lives for ten minutes", step, "undated"},
			{What: "that the e-mail address is in email as well"},
		},
	}
}

// entraTenant is the tenant of Microsoft's own examples.
const entraTenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"

func entra() Flavour {
	const claims = "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference"
	return Flavour{
		Name: "entra", Title: "Hypothetical: Microsoft Entra ID, which does not issue ID-JAGs by any public document",
		Algorithm:  jose.RS256,
		IssuerPath: "/{tenant}/v2.0", Tenant: entraTenant, TenantClaim: "tid", ObjectClaim: "oid",
		Subject: directory.SubjectPairwise, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT", NotBefore: true,
		IDTokenClaims: map[string]any{"ver": "2.0"}, Hypothetical: true,
		IDJAGLifetime: 5 * time.Minute, Email: EmailNever, Authenticated: true, ScopeEcho: true, AnnounceTypes: true,
		Differences: []Difference{
			{"the issuer ends in the tenant's GUID and /v2.0", claims, "undated"},
			{"ID tokens always have typ JWT, and ver 2.0, tid and oid", claims, "undated"},
			{"sub is another one for each application; oid is the same for all", claims, "undated"},
			{"nbf is there, equal to iat", claims, "undated"},
			{What: "that it issues ID-JAGs, and every claim in them"},
			{What: "the ID-JAG holds no e-mail address: it is an optional claim of ID tokens"},
		},
	}
}

func google() Flavour {
	const claims = "https://developers.google.com/identity/openid-connect/openid-connect"
	return Flavour{
		Name: "google", Title: "Hypothetical: Google, which does not issue ID-JAGs by any public document",
		Algorithm: jose.RS256,
		Subject:   directory.SubjectNumeric, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT", DomainClaim: "hd",
		PartyClaim:    true,
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, ScopeEcho: true, AnnounceTypes: true, Hypothetical: true,
		Differences: []Difference{
			{"one issuer without a path for all organizations; hd names the organization's domain", claims, "undated"},
			{"sub is digits, the same for every application and never used again", claims, "undated"},
			{"azp is in ID tokens; email comes with email_verified", claims, "undated"},
			{"ID tokens live for an hour", claims, "undated"},
			{What: "that it issues ID-JAGs, and every claim in them"},
		},
	}
}
