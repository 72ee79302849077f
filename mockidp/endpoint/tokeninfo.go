package endpoint

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/forms"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/page"
)

// userinfo answers with the claims of the access token's scopes (OpenID Connect Core section 5.3). Errors are in the
// challenge, their body is empty (RFC 6750 section 3).
func (c *call) userinfo() *oauth.Error {
	c.noStore()
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return c.challenge(http.StatusUnauthorized, "")
	}
	access, live := c.Vault.Load().Access(token, c.now)
	user := c.dir.User(access.User)
	switch {
	case !live || access.Server != c.server.ID || user == nil || !user.Status.OK():
		return c.challenge(http.StatusUnauthorized, `error="invalid_token", error_description="The access token is invalid."`)
	case !slices.Contains(access.Scopes, "openid"):
		return c.challenge(http.StatusForbidden,
			`error="insufficient_scope", error_description="The scope openid is needed.", scope="openid"`)
	}
	claims := c.profile(user, access.Scopes, false)
	claims["sub"] = directory.SubjectOf(c.Flavour.Subject, user, access.Client)
	c.json(http.StatusOK, claims)
	return nil
}

func (c *call) challenge(status int, parameters string) *oauth.Error {
	c.w.Header().Set("WWW-Authenticate", strings.TrimSpace("Bearer "+parameters))
	c.seen.Status = status
	c.w.WriteHeader(status)
	return nil
}

// introspect tells a client of its own tokens (RFC 7662).
func (c *call) introspect() *oauth.Error {
	c.noStore()
	client, form, failed := c.ownToken()
	if failed != nil {
		return failed
	}
	c.json(http.StatusOK, c.introspection(client, form.Get("token")))
	return nil
}

func (c *call) introspection(client *directory.Client, token string) map[string]any {
	inactive := map[string]any{"active": false}
	if a, live := c.Vault.Load().Access(token, c.now); live && a.Client == client.ID && a.Server == c.server.ID {
		u := c.dir.User(a.User)
		if u == nil || !u.Status.OK() {
			return inactive
		}
		return map[string]any{"active": true, "token_type": "Bearer", "scope": join(a.Scopes), "client_id": a.Client,
			"sub":      u.Login,
			"username": u.Login, "uid": u.ID, "iss": c.server.Issuer, "aud": c.server.Audience, "jti": a.ID,
			"iat": a.Issued.Unix(), "exp": a.Ends.Unix()}
	}
	if g, live := c.Vault.Load().FindRefresh(token, c.now); live && g.Client == client.ID && g.Server == c.server.ID {
		u := c.dir.User(g.User)
		if _, denied := directory.MaySignIn(client, u); denied == nil {
			return map[string]any{"active": true, "token_type": "refresh_token", "scope": join(g.Scopes), "client_id": g.Client,
				"sub": u.Login, "username": u.Login, "uid": u.ID, "iss": c.server.Issuer, "exp": g.Ends.Unix()}
		}
	}
	return inactive
}

// ownToken reads a request about a token and authenticates who sent it.
func (c *call) ownToken() (*directory.Client, url.Values, *oauth.Error) {
	form, failed := c.form()
	if failed != nil {
		return nil, nil, failed
	}
	client, failed := c.client(form)
	if failed == nil && form.Get("token") == "" {
		failed = oauth.Invalid("token is missing")
	}
	return client, form, failed
}

// revoke ends a client's own token, and answers 200 whatever it was (RFC 7009). A refresh token takes every token of
// its sign-in along.
func (c *call) revoke() *oauth.Error {
	c.noStore()
	client, form, failed := c.ownToken()
	if failed != nil {
		return failed
	}
	token := form.Get("token")
	v := c.Vault.Load()
	if a, found := v.Access(token, c.now); found && a.Client == client.ID {
		v.RevokeAccess(token)
		c.entry.User, c.entry.JTI = a.User, a.ID
		c.audited(audit.Revoke, nil)
	} else if g, found := v.FindRefresh(token, c.now); found && g.Client == client.ID {
		v.Revoke(g)
		c.entry.User = g.User
		c.audited(audit.Revoke, nil)
	}
	c.seen.Status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// logout ends the browser's session (OpenID Connect RP-Initiated Logout 1.0). id_token_hint names the client whose
// registered post_logout_redirect_uri the browser may be sent to; it may have expired.
func (c *call) logout() *oauth.Error {
	c.noStore()
	q, problem := c.authParameters()
	if problem != "" {
		return c.notice(http.StatusBadRequest, "Not signed out", problem)
	}
	client, problem := c.logoutClient(q)
	if problem != "" {
		return c.notice(http.StatusBadRequest, "Not signed out", problem)
	}
	to := q.Get("post_logout_redirect_uri")
	if to != "" && (client == nil || !slices.Contains(client.LogoutURIs, to)) {
		return c.notice(http.StatusBadRequest, "Not signed out", "The post_logout_redirect_uri is not registered for "+
			"the client.")
	}
	if q.Get("id_token_hint") == "" && !c.fromHere() && !c.forms.Own(c.r, q) {
		return c.askLogout(q)
	}
	if cookie, err := c.r.Cookie(c.cookieName()); err == nil {
		if s, found := c.Vault.Load().Session(cookie.Value, c.now); found {
			c.entry.User = s.User
			c.audited(audit.SessionEnd, nil)
		}
		c.Vault.Load().EndSession(cookie.Value)
		http.SetCookie(c.w, &http.Cookie{Name: c.cookieName(), Path: c.Base.Path + "/", MaxAge: -1, HttpOnly: true})
	}
	if to == "" {
		return c.notice(http.StatusOK, "Signed out", "You are signed out of the identity provider.")
	}
	u, err := url.Parse(to)
	if err != nil {
		return oauth.Invalid("post_logout_redirect_uri is no URI") // registered ones are checked
	}
	if state := q.Get("state"); state != "" {
		v := u.Query()
		v.Set("state", state)
		u.RawQuery = v.Encode()
	}
	c.redirect(u.String())
	return nil
}

// fromHere reports whether the user or a page of this site sent the browser here, and says so
// (https://www.w3.org/TR/fetch-metadata/). Browsers say nothing to a host that they reach by name and in clear.
func (c *call) fromHere() bool {
	site := c.r.Header.Get("Sec-Fetch-Site")
	return c.r.Method == http.MethodGet && (site == "none" || site == "same-origin")
}

// askLogout asks the user before anything changes: any page could have led here (OpenID Connect RP-Initiated Logout 1.0
// section 2). The form that it shows is this site's own, and its answer comes from here.
func (c *call) askLogout(q url.Values) *oauth.Error {
	d := page.Data{Title: "Sign out?", Message: "It may be a page of another site that asks to sign you out of the " +
		"identity provider.",
		Action: c.r.URL.Path, Confirm: "Sign out"}
	to := q.Get("post_logout_redirect_uri")
	for _, k := range c.dir.Clients {
		if slices.Contains(k.LogoutURIs, to) {
			d.Onward = onward(to)
		}
	}
	q.Set(forms.Field, c.formToken())
	for name, values := range q {
		d.Fields = append(d.Fields, [2]string{name, values[0]})
	}
	c.seen.Status = http.StatusOK
	page.Write(c.w, http.StatusOK, page.Notice, d)
	return nil
}

func (c *call) logoutClient(q url.Values) (*directory.Client, string) {
	id := q.Get("client_id")
	if hint := q.Get("id_token_hint"); hint != "" {
		token, err := jwt.ParseSigned(hint, subjectAlgorithms)
		var claims jwt.Claims
		if err == nil {
			if key := c.server.Keys.Find(token.Headers[0].KeyID); key == nil || token.Claims(key.Key, &claims) != nil {
				err = jwt.ErrInvalidIssuer
			}
		}
		if err != nil || len(claims.Audience) != 1 || id != "" && id != claims.Audience[0] {
			return nil, "The id_token_hint is not an ID token of this identity provider for the client."
		}
		id = claims.Audience[0]
	}
	return c.dir.Client(id), ""
}
