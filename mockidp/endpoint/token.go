package endpoint

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// DefaultRotationLeeway is how long a rotated refresh token is still taken, for answers that got lost
// (https://developer.okta.com/docs/guides/refresh-tokens/main/).
const DefaultRotationLeeway = 30 * time.Second

// DefaultRefreshLifetime is how long refresh tokens live at most, rotated or not.
const DefaultRefreshLifetime = 90 * 24 * time.Hour

// token is the token endpoint (RFC 6749 section 3.2).
func (c *call) token() *oauth.Error {
	c.noStore()
	form, failed := c.form("resource", "audience")
	if failed != nil {
		c.audited(audit.GrantFailed, failed)
		return failed
	}
	client, failed := c.client(form)
	if failed != nil {
		c.audited(audit.GrantFailed, failed)
		return failed
	}
	switch form.Get("grant_type") {
	case oauth.AuthorizationCode:
		return c.codeGrant(client, form)
	case oauth.RefreshToken:
		return c.refreshGrant(client, form)
	case oauth.TokenExchange:
		return c.exchange(client, form)
	case "":
		failed = oauth.Invalid("grant_type is missing")
	default:
		// jwt-bearer is among these: an identity provider does not redeem its own ID-JAGs (ID-JAG draft-04 section 8.3).
		failed = oauth.Fail("unsupported_grant_type", "unsupported_grant_type",
			"the authorization server has no grant type "+oauth.Printable(form.Get("grant_type")))
	}
	c.audited(audit.GrantFailed, failed)
	return failed
}

// codeGrant redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
func (c *call) codeGrant(client *directory.Client, form url.Values) *oauth.Error {
	check := func(code vault.Code) error {
		switch {
		case code.Server != c.server.ID:
			return errors.New("the code is another authorization server's")
		case code.RedirectURI != form.Get("redirect_uri"):
			return errors.New("redirect_uri is not that of the authorization request")
		case !pkce(code.Challenge, form.Get("code_verifier")):
			return errors.New("code_verifier does not fit the code_challenge")
		}
		return nil
	}
	grant, err := c.Vault.Load().RedeemCode(form.Get("code"), client.ID, check, c.refreshEnds(), c.now)
	if err != nil {
		return c.refuseGrant("invalid_authorization_code", "authorization code: "+err.Error())
	}
	refresh := ""
	if slices.Contains(grant.Scopes, "offline_access") {
		refresh = c.Vault.Load().RefreshToken(grant)
	}
	return c.grantTokens(client, grant, grant.Scopes, refresh, audit.GrantIDToken)
}

// pkce compares a verifier with its challenge. One without the other does not fit (RFC 9700 section 2.1.1).
func pkce(challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return len(verifier) >= 43 && subtle.ConstantTimeCompare([]byte(encode(sum[:])), []byte(challenge)) == 1
}

// refreshEnds is when a refresh token that is issued now ends for good.
func (c *call) refreshEnds() time.Time {
	return c.now.Add(cmp.Or(time.Duration(c.dir.Settings.RefreshLifetime), DefaultRefreshLifetime))
}

func (c *call) refuseGrant(id, description string) *oauth.Error {
	failed := oauth.Fail("invalid_grant", id, description)
	c.audited(audit.GrantFailed, failed)
	return failed
}

// refreshGrant uses a refresh token (RFC 6749 section 6). Scopes can be narrowed for the access token, never widened.
func (c *call) refreshGrant(client *directory.Client, form url.Values) *oauth.Error {
	grant, next, failed := c.useRefresh(client, form.Get("refresh_token"), client.Rotation != directory.Static)
	if failed != nil {
		return failed
	}
	scopes := grant.Scopes
	if asked := oauth.Scopes(form.Get("scope")); len(asked) > 0 {
		for _, s := range asked {
			if !slices.Contains(grant.Scopes, s) {
				failed := oauth.Fail("invalid_scope", "invalid_scope", "the refresh token has no scope "+oauth.Printable(s))
				c.audited(audit.GrantFailed, failed)
				return failed
			}
		}
		scopes = asked
	}
	return c.grantTokens(client, grant, scopes, next, audit.GrantRefreshToken)
}

// useRefresh takes a refresh token of the client whose user may still sign in. Someone who may not any more loses it.
func (c *call) useRefresh(client *directory.Client, token string, rotate bool) (vault.Grant, string, *oauth.Error) {
	leeway := DefaultRotationLeeway
	if client.RotationLeeway != nil {
		leeway = time.Duration(*client.RotationLeeway)
	}
	if token == "" {
		failed := oauth.Invalid("the refresh token is missing")
		c.audited(audit.GrantFailed, failed)
		return vault.Grant{}, "", failed
	}
	grant, next, err := c.Vault.Load().Refresh(token, client.ID, rotate, leeway, c.now)
	c.entry.User = grant.User
	if errors.Is(err, vault.ErrUsed) {
		reuse := c.entry
		reuse.Type, reuse.Outcome, reuse.Detail = audit.ReuseDetected, audit.Failure,
			"every token since the sign-in is revoked"
		c.Record(reuse)
	}
	if err == nil && grant.Server != c.server.ID {
		err = errors.New("issued by another authorization server")
	}
	if err != nil {
		return grant, "", c.refuseGrant("invalid_refresh_token", "refresh token: "+err.Error())
	}
	if rule, denied := directory.MaySignIn(client, c.dir.User(grant.User)); denied != nil {
		c.Vault.Load().Revoke(grant)
		c.entry.Rule = rule
		return grant, "", c.refuseGrant(denied.ID, denied.Description)
	}
	return grant, next, nil
}

// grantTokens answers with the tokens of a grant: an access token, an ID token for scope openid, and the refresh token.
func (c *call) grantTokens(client *directory.Client, g vault.Grant, scopes []string, refresh,
	kind string) *oauth.Error {
	user := c.dir.User(g.User)
	if rule, denied := directory.MaySignIn(client, user); denied != nil {
		c.entry.Rule = rule
		return c.refuseGrant(denied.ID, denied.Description)
	}
	access, lifetime, err := c.accessToken(client, user, g, scopes)
	if err != nil {
		return c.internal(err)
	}
	body := map[string]any{"token_type": "Bearer", "expires_in": int(lifetime / time.Second), "access_token": access,
		"scope": join(scopes)}
	if refresh != "" {
		body["refresh_token"] = refresh
	}
	if slices.Contains(scopes, "openid") {
		idToken, jti, err := c.idToken(client, user, g, scopes, access)
		if err != nil {
			return c.internal(err)
		}
		body["id_token"], c.entry.JTI = idToken, jti
	}
	c.entry.User, c.entry.Granted = user.ID, scopes
	c.audited(kind, nil)
	c.json(http.StatusOK, body)
	return nil
}

// internal is a failure of the identity provider itself.
func (c *call) internal(err error) *oauth.Error {
	c.Log.Error("a token could not be made", "request", c.id, "error", err)
	failed := &oauth.Error{Status: http.StatusInternalServerError, Code: "server_error", ID: "token_not_generated",
		Description: "the token could not be made"}
	c.audited(audit.GrantFailed, failed)
	return failed
}
