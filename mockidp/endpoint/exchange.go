package endpoint

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/dpop"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// exchange is token exchange (RFC 8693) for an ID-JAG (ID-JAG draft-04 section 4.3), or of a SAML assertion for a
// refresh token (section 4.5). Errors are those that Okta gives, see directory.Denial.
func (c *call) exchange(client *directory.Client, form url.Values) *oauth.Error {
	kind := audit.GrantIDJAG
	var failed *oauth.Error
	switch requested := form.Get("requested_token_type"); {
	case !c.server.IsOrg():
		failed = oauth.Fail("invalid_request", "invalid_requested_token_type",
			"ID-JAGs come from the org authorization server alone")
	case requested == oauth.TypeIDJAG:
		failed = c.exchangeForIDJAG(client, form)
	case requested == oauth.TypeRefresh && form.Get("subject_token_type") == oauth.TypeSAML2:
		kind, failed = audit.GrantRefreshToken, c.exchangeForRefresh(client, form)
	case requested == "":
		failed = oauth.Fail("invalid_request", "invalid_requested_token_type", "requested_token_type is missing")
	default:
		failed = oauth.Fail("invalid_request", "invalid_requested_token_type", "requested_token_type is to be "+
			oauth.TypeIDJAG)
	}
	if failed != nil {
		kind = audit.GrantFailed
	}
	if c.entry.Type == "" { // else the refusal is in the log already
		c.audited(kind, failed)
	}
	return failed
}

// exchangeForIDJAG validates, decides and mints.
func (c *call) exchangeForIDJAG(client *directory.Client, form url.Values) *oauth.Error {
	request, details, failed := c.exchangeRequest(client, form)
	if failed != nil {
		return failed
	}
	jkt, failed := c.proof()
	if failed != nil {
		return failed
	}
	acts, failed := actor(form)
	if failed != nil {
		return failed
	}
	s, failed := c.subject(client, form)
	if failed != nil {
		return failed
	}
	s.acts = acts
	c.entry.User = s.user.ID
	request.User, request.Auth = s.user, s.auth
	decision := c.dir.Decide(request)
	c.entry.Rule, c.entry.Granted = decision.Rule, decision.Scopes
	if decision.Connector != nil {
		c.entry.Audience = decision.Connector.Audience
	}
	if denied := decision.Denied; denied != nil {
		return c.denied(denied)
	}
	token, jti, lifetime, err := c.mintIDJAG(request, decision, s, details, jkt)
	if err != nil {
		return c.internal(err)
	}
	c.entry.JTI = jti
	c.json(http.StatusOK, c.exchangeAnswer(token, lifetime, request, decision, details))
	return nil
}

// exchangeRequest reads what is asked for.
func (c *call) exchangeRequest(client *directory.Client,
	form url.Values) (directory.Request, []map[string]any, *oauth.Error) {
	q := directory.Request{Client: client, Now: c.now, Scopes: oauth.Scopes(form.Get("scope"))}
	for _, r := range form["resource"] {
		if u, err := url.Parse(r); err != nil || !u.IsAbs() || u.Fragment != "" {
			return q, nil, oauth.Fail("invalid_target", "token_exchange_invalid_resource",
				"resource is to be an absolute URI without fragment (RFC 8707)")
		}
		if !slices.Contains(q.Resources, r) {
			q.Resources = append(q.Resources, r)
		}
	}
	if len(q.Resources) == 0 && c.Flavour.ResourceRequired {
		return q, nil, oauth.Fail("invalid_request", "token_exchange_resource_missing",
			"resource is missing: the MCP server's identifier")
	}
	c.entry.Resource, c.entry.Asked, c.entry.Audience = q.Resources, q.Scopes, form.Get("audience")
	switch audiences := form["audience"]; {
	case len(audiences) > 1:
		return q, nil, oauth.Invalid("an ID-JAG has one audience: audience is given twice")
	case form.Get("audience") == "":
		return q, nil, oauth.Invalid("audience is missing: the issuer of the resource authorization server")
	default:
		q.Audience = audiences[0]
	}
	details, failed := authorizationDetails(form)
	for _, d := range details {
		q.Details = append(q.Details, d["type"].(string))
	}
	return q, details, failed
}

// authorizationDetails parses the parameter (RFC 9396 section 2): an array of objects with a type.
func authorizationDetails(form url.Values) ([]map[string]any, *oauth.Error) {
	raw := form.Get("authorization_details")
	if raw == "" {
		return nil, nil
	}
	bad := oauth.Fail("invalid_authorization_details", "invalid_authorization_details",
		"authorization_details is to be a JSON array of objects, each with a type")
	var details []map[string]any
	if err := json.Unmarshal([]byte(raw), &details); err != nil || len(details) == 0 {
		return nil, bad
	}
	for _, d := range details {
		if t, ok := d["type"].(string); !ok || t == "" {
			return nil, bad
		}
	}
	return details, nil
}

// proof is the thumbprint of the DPoP proof's key, "" when there is no proof (ID-JAG draft-04 section 8.6).
func (c *call) proof() (string, *oauth.Error) {
	proofs := c.r.Header.Values("DPoP")
	if len(proofs) == 0 {
		return "", nil
	}
	jkt, err := dpop.Verify(proofs, c.r.Method, c.server.URL+"/token", c.now, c.SeenBefore)
	if err != nil {
		return "", oauth.Fail("invalid_dpop_proof", "invalid_dpop_proof", "DPoP: "+err.Error())
	}
	return jkt, nil
}

// denied turns a refusal into the OAuth error that the client gets (for step-up: ID-JAG draft-04 section 8.2, RFC
// 9470).
func (c *call) denied(d *directory.Denial) *oauth.Error {
	c.entry.Detail = d.Reason
	failed := oauth.Fail(d.Error, d.ID, d.Description)
	if s := d.StepUp; s != nil {
		failed.Extra = map[string]any{}
		if s.MaxAge > 0 {
			failed.Extra["max_age"] = int(time.Duration(s.MaxAge) / time.Second)
		}
		if len(s.ACR) > 0 {
			failed.Extra["acr_values"] = join(s.ACR)
		} else if len(s.AMR) > 0 {
			failed.Extra["acr_values"] = directory.ACRTwoFactors
		}
	}
	return failed
}

// exchangeAnswer is the response of ID-JAG draft-04 section 4.3.4. scope is there when it is not what was asked.
func (c *call) exchangeAnswer(token string, lifetime time.Duration, q directory.Request, d directory.Decision,
	details []map[string]any) map[string]any {
	body := map[string]any{"access_token": token, "issued_token_type": oauth.TypeIDJAG, "token_type": "N_A",
		"expires_in": int(lifetime / time.Second)}
	if c.Flavour.ScopeEcho && len(d.Scopes) > 0 || !slices.Equal(d.Scopes, q.Scopes) {
		body["scope"] = join(d.Scopes)
	}
	if details != nil {
		body["authorization_details"] = details
	}
	return body
}

// exchangeForRefresh takes a SAML assertion for a refresh token (ID-JAG draft-04 section 4.5;
// https://developer.okta.com/docs/guides/xaa-request-token-ex/saml2/main/ has the response).
func (c *call) exchangeForRefresh(client *directory.Client, form url.Values) *oauth.Error {
	if _, failed := actor(form); failed != nil {
		return failed
	}
	s, failed := c.samlSubject(client, form)
	if failed != nil {
		return failed
	}
	c.entry.User = s.user.ID
	if rule, denied := directory.MaySignIn(client, s.user); denied != nil {
		c.entry.Rule = rule
		return c.denied(denied)
	}
	scopes := oauth.Scopes(form.Get("scope"))
	if !slices.Contains(scopes, "offline_access") {
		return oauth.Fail("invalid_scope", "missing_scopes", "scope is to contain openid and offline_access")
	}
	ends := c.refreshEnds()
	grant := vault.NewGrant(client.ID, s.user.ID, scopes, s.auth, ends)
	grant.SAML = s.saml
	c.Vault.Load().Keep(grant, c.now)
	c.entry.Granted = scopes
	c.json(http.StatusOK, map[string]any{"access_token": c.Vault.Load().RefreshToken(grant),
		"issued_token_type": oauth.TypeRefresh,
		"token_type":        "N_A", "scope": join(scopes), "expires_in": int(ends.Sub(c.now) / time.Second)})
	return nil
}
