package mockidp

import (
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/internal/dpop"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
)

// Metadata is the document at the well-known locations of the org authorization server (RFC 8414, OpenID Connect
// Discovery). Its members are those of Okta's published examples
// (https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/), and those that the flavour adds.
func (p *IdP) Metadata() map[string]any { return p.metadata(p.org) }

func (p *IdP) metadata(s *authServer) map[string]any {
	auth := []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	grants := []string{oauth.AuthorizationCode, oauth.RefreshToken}
	m := map[string]any{
		"issuer": s.issuer, "authorization_endpoint": s.url + "/authorize", "token_endpoint": s.url + "/token",
		"userinfo_endpoint": s.url + "/userinfo", "jwks_uri": s.url + "/keys",
		"introspection_endpoint": s.url + "/introspect", "revocation_endpoint": s.url + "/revoke",
		"end_session_endpoint":     s.url + "/logout",
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query", "form_post"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []jose.SignatureAlgorithm{s.keys.algorithm(p.flavour.Algorithm)},
		"scopes_supported":                      append([]string{"openid", "profile", "email", "groups", "offline_access"}, s.scopes...),
		"claims_supported": []string{"iss", "sub", "aud", "iat", "exp", "jti", "auth_time", "amr", "acr", "idp", "nonce", "at_hash",
			"name", "preferred_username", "email", "email_verified", "groups", "ver"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": auth, "introspection_endpoint_auth_methods_supported": auth,
		"revocation_endpoint_auth_methods_supported":       auth,
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"},
		"dpop_signing_alg_values_supported":                dpop.Algorithms,
		"acr_values_supported":                             ACRs(),
		"prompt_values_supported":                          []string{"none", "login"},
		"request_parameter_supported":                      false,
		"authorization_response_iss_parameter_supported":   p.flavour.ResponseIssuer,
	}
	if s.isOrg() {
		grants = append(grants, oauth.TokenExchange)
		if p.announces() {
			m["identity_chaining_requested_token_types_supported"] = []string{oauth.TypeIDJAG}
		}
		if p.flavour.AnnounceProfiles {
			m["authorization_grant_profiles_supported"] = []string{oauth.ProfileIDJAG}
		}
	}
	m["grant_types_supported"] = grants
	return m
}

// announces reports whether the metadata names ID-JAGs: the configuration's word, else the flavour's.
func (p *IdP) announces() bool {
	if a := p.directory.Load().Settings.Announce; a != nil {
		return *a
	}
	return p.flavour.AnnounceTypes
}

func (c *call) discovery() *oauth.Error {
	c.w.Header().Set("Cache-Control", cacheFor(24*time.Hour))
	c.json(http.StatusOK, c.metadata(c.server))
	return nil
}

func (c *call) jwks() *oauth.Error {
	c.server.keys.serve(c)
	return nil
}
