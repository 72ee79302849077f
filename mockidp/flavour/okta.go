package flavour

import (
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

const (
	oktaTokens   = "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/"
	oktaServers  = "https://developer.okta.com/docs/concepts/auth-servers/"
	oktaRequest  = "https://developer.okta.com/docs/guides/xaa-request-token-ex/openidconnect/main/"
	oktaSAML     = "https://developer.okta.com/docs/guides/xaa-request-token-ex/saml2/main/"
	oktaValidate = "https://developer.okta.com/docs/guides/xaa-validate-id-jag/main/"
	oktaClients  = "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/"
	oktaMCP      = "https://help.okta.com/OIE/en-us/content/topics/ai-agents/ai-agent-mcp-server-xaa.htm"
	oktaCapture  = "https://github.com/mmcintosh/better-auth-id-jag/blob/1e07db9/docs/interop.md"
	datadog      = "https://docs.datadoghq.com/account_management/org_settings/cross_app_access/"
)

// oktaAgent is what an AI agent registered with Okta gets.
func oktaAgent() Flavour {
	return Flavour{
		Name: "okta-agent", Title: "Okta org authorization server, for an AI agent", Algorithm: jose.RS256,
		Subject: directory.SubjectID, IDTokenLifetime: time.Hour, IDTokenJTI: "ID.", Thin: true,
		IDTokenClaims: map[string]any{"ver": 1}, OrgClaim: "idp",
		IDJAGLifetime: 5 * time.Minute, IDJAGJTI: "IDAAG.", Email: EmailAlways,
		ActorProfile: "ai_agent web_app", SubjectProfile: "user",
		Differences: []Difference{
			{"ID-JAGs name the agent in act, with sub_profile \"ai_agent web_app\", and say sub_profile \"user\" " +
				"of the user", oktaCapture, "2026-10-06"},
			{"ID-JAGs hold the user's e-mail address", oktaCapture, "2026-10-06"},
			{"the issuer has no path; a custom authorization server's has, and mints no ID-JAGs", oktaServers, "undated"},
			{"ID tokens have no typ, a jti that begins with ID., ver 1 and idp, and live for an hour", oktaTokens, "undated"},
			{"sub of ID tokens is the user's id at Okta; that of ID-JAGs can be the e-mail address, by the MCP " +
				"server's subject format (subject: email of a connector)", oktaMCP, "2026-10"},
			{"with an access token beside it, an ID token holds the name and the address but no more of " +
				"profile and email", oktaTokens, "undated"},
			{"ID-JAGs have a jti that begins with IDAAG. and live for five minutes", oktaValidate, "2026-10-06"},
			{"client_id in an ID-JAG is the client's id at the resource application, from the connection", oktaRequest,
				"2026-10-06"},
			{"aud is the issuer that was entered for the resource application, to the letter, as a string", oktaCapture,
				"2026-10-06"},
			{"the answer has no scope when what is granted is what was asked", oktaRequest, "undated"},
			{"aud of a client assertion is the URL of the endpoint, not the issuer", oktaClients, "undated"},
			{"ID-JAGs have no auth_time, acr, amr and nbf", oktaCapture, "2026-10-06"},
			{What: "the metadata says nothing about ID-JAGs"},
		},
	}
}

// oktaSAMLApp is what an agent gets whose users sign on by SAML.
func oktaSAMLApp() Flavour {
	f := oktaAgent()
	f.Name, f.Title, f.SAMLSubject = "okta-saml", "Okta, for a resource application that signs its users on by SAML", true
	f.Differences = append([]Difference{
		{"sub_id names the user by the NameID and the SAML issuer of the resource application", datadog, "2026-08-03"},
		{"aud_tenant is the id of the resource application's tenant, where the connection has one", datadog, "2026-08-03"},
		{"a SAML assertion is exchanged for a refresh token first", oktaSAML, "undated"},
	}, f.Differences...)
	return f
}

// oktaMCPServer is what an MCP server gets that is connected as one.
func oktaMCPServer() Flavour {
	f := oktaAgent()
	f.Name, f.Title = "okta-mcp", "Okta, for an MCP server that is connected as one, or that exchanges onward"
	f.ActorProfile, f.SubjectProfile, f.ResourceRequired = "", "", true
	f.Differences = append([]Difference{
		{"resource is required, and is in the ID-JAG", oktaRequest, "2026-10"},
		{"an MCP server that exchanges onward gets ID-JAGs without act and sub_profile", oktaCapture, "2026-10-06"},
	}, f.Differences[1:]...)
	return f
}
