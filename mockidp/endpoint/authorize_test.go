package endpoint_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

const (
	callback = "http://127.0.0.1/callback"
	verifier = "a-code-verifier-of-at-least-forty-three-characters"
)

// person is a browser with cookies that follows no redirects by itself.
type person struct {
	t   *testing.T
	idp *mockidp.Test
	*http.Client
}

func visitor(t *testing.T, idp *mockidp.Test) *person {
	jar, err := cookiejar.New(nil)
	harness.Must(t, err)
	return &person{t, idp, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// authorize sends a good authorization request with changes; "" takes a parameter away.
func (p *person) authorize(changes ...string) response {
	p.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {agent}, "redirect_uri": {callback},
		"scope": {"openid offline_access"},
		"state": {"st"}, "nonce": {"n"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for i := 0; i < len(changes); i += 2 {
		if q.Del(changes[i]); changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return p.get(p.idp.URL() + "/oauth2/v1/authorize?" + q.Encode())
}

func (p *person) get(to string) response {
	p.t.Helper()
	res, err := p.Get(to)
	harness.Must(p.t, err)
	return readAll(p.t, res)
}

// signIn answers the sign-in page that res leads to and returns the response to its form.
func (p *person) signIn(res response, form url.Values) response {
	p.t.Helper()
	page, err := res.Location()
	harness.Must(p.t, err)
	if page.Path != "/login/signin" {
		p.t.Fatalf("sent to %s, expected the sign-in page", page.Path)
	}
	form.Set("fromURI", page.Query().Get("fromURI"))
	form.Set("form", tokenOf(p.get(page.String()).text))
	answer, err := p.PostForm(p.idp.URL()+"/login/signin", form)
	harness.Must(p.t, err)
	return readAll(p.t, answer)
}

// tokenOf is the token of the form of a page.
func tokenOf(page string) string {
	_, after, _ := strings.Cut(page, `name="form" value="`)
	token, _, _ := strings.Cut(after, `"`)
	return token
}

// follow gets where a redirect leads.
func (p *person) follow(res response) response {
	p.t.Helper()
	to, err := res.Location()
	harness.Must(p.t, err)
	return p.get(to.String())
}

// back is the parameters that a response brings to the client.
func (p *person) back(res response) url.Values {
	p.t.Helper()
	to, err := res.Location()
	harness.Must(p.t, err)
	if !strings.HasPrefix(to.String(), callback+"?") {
		p.t.Fatalf("sent to %s, expected the client", to.Path)
	}
	return to.Query()
}

// response is an answer whose body has been read and closed.
type response struct {
	*http.Response
	text string
}

func readAll(t *testing.T, res *http.Response) response {
	t.Helper()
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	harness.Must(t, err)
	return response{res, string(raw)}
}

func TestSignInOnThePage(t *testing.T) {
	p := visitor(t, mockidp.New(t))
	res := p.authorize()
	page := p.follow(res)
	html := page.text
	for _, want := range []string{"Sign in to Acme Agent", `value="bob@acme.example"`, "Dave Davis", "deprovisioned",
		`type="submit"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(html, "<script") {
		t.Error("the page needs JavaScript")
	}
	csp := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
		!strings.HasSuffix(csp, "form-action 'self' http://127.0.0.1") || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %s, %s", csp, page.Header.Get("Cache-Control"))
	}

	done := p.signIn(res, url.Values{"username": {" Bob@ACME.example "}})
	cookie := done.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", cookie)
	}
	back := p.back(p.follow(done))
	if back.Get("code") == "" || back.Get("state") != "st" {
		t.Errorf("%v", back)
	}
	if again := p.back(p.authorize("prompt", "none")); again.Get("code") == "" {
		t.Errorf("the session is not used: %v", again)
	}
}

func TestSignInRefuses(t *testing.T) {
	idp := mockidp.New(t)
	p := visitor(t, idp)
	for _, who := range []string{"nobody@acme.example", "dave@acme.example", "erin@acme.example", ""} {
		if res := p.signIn(p.authorize(), url.Values{"username": {who}}); res.StatusCode != http.StatusUnauthorized ||
			len(res.Cookies()) > 0 {
			t.Errorf("%q: %d, %d cookies", who, res.StatusCode, len(res.Cookies()))
		}
	}
	if back := p.back(p.follow(p.signIn(p.authorize("client_id", codepilot),
		url.Values{"person": {carol}}))); back.Get("error") != "access_denied" {
		t.Errorf("a user who is not assigned: %v", back)
	}
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example/x", "/\\evil.example",
		"javascript:alert(1)", "oauth2/v1/authorize"} {
		res, err := p.PostForm(idp.URL()+"/login/signin", url.Values{"person": {alice}, "fromURI": {elsewhere}})
		harness.Must(t, err)
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", elsewhere, res.StatusCode)
		}
	}
}

func TestFormFromAnotherSiteIsRefused(t *testing.T) {
	idp := mockidp.New(t)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req, err := http.NewRequest(http.MethodPost, idp.URL()+"/login/signin",
			strings.NewReader(url.Values{"person": {alice}, "fromURI": {"/x"}}.Encode()))
		harness.Must(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(name, value)
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

// A browser that says nothing of where a form comes from has still only its own forms taken: no other site knows the
// token.
func TestFormWithoutItsTokenChangesNothing(t *testing.T) {
	idp := mockidp.New(t)
	victim, other := visitor(t, idp), visitor(t, idp)
	page, err := victim.authorize().Location()
	harness.Must(t, err)
	own := tokenOf(victim.get(page.String()).text)
	foreign := tokenOf(other.get(page.String()).text)
	for name, token := range map[string]string{"none": "", "another browser's": foreign, "cut off": own[:len(own)-1]} {
		res, err := victim.PostForm(idp.URL()+"/login/signin", url.Values{"person": {alice}, "form": {token},
			"fromURI": {page.Query().Get("fromURI")}})
		harness.Must(t, err)
		if again := readAll(t, res); res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 ||
			tokenOf(again.text) != own {
			t.Errorf("%s: %d, %d cookies, no page to sign in on", name, res.StatusCode, len(res.Cookies()))
		}
	}
	if n := idp.Sizes()["sessions"]; n != 0 {
		t.Errorf("%d sessions began", n)
	}
	if own == foreign || victim.signIn(victim.authorize(), url.Values{"person": {alice}}).StatusCode != http.StatusFound {
		t.Error("the page's own form is not taken")
	}
}

func TestBadClientAndRedirectURIAreNeverRedirectedTo(t *testing.T) {
	p := visitor(t, mockidp.New(t))
	for name, change := range map[string][2]string{
		"unknown client": {"client_id", "0oanobody"}, "no client": {"client_id", ""}, "no redirect URI": {"redirect_uri", ""},
		"slash added": {"redirect_uri", callback + "/"}, "query added": {"redirect_uri", callback + "?x=1"},
		"another host": {"redirect_uri", "https://evil.example/callback"},
		"user added":   {"redirect_uri", "http://a@127.0.0.1/callback"},
		"https":        {"redirect_uri", "https://127.0.0.1/callback"}, "host as a prefix": {"redirect_uri",
			"http://127.0.0.1.evil.example/callback"},
		"path traversal": {"redirect_uri", "http://127.0.0.1/x/../callback"},
	} {
		if res := p.authorize(change[0], change[1]); res.StatusCode != http.StatusBadRequest ||
			res.Header.Get("Location") != "" {
			t.Errorf("%s: %d, Location %q", name, res.StatusCode, res.Header.Get("Location"))
		}
	}
	if res := p.authorize("redirect_uri", "http://127.0.0.1:49152/callback"); res.StatusCode != http.StatusFound {
		t.Errorf("a port of the loopback interface: %d", res.StatusCode)
	}
}

func TestAuthorizationErrorsGoToTheClient(t *testing.T) {
	p := visitor(t, mockidp.New(t))
	for name, c := range map[string]struct {
		changes []string
		code    string
	}{
		"response type":           {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no openid":               {[]string{"scope", "profile"}, "invalid_scope"},
		"unknown scope":           {[]string{"scope", "openid notes.read"}, "invalid_scope"},
		"plain PKCE":              {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"PKCE without method":     {[]string{"code_challenge_method", ""}, "invalid_request"},
		"challenge too short":     {[]string{"code_challenge", "abc"}, "invalid_request"},
		"prompt none and another": {[]string{"prompt", "none login"}, "invalid_request"},
		"nobody signed in":        {[]string{"prompt", "none"}, "login_required"},
		"max_age":                 {[]string{"max_age", "-1"}, "invalid_request"},
		"response mode":           {[]string{"response_mode", "fragment"}, "invalid_request"},
		"request object":          {[]string{"request", "eyJ"}, "request_not_supported"},
		"request by reference":    {[]string{"request_uri", "https://x"}, "request_uri_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			if back := p.back(p.authorize(c.changes...)); back.Get("error") != c.code || back.Get("state") != "st" ||
				back.Has("code") {
				t.Errorf("%v, expected %s", back, c.code)
			}
		})
	}
}

func TestSignInAgainWhenItIsAskedFor(t *testing.T) {
	now := time.Now()
	idp := mockidp.New(t, mockidp.WithClock(func() time.Time { return now }))
	p := visitor(t, idp)
	p.follow(p.signIn(p.authorize(), url.Values{"person": {alice}}))
	for name, changes := range map[string][]string{
		"prompt":                {"prompt", "login"},
		"max_age":               {"max_age", "10"},
		"two factors":           {"acr_values", mockidp.ACRTwoFactors},
		"two factors, or other": {"acr_values", "unknown " + mockidp.ACRTwoFactors},
	} {
		t.Run(name, func(t *testing.T) {
			idp.Advance(time.Minute)
			done := p.signIn(p.authorize(changes...), url.Values{"person": {alice}, "second_factor": {"yes"}})
			if back := p.back(p.follow(done)); back.Get("code") == "" {
				t.Errorf("%v", back)
			}
			p.follow(p.signIn(p.authorize("prompt", "login"), url.Values{"person": {alice}})) // weak again
		})
	}
	if back := p.back(p.authorize("max_age", "10")); back.Get("code") == "" {
		t.Errorf("a sign-in just now is old: %v", back)
	}
	weak := p.signIn(p.authorize("acr_values", mockidp.ACRHardware),
		url.Values{"person": {alice}, "second_factor": {"yes"}})
	if back := p.back(p.follow(weak)); back.Get("error") != "unmet_authentication_requirements" {
		t.Errorf("Alice has no hardware key: %v", back)
	}
}

func TestSilentSignIn(t *testing.T) {
	d := directory.Default().Clone()
	d.Settings.SilentLogin = alice
	harness.Must(t, d.Compile())
	p := visitor(t, mockidp.New(t, mockidp.WithDirectory(d)))
	if back := p.back(p.authorize("prompt", "none")); back.Get("code") == "" {
		t.Errorf("%v", back)
	}
	if back := p.back(visitor(t, p.idp).authorize("login_hint", "dave@acme.example", "prompt",
		"none")); back.Get("error") != "login_required" {
		t.Errorf("a deactivated user was signed in: %v", back)
	}
}

func TestFormPost(t *testing.T) {
	idp := mockidp.New(t)
	p := visitor(t, idp)
	p.follow(p.signIn(p.authorize(), url.Values{"person": {alice}}))
	res := p.authorize("response_mode", "form_post")
	html := res.text
	if res.StatusCode != http.StatusOK || !strings.Contains(html, `action="`+callback+`"`) ||
		!strings.Contains(html, `name="code"`) ||
		!strings.Contains(html, `name="state" value="st"`) {
		t.Errorf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
}
