package world

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

// Who is who.
const (
	Alice       = "demo-user@example.com"
	Mallory     = "mallory@example.com"
	ClientID    = "emaconform-client" // at the RAS
	IdPClientID = "emaconform-idp-client"
)

// Token type identifiers and grant types (RFC 8693 3, ID-JAG draft-04).
const (
	TypeIDJAG        = "urn:ietf:params:oauth:token-type:id-jag"
	TypeIDToken      = "urn:ietf:params:oauth:token-type:id_token"
	TypeRefreshToken = "urn:ietf:params:oauth:token-type:refresh_token"
	TypeSAML2        = "urn:ietf:params:oauth:token-type:saml2"
	GrantExchange    = "urn:ietf:params:oauth:grant-type:token-exchange"
	GrantJWTBearer   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	ProfileIDJAG     = "urn:ietf:params:oauth:grant-profile:id-jag"
)

// IdP is the identity provider.
type IdP struct {
	*Party
	Issuer       *mockidp.Issuer
	Metadata     map[string]any // at both places; edit it to change it
	RedirectURIs []string       // where a login may end; the client is told of the first

	// EditGiven changes the ID token that the client is given, EditIDToken those that its logins and refreshes yield, and
	// EditIDJAG what it gets for them, before they are signed.
	EditGiven   func(*mockidp.Token)
	EditIDToken func(*mockidp.Token)
	EditIDJAG   func(*mockidp.Token)
	// Forge makes the compact form of an ID token otherwise than by signing it; nil signs.
	Forge func(*mockidp.Token) string
	// Grants is the scope that is granted when one is asked for; nil: that one.
	Grants func(asked string) string
	// RequireAuth is the one client authentication method that is taken in a world that is Confidential; "" takes any.
	RequireAuth string
	// EditLogin changes the answer of a login: the parameters behind the redirect URI.
	EditLogin func(asked, answer url.Values)

	codes   map[string]*login
	refresh map[string]string // refresh token → subject
	saml    string
}

// login is an authorization request that was answered with a code.
type login struct{ subject, nonce, acr, scope, challenge, redirectURI string }

// StrangersCode is a code that the IdP gave to somebody else's login, at another browser: an attacker knows it.
func (p *IdP) StrangersCode() string {
	challenge := sha256.Sum256([]byte(rand.Text()))
	return p.code(&login{subject: Mallory,
		nonce: rand.Text(), challenge: base64.RawURLEncoding.EncodeToString(challenge[:])})
}

func (w *World) makeIdP(party *Party, keys *mockidp.KeySet) (*IdP, error) {
	redirects := w.Options.RedirectURIs
	if len(redirects) == 0 {
		free, err := freePort()
		if err != nil {
			return nil, err
		}
		redirects = []string{"http://" + free + "/callback"}
	}
	p := &IdP{
		Party: party, Issuer: &mockidp.Issuer{URL: party.URL, Keys: keys}, RedirectURIs: redirects,
		codes: map[string]*login{}, refresh: map[string]string{},
	}
	w.IdPClientSecret = w.issue(ClientSecret, w.secret("idp-"), party)
	p.Metadata = map[string]any{
		"issuer":                                            p.URL,
		"authorization_endpoint":                            p.URL + "/authorize",
		"token_endpoint":                                    p.URL + "/token",
		"jwks_uri":                                          p.URL + "/jwks",
		"grant_types_supported":                             []string{"authorization_code", "refresh_token", GrantExchange},
		"response_types_supported":                          []string{"code"},
		"subject_types_supported":                           []string{"public"},
		"id_token_signing_alg_values_supported":             []string{keys.Signing().Algorithm},
		"code_challenge_methods_supported":                  []string{"S256"},
		"token_endpoint_auth_methods_supported":             []string{"client_secret_basic", "client_secret_post", "none"},
		"scopes_supported":                                  []string{"openid", "offline_access", "email", "profile"},
		"authorization_response_iss_parameter_supported":    true,
		"identity_chaining_requested_token_types_supported": []string{TypeIDJAG},
		"dpop_signing_alg_values_supported":                 []string{"ES256"},
	}
	p.Publish("/.well-known/openid-configuration", p.Metadata)
	p.Publish("/.well-known/oauth-authorization-server", p.Metadata)
	p.Publish("/jwks", map[string]any{"keys": keys.Public().Keys})
	p.endpoints["/authorize"] = &Endpoint{Step: "login", honest: p.authorize}
	p.endpoints["/token"] = &Endpoint{Step: "token request", honest: p.token}
	return p, nil
}

func (p *IdP) sign(t *mockidp.Token) string {
	if p.Forge != nil {
		return p.Forge(t)
	}
	return hostile.Sign(t)
}

func (p *IdP) givenIDToken() string {
	t := p.Issuer.IDToken(Alice, IdPClientID)
	t.Claims["email"] = Alice
	if p.EditGiven != nil {
		p.EditGiven(t)
	}
	return p.world.issue(IDToken, hostile.Sign(t), p.Party)
}

func (p *IdP) idToken(subject, nonce, acr string) string {
	t := p.Issuer.IDToken(subject, IdPClientID)
	if nonce != "" {
		t.Claims["nonce"] = nonce
	}
	if acr != "" {
		t.Claims["acr"] = acr
	}
	if p.EditIDToken != nil {
		p.EditIDToken(t)
	}
	return p.world.issue(IDToken, p.sign(t), p.Party)
}

// NewRefreshToken is a refresh token of Alice.
func (p *IdP) NewRefreshToken() string { return p.refreshToken(Alice) }

func (p *IdP) refreshToken(subject string) string {
	token := p.world.issue(RefreshToken, "refresh-"+rand.Text(), p.Party)
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.refresh[token] = subject
	return token
}

func (p *IdP) samlAssertion() string {
	p.saml = p.world.issue(SAMLAssertion, hostile.SAMLAssertion(p.URL, IdPClientID, Alice), p.Party)
	return p.saml
}

func (p *IdP) code(l *login) string {
	code := p.world.issue(Code, "code-"+rand.Text(), p.Party)
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.codes[code] = l
	return code
}

// loginToken is the access token that comes with a login: for the IdP alone, and good for nothing here.
func (p *IdP) loginToken() string { return p.world.issue(LoginToken, "login-"+rand.Text(), p.Party) }

// authorize answers a login at once: the user is there, and allowed.
func (p *IdP) authorize(c *Call) *Reply {
	q := c.Request.URL.Query()
	if q.Get("redirect_uri") == "" {
		return oauthError(http.StatusBadRequest, "invalid_request", "redirect_uri is missing")
	}
	answer := url.Values{"iss": {p.URL}}
	if s := q.Get("state"); s != "" {
		answer.Set("state", s)
	}
	answer.Set("code", p.code(&login{
		subject: Alice, nonce: q.Get("nonce"), acr: q.Get("acr_values"), scope: q.Get("scope"),
		challenge: q.Get("code_challenge"), redirectURI: q.Get("redirect_uri"),
	}))
	if p.EditLogin != nil {
		p.EditLogin(q, answer)
	}
	separator := "?"
	if strings.Contains(q.Get("redirect_uri"), "?") {
		separator = "&"
	}
	return &Reply{
		Status: http.StatusFound,
		Header: map[string]string{"Location": q.Get("redirect_uri") + separator + answer.Encode()},
	}
}

func (p *IdP) token(c *Call) *Reply {
	if p.world.Confidential {
		method, ok := Credentials(c, p.world.IdPClientSecret)
		switch {
		case !ok:
			return oauthError(http.StatusUnauthorized, "invalid_client", "the client has a secret here")
		case p.RequireAuth != "" && method != p.RequireAuth:
			return oauthError(http.StatusUnauthorized, "invalid_client", "this client authenticates by "+p.RequireAuth)
		}
	}
	switch c.Form.Get("grant_type") {
	case "authorization_code":
		return p.redeemCode(c)
	case "refresh_token":
		subject, ok := p.lookup(p.refresh, c.Form.Get("refresh_token"))
		if !ok {
			return oauthError(http.StatusBadRequest, "invalid_grant", "unknown refresh token")
		}
		p.retire(c.Form.Get("refresh_token"))
		return &Reply{JSON: map[string]any{
			"id_token": p.idToken(subject, "", ""), "access_token": p.loginToken(), "token_type": "Bearer", "expires_in": 3600,
			"refresh_token": p.refreshToken(subject), "scope": "openid offline_access",
		}}
	case GrantExchange:
		return p.exchange(c)
	}
	return oauthError(
		http.StatusBadRequest,
		"unsupported_grant_type",
		"expected a code, a refresh token or a token exchange",
	)
}

// redeemCode checks PKCE when the client uses it, as an authorization server of old that does not insist.
func (p *IdP) redeemCode(c *Call) *Reply {
	p.world.mu.Lock()
	l := p.codes[c.Form.Get("code")]
	delete(p.codes, c.Form.Get("code"))
	p.world.mu.Unlock()
	verifier := c.Form.Get("code_verifier")
	switch {
	case l == nil:
		return oauthError(http.StatusBadRequest, "invalid_grant", "unknown code")
	case verifier != "":
		p.world.issue(Verifier, verifier, p.Party)
		sum := sha256.Sum256([]byte(verifier))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != l.challenge {
			return oauthError(http.StatusBadRequest, "invalid_grant", "the code verifier is not the one of this code")
		}
	}
	answer := map[string]any{
		"id_token": p.idToken(l.subject, l.nonce, l.acr), "access_token": p.loginToken(), "token_type": "Bearer",
		"expires_in": 3600, "scope": "openid",
	}
	if slices.Contains(strings.Fields(l.scope), "offline_access") {
		answer["refresh_token"], answer["scope"] = p.refreshToken(l.subject), "openid offline_access"
	}
	return &Reply{JSON: answer}
}

// retire ends a refresh token: each is good for one use.
func (p *IdP) retire(token string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	delete(p.refresh, token)
}

func (p *IdP) lookup(m map[string]string, k string) (string, bool) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	v, ok := m[k]
	return v, ok
}

// exchange is the token exchange (ID-JAG draft-04 4.3): for an ID-JAG, or from a SAML assertion to a refresh token
// (4.5).
func (p *IdP) exchange(c *Call) *Reply {
	subject, refused := p.subject(c)
	if refused != nil {
		return refused
	}
	if c.Form.Get("requested_token_type") == TypeRefreshToken {
		return &Reply{JSON: map[string]any{
			"issued_token_type": TypeRefreshToken, "access_token": p.refreshToken(subject), "token_type": "N_A",
			"scope": c.Form.Get("scope"), "expires_in": 1209600,
		}}
	}
	ras := p.world.rasOf(c.Form.Get("audience"))
	scope := c.Form.Get("scope")
	if p.Grants != nil {
		scope = p.Grants(scope)
	}
	token := p.Issuer.IDJAG(mockidp.Grant{
		Subject: subject, Audience: c.Form.Get("audience"), ClientID: p.world.clientID(),
		Resource: c.Form.Get("resource"), Scope: scope,
	})
	if jkt, ok := thumbprint(c, p.URL+"/token"); ok {
		token.Claims["cnf"] = map[string]any{"jkt": jkt}
	}
	if p.EditIDJAG != nil {
		p.EditIDJAG(token)
	}
	answer := map[string]any{
		"issued_token_type": TypeIDJAG, "token_type": "N_A", "expires_in": 300,
		"access_token": p.world.issue(IDJAG, hostile.Sign(token), ras...),
	}
	if scope != "" {
		answer["scope"] = scope
	}
	return &Reply{JSON: answer}
}

// subject is the user that a subject token stands for.
func (p *IdP) subject(c *Call) (string, *Reply) {
	given := c.Form.Get("subject_token")
	switch c.Form.Get("subject_token_type") {
	case TypeSAML2:
		if given != "" && given == p.saml {
			return Alice, nil
		}
	case TypeRefreshToken:
		if s, ok := p.lookup(p.refresh, given); ok {
			return s, nil
		}
	default:
		var claims jwt.Claims
		token, err := jwt.ParseSigned(given, algorithms)
		if err == nil && token.Claims(p.Issuer.Keys.Signing().Public(), &claims) == nil {
			if claims.Expiry == nil || claims.Expiry.Time().After(time.Now()) {
				return claims.Subject, nil
			}
			return "", oauthError(http.StatusBadRequest, "invalid_grant", "the subject token has expired")
		}
	}
	return "", oauthError(http.StatusBadRequest, "invalid_grant", "the subject token is not one of ours")
}
