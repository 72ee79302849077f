package endpoint

import (
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/dpop"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// Metadata is the document at the well-known locations of an authorization server (RFC 8414, OpenID Connect Discovery).
// Its members are those of Okta's published examples
// (https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/), and those that the flavour adds.
func Metadata(p *state.State, s *state.Server) map[string]any {
	auth := []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	grants := []string{oauth.AuthorizationCode, oauth.RefreshToken}
	m := map[string]any{
		"issuer": s.Issuer, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"userinfo_endpoint": s.URL + "/userinfo", "jwks_uri": s.URL + "/keys",
		"introspection_endpoint": s.URL + "/introspect", "revocation_endpoint": s.URL + "/revoke",
		"end_session_endpoint":     s.URL + "/logout",
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query", "form_post"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []jose.SignatureAlgorithm{s.Keys.Algorithm(p.Flavour.Algorithm)},
		"scopes_supported": append([]string{"openid", "profile", "email", "groups",
			"offline_access"}, s.Scopes...),
		"claims_supported": []string{"iss", "sub", "aud", "iat", "exp", "jti", "auth_time", "amr", "acr", "idp",
			"nonce", "at_hash",
			"name", "preferred_username", "email", "email_verified", "groups", "ver"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": auth, "introspection_endpoint_auth_methods_supported": auth,
		"revocation_endpoint_auth_methods_supported": auth,
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "RS384", "RS512", "PS256", "ES256",
			"ES384", "ES512", "EdDSA"},
		"dpop_signing_alg_values_supported":              dpop.Algorithms,
		"acr_values_supported":                           directory.ACRs(),
		"prompt_values_supported":                        []string{"none", "login"},
		"request_parameter_supported":                    false,
		"authorization_response_iss_parameter_supported": p.Flavour.ResponseIssuer,
	}
	if s.IsOrg() {
		grants = append(grants, oauth.TokenExchange)
		if announces(p) {
			m["identity_chaining_requested_token_types_supported"] = []string{oauth.TypeIDJAG}
		}
		if p.Flavour.AnnounceProfiles {
			m["authorization_grant_profiles_supported"] = []string{oauth.ProfileIDJAG}
		}
	}
	m["grant_types_supported"] = grants
	return m
}

// announces reports whether the metadata names ID-JAGs: the configuration's word, else the flavour's.
func announces(p *state.State) bool {
	if a := p.Directory.Load().Settings.Announce; a != nil {
		return *a
	}
	return p.Flavour.AnnounceTypes
}

func (c *call) discovery() *oauth.Error {
	c.w.Header().Set("Cache-Control", web.CacheFor(24*time.Hour))
	c.json(http.StatusOK, Metadata(c.State, c.server))
	return nil
}

func (c *call) jwks() *oauth.Error {
	set, maxAge := c.server.Keys.JWKS()
	c.w.Header().Set("Cache-Control", web.CacheFor(maxAge))
	c.seen.Status = http.StatusOK
	web.JSON(c.w, http.StatusOK, set)
	return nil
}
