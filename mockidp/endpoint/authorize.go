package endpoint

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/page"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// authRequest is a checked authorization request (OpenID Connect Core section 3.1.2.1, RFC 7636).
type authRequest struct {
	client      *directory.Client
	redirectURI string
	state       string
	mode        string // response_mode
	scopes      []string
	nonce       string
	challenge   string
	prompt      []string
	maxAge      time.Duration // negative: none asked
	acr         []string
	loginHint   string
	query       url.Values
}

// authorize is the authorization endpoint. Until client and redirect URI are known to be right, errors are shown to the
// user; after that they go to the client (RFC 6749 section 4.1.2.1).
func (c *call) authorize() *oauth.Error {
	c.noStore()
	q, problem := c.authParameters()
	if problem != "" {
		return c.notice(http.StatusBadRequest, "This sign-in cannot begin", problem)
	}
	a, problem := c.addressee(q)
	if problem != "" {
		return c.notice(http.StatusBadRequest, "This sign-in cannot begin", problem)
	}
	c.seen.Client, c.entry.Client = a.client.ID, a.client.ID
	if failed := a.parse(q, c.server); failed != nil {
		return c.reject(a, failed)
	}
	session, waiting, failed := c.session(a)
	if waiting {
		return nil
	}
	if failed == nil {
		c.entry.User = session.User
		if rule, denied := directory.MaySignIn(a.client, c.dir.User(session.User)); denied != nil {
			c.entry.Rule = rule
			failed = oauth.Fail("access_denied", denied.ID, denied.Description)
		}
	}
	if failed != nil {
		return c.reject(a, failed)
	}
	return c.issueCode(a, session)
}

func (c *call) authParameters() (url.Values, string) {
	q := c.r.URL.Query()
	if c.r.Method == http.MethodPost {
		form, failed := oauth.Form(c.w, c.r)
		if failed != nil {
			return nil, failed.Description
		}
		q = form
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, "The parameter " + oauth.Printable(name) + " is given twice."
		}
	}
	c.seen.Request = observe.RedactForm(q)
	return q, ""
}

// addressee finds the client and the redirect URI, which is compared exactly (RFC 9700 section 4.1.3).
func (c *call) addressee(q url.Values) (*authRequest, string) {
	client := c.dir.Client(q.Get("client_id"))
	if client == nil {
		return nil, "No client has the client_id " + oauth.Printable(q.Get("client_id")) + "."
	}
	uri := q.Get("redirect_uri")
	if !redirectAllowed(client, uri) {
		return nil, "The redirect_uri is not one of those registered for the client, to the letter: " + oauth.Printable(uri)
	}
	return &authRequest{client: client, redirectURI: uri, state: q.Get("state"), mode: "query", query: q, maxAge: -1}, ""
}

func redirectAllowed(client *directory.Client, uri string) bool {
	if slices.Contains(client.RedirectURIs, uri) {
		return true
	}
	u, err := url.Parse(uri)
	if err != nil || !client.AnyLoopbackPort || u.Scheme != "http" || !loopback(u.Hostname()) || u.User != nil {
		return false
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port()) // RFC 8252 section 7.3: any port of the loopback interface
	return slices.Contains(client.RedirectURIs, u.String())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *authRequest) parse(q url.Values, s *state.Server) *oauth.Error {
	if m := q.Get("response_mode"); m != "" {
		if m != "query" && m != "form_post" {
			return oauth.Invalid("response_mode is to be query or form_post")
		}
		a.mode = m
	}
	a.scopes, a.nonce, a.loginHint = oauth.Scopes(q.Get("scope")), q.Get("nonce"), q.Get("login_hint")
	a.acr, a.prompt = strings.Fields(q.Get("acr_values")), strings.Fields(q.Get("prompt"))
	switch {
	case q.Has("request"):
		return oauth.Fail("request_not_supported", "request_not_supported", "request objects are not supported")
	case q.Has("request_uri"):
		return oauth.Fail("request_uri_not_supported", "request_uri_not_supported", "request_uri is not supported")
	case q.Get("response_type") != "code":
		return oauth.Fail("unsupported_response_type", "unsupported_response_type", "response_type is to be code")
	case len(a.prompt) > 1 && slices.Contains(a.prompt, "none"):
		return oauth.Invalid("prompt none stands alone")
	}
	if failed := a.parseScopes(s); failed != nil {
		return failed
	}
	if m := q.Get("max_age"); m != "" {
		seconds, err := strconv.ParseUint(m, 10, 31)
		if err != nil {
			return oauth.Invalid("max_age is to be a number of seconds")
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	return a.parsePKCE(q)
}

// standardScopes are those that every authorization server has (OpenID Connect Core sections 3.1.2.1, 5.4 and 11).
var standardScopes = []string{"openid", "profile", "email", "groups", "address", "phone", "offline_access"}

func (a *authRequest) parseScopes(s *state.Server) *oauth.Error {
	if len(a.scopes) == 0 || s.IsOrg() && !slices.Contains(a.scopes, "openid") {
		return oauth.Fail("invalid_scope", "missing_scopes", "scope is to contain openid")
	}
	for _, scope := range a.scopes {
		if !slices.Contains(standardScopes, scope) && !slices.Contains(s.Scopes, scope) {
			return oauth.Fail("invalid_scope", "invalid_scope", "the authorization server has no scope "+oauth.Printable(scope))
		}
	}
	return nil
}

// parsePKCE takes S256 only, and demands it of public clients (RFC 7636, RFC 9700 section 2.1.1).
func (a *authRequest) parsePKCE(q url.Values) *oauth.Error {
	a.challenge = q.Get("code_challenge")
	method := q.Get("code_challenge_method")
	switch {
	case a.challenge == "" && (a.client.Auth == directory.Public || a.client.RequirePKCE):
		return oauth.Fail("invalid_request", "pkce_required", "the client has to send a code_challenge")
	case a.challenge == "" && method != "":
		return oauth.Invalid("code_challenge_method without code_challenge")
	case a.challenge != "" && method != "S256":
		return oauth.Invalid("code_challenge_method is to be S256")
	case a.challenge != "" && len(a.challenge) != 43:
		return oauth.Invalid("code_challenge is to be a SHA-256 in base64url, 43 characters")
	}
	return nil
}

func (c *call) issueCode(a *authRequest, s vault.Session) *oauth.Error {
	auth := s.Auth
	if acr := directory.SatisfiedACR(a.acr, auth.AMR); acr != "" {
		auth.ACR = acr
	}
	code := c.Vault.Load().IssueCode(vault.Code{
		Client: a.client.ID, User: s.User, RedirectURI: a.redirectURI, Server: c.server.ID, Scopes: a.scopes, Nonce: a.nonce,
		Challenge: a.challenge, ACRAsked: len(a.acr) > 0, Session: s.ID, Auth: auth,
	}, c.now)
	c.entry.Asked = a.scopes
	c.audited(audit.Authorize, nil)
	return c.respond(a, url.Values{"code": {code}})
}

// reject sends an error to the client.
func (c *call) reject(a *authRequest, failed *oauth.Error) *oauth.Error {
	c.seen.Error = failed.Code
	c.audited(audit.Authorize, failed)
	return c.respond(a, url.Values{"error": {failed.Code}, "error_description": {failed.Description}})
}

// respond sends the authorization response by the response mode.
func (c *call) respond(a *authRequest, v url.Values) *oauth.Error {
	if a.state != "" {
		v.Set("state", a.state)
	}
	if c.Flavour.ResponseIssuer {
		v.Set("iss", c.server.Issuer) // RFC 9207
	}
	if a.mode == "form_post" {
		d := page.Data{Action: a.redirectURI, Onward: onward(a.redirectURI)}
		for name, values := range v {
			d.Fields = append(d.Fields, [2]string{name, values[0]})
		}
		c.seen.Status = http.StatusOK
		page.Write(c.w, http.StatusOK, page.FormPost, d)
		return nil
	}
	u, err := url.Parse(a.redirectURI)
	if err != nil {
		return oauth.Invalid("redirect_uri is no URI") // registered ones are checked
	}
	q := u.Query()
	for name, values := range v {
		q.Set(name, values[0])
	}
	u.RawQuery = q.Encode()
	c.redirect(u.String())
	return nil
}

func (c *call) redirect(to string) {
	c.seen.Status = http.StatusFound
	c.w.Header().Set("Location", to)
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	c.w.WriteHeader(http.StatusFound)
}

// notice shows a page to the user.
func (c *call) notice(status int, title, message string) *oauth.Error {
	c.seen.Status = status
	page.Write(c.w, status, page.Notice, page.Data{Title: title, Message: message})
	return nil
}
