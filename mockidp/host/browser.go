package host

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// Tokens is a token response (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3); "" is a token that was not asked for.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"` // of the access token, in seconds
}

// SignIn signs a user in to a client, by login and id, through the authorization endpoint and the sign-in page, with
// every factor that the user has, as a browser and the client would, and returns the tokens. scopes are added to
// openid. Errors are a client that is not there or has no redirect URI, and what the identity provider refuses with.
func (s *Server) SignIn(login, clientID string, scopes ...string) (Tokens, error) {
	client := s.Directory().Client(clientID)
	if client == nil || len(client.RedirectURIs) == 0 {
		return Tokens{}, fmt.Errorf("there is no client %q with a redirect URI", clientID)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return Tokens{}, err
	}
	b := browser{Server: s, client: client, verifier: rand.Text() + rand.Text(), http: s.Client()}
	b.http.Jar = jar
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	code, err := b.code(login, append([]string{"openid"}, scopes...))
	if err != nil {
		return Tokens{}, err
	}
	return b.redeem(code)
}

// Post sends a form to the token endpoint as a client does that authenticates with its secret (RFC 6749 section 2.3.1),
// and decodes the answer, a token or an error, into a pointer. The error is no answer, or one that is no JSON.
func (s *Server) Post(client *directory.Client, form url.Values, into any) (status int, err error) {
	return (&browser{Server: s, client: client, http: s.Client()}).post(form, into)
}

// browser signs in as a person with a browser would, on behalf of a client.
type browser struct {
	*Server
	client   *directory.Client
	verifier string
	http     *http.Client
}

// code walks from the authorization request over the sign-in page back to the client.
func (b *browser) code(login string, scopes []string) (string, error) {
	challenge := sha256.Sum256([]byte(b.verifier))
	to := b.AuthorizeURL() + "?" + url.Values{
		"response_type": {"code"}, "client_id": {b.client.ID}, "redirect_uri": {b.client.RedirectURIs[0]},
		"scope": {strings.Join(scopes, " ")},
		"state": {b.verifier[:10]}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
		"login_hint":            {login},
	}.Encode()
	for range 6 {
		next, err := b.visit(to, login)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(next.String(), b.client.RedirectURIs[0]) {
			if q := next.Query(); q.Get("code") != "" {
				return q.Get("code"), nil
			}
			return "", fmt.Errorf("sign-in refused: %s: %s", next.Query().Get("error"), next.Query().Get("error_description"))
		}
		to = next.String()
	}
	return "", errors.New("sign-in: too many redirects")
}

// maxPage is how much of a page is read.
const maxPage = 1 << 20

// formToken is what the form of the sign-in page holds, which proves that the page was seen.
var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// visit gets a page, fills in the sign-in form when it is that, and returns where it leads.
func (b *browser) visit(to, login string) (*url.URL, error) {
	res, err := b.http.Get(to)
	if err != nil {
		return nil, err
	}
	page, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	if token := formToken.FindSubmatch(page); token != nil && res.StatusCode == http.StatusOK {
		back := res.Request.URL.Query().Get("fromURI")
		res, err = b.http.PostForm(b.Below("/login/signin"), url.Values{"person": {login}, "second_factor": {"yes"},
			"fromURI": {back}, "form": {string(token[1])}})
		if err != nil {
			return nil, err
		}
		res.Body.Close()
	}
	next, err := res.Location()
	if err != nil {
		return nil, fmt.Errorf("sign-in as %q: the identity provider answered %s", login, res.Status)
	}
	return next, nil
}

func (b *browser) redeem(code string) (t Tokens, err error) {
	status, err := b.post(url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {b.client.RedirectURIs[0]}, "code_verifier": {b.verifier}}, &t)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the token endpoint answered %d", status)
	}
	return t, err
}

// post sends a form to the token endpoint, authenticated with the client's secret unless the form has an assertion.
func (b *browser) post(form url.Values, into any) (status int, err error) {
	basic := b.client.Auth == directory.SecretBasic && !form.Has("client_assertion")
	if !basic {
		form.Set("client_id", b.client.ID)
		if b.client.UsesSecret() {
			form.Set("client_secret", b.client.Secret)
		}
	}
	req, err := http.NewRequest(http.MethodPost, b.TokenURL(), strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		req.SetBasicAuth(url.QueryEscape(b.client.ID), url.QueryEscape(b.client.Secret))
	}
	res, err := b.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return res.StatusCode, json.NewDecoder(res.Body).Decode(into)
}
