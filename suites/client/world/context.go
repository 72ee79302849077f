package world

// ScenarioName is what the official MCP conformance runner calls its scenario of Enterprise-Managed Authorization; the
// conformance clients of the SDKs choose what to do by it.
const ScenarioName = "auth/enterprise-managed-authorization"

// Context is what the client is told, besides the URL of the MCP server: the members of the official conformance
// runner's context for this scenario, and those that go beyond it, each only in the worlds that need it:
//
//   - client_issuers: the authorization servers that client_id and client_secret are for
//   - without client_id and client_secret: register at the RAS's registration_endpoint
//   - client_id that is an https URL, without client_secret: that of a document which the client publishes (CIMD)
//   - idp_client_secret: the client's secret at the IdP, which wants it (in worlds that are Confidential)
//   - idp_login and idp_redirect_uri: log in with OpenID Connect. The IdP needs no browser: it answers the
//     authorization
//     request with a redirect to idp_redirect_uri at once, and who reads its Location needs no listener there.
//   - idp_refresh_token: for when the ID token is refused
//   - idp_saml_assertion: base64url, in place of the ID token
//   - second_server_url: another MCP server to use after the first, in the same process
//   - dpop: bind the ID-JAG to a key with a DPoP proof at the IdP
//   - ca_file: PEM file of the CA to trust; SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE and
//     CURL_CA_BUNDLE name it too
//   - request_timeout: seconds after which to give up waiting for an answer
func (w *World) Context() map[string]any {
	c := map[string]any{
		"name":               ScenarioName,
		"client_id":          ClientID,
		"client_secret":      w.ClientSecret,
		"client_issuers":     w.issuers(),
		"idp_client_id":      IdPClientID,
		"idp_issuer":         w.IdP.Issuer.URL,
		"idp_token_endpoint": w.IdP.URL + "/token",
	}
	if w.Published != "" {
		c["client_id"] = w.Published
		delete(c, "client_secret")
	}
	if w.Unregistered {
		delete(c, "client_id")
		delete(c, "client_secret")
	}
	if w.Confidential {
		c["idp_client_secret"] = w.IdPClientSecret
	}
	switch w.Identity {
	case Login:
		c["idp_login"], c["idp_redirect_uri"] = true, w.IdP.RedirectURIs[0]
	case Relogin:
		c["idp_login"], c["idp_redirect_uri"] = true, w.IdP.RedirectURIs[0]
		c["idp_id_token"] = w.IdP.givenIDToken()
	case SAML:
		c["idp_saml_assertion"] = w.IdP.samlAssertion()
	case Refresh:
		c["idp_refresh_token"] = w.IdP.refreshToken(Alice)
		c["idp_id_token"] = w.IdP.givenIDToken()
	default:
		c["idp_id_token"] = w.IdP.givenIDToken()
	}
	if w.TwoServers {
		c["second_server_url"] = w.OtherMCP.Resource
	}
	if w.DPoP {
		c["dpop"] = true
	}
	if w.TLS {
		c["ca_file"] = w.caFile
	}
	if w.RequestTimeout > 0 {
		c["request_timeout"] = w.RequestTimeout.Seconds()
	}
	return c
}

func (w *World) issuers() []string {
	if w.OtherRAS != nil {
		return []string{w.RAS.Issuer, w.OtherRAS.Issuer}
	}
	return []string{w.RAS.Issuer}
}

// Environment is what the client's environment must hold besides the context.
func (w *World) Environment() []string {
	if !w.TLS {
		return nil
	}
	var env []string
	for _, name := range []string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		env = append(env, name+"="+w.caFile)
	}
	return env
}
