package endpoint_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// every endpoint, those of the control API and of the console among them, by one path each.
var everyPath = []string{"/", "/nowhere", "/.well-known/openid-configuration", "/oauth2/v1/keys",
	"/oauth2/v1/authorize", "/oauth2/v1/token",
	"/oauth2/v1/userinfo", "/oauth2/v1/introspect", "/oauth2/v1/revoke", "/oauth2/v1/logout", "/login/signin",
	"/oauth2/default/v1/token",
	"/app/x/sso/saml", "/control/users", "/control/openapi.json", "/api/v1/logs"}

// A web site can give its own name the address of the identity provider, and have its visitors' browsers ask it.
func TestEveryEndpointAnswersForItsOwnHostAlone(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithControl("s"), mockidp.WithIssuer("https://idp.example/tenant"),
		func(o *mockidp.ServerOptions) { o.AllowedHosts = []string{"idp.lab"}; o.Listen = "127.0.0.1:0" })
	for host, allowed := range map[string]bool{"idp.example": true, "idp.example:8443": true, "IDP.example": true,
		"localhost":   true,
		"127.0.0.1:1": true, "[::1]:80": true, "idp.lab:9400": true, "evil.example": false, "127.0.0.1.evil.example": false,
		"localhost.evil.example": false, "idp.example.evil.example": false, "192.0.2.7": false, "evil.example:80": false} {
		for _, path := range everyPath {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				req, err := http.NewRequest(method, "https://x.invalid/tenant"+path, nil)
				harness.Must(t, err)
				req.Host = host
				if status := ask(idp, req); (status != http.StatusMisdirectedRequest) != allowed {
					t.Errorf("%s %s for %s: %d", method, path, host, status)
				}
			}
		}
	}
}

func TestNoEndpointTakesFormsOfStrangers(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithControl("s"),
		mockidp.WithClient(directory.Client{ID: "spa", RedirectURIs: []string{"https://spa.example/callback"}}))
	for origin, allowed := range map[string]bool{idp.URL(): true, "https://spa.example": true, "": true,
		"https://evil.example": false, "http://spa.example": false, "null": false, "::": false} {
		for _, path := range everyPath {
			req, err := http.NewRequest(http.MethodPost, idp.URL()+path,
				strings.NewReader(url.Values{"person": {alice}}.Encode()))
			harness.Must(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if origin != "" {
				req.Header.Set("Origin", origin)
			}
			// nobody but its own page signs in
			allowed := allowed && (path != "/login/signin" || origin != "https://spa.example")
			if status := ask(idp, req); status == http.StatusForbidden && allowed || status != http.StatusForbidden && !allowed {
				t.Errorf("%s from %q: %d", path, origin, status)
			}
		}
	}
	if log := idp.Audit().Entries(); len(log) > 0 && log[len(log)-1].User != "" {
		t.Error("somebody was signed in")
	}
}

// Any page can lead a browser to the logout endpoint: the user is asked first.
func TestLogoutByAnotherSiteIsAsked(t *testing.T) {
	idp := mockidp.New(t)
	p := visitor(t, idp)
	p.back(p.follow(p.signIn(p.authorize(), url.Values{"person": {alice}})))
	leave := func(method, site, form string) string {
		req, err := http.NewRequest(method, idp.URL()+"/oauth2/v1/logout", strings.NewReader(form))
		harness.Must(t, err)
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := p.Do(req)
		harness.Must(t, err)
		return readAll(t, res).text
	}
	var asked string
	for _, site := range []string{"cross-site", "same-site", ""} { // browsers say nothing to hosts in clear
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			asked = leave(method, site, "form=x")
			if !strings.Contains(asked, "Sign out?") || idp.Sizes()["sessions"] != 1 {
				t.Errorf("%s from %q: %d sessions; the page: %s", method, site, idp.Sizes()["sessions"], asked)
			}
		}
	}
	if page := leave(http.MethodPost, "", "form="+tokenOf(asked)); !strings.Contains(page, "Signed out") ||
		idp.Sizes()["sessions"] != 0 {
		t.Errorf("%d sessions; the page: %s", idp.Sizes()["sessions"], page)
	}
	p.back(p.follow(p.signIn(p.authorize(), url.Values{"person": {alice}})))
	if page := leave(http.MethodGet, "same-origin", ""); !strings.Contains(page, "Signed out") ||
		idp.Sizes()["sessions"] != 0 {
		t.Errorf("%d sessions; the page: %s", idp.Sizes()["sessions"], page)
	}
}

func TestUnknownPathsAreRemembered(t *testing.T) {
	idp := mockidp.New(t)
	harness.Get(t, nil, idp.URL()+"/jwks.json")
	harness.Get(t, nil, idp.URL()+"/.well-known/jwks")
	if seen := idp.Unknown(); seen.Count != 2 || seen.Path != "/.well-known/jwks" || seen.Method != http.MethodGet {
		t.Errorf("%+v", seen)
	}
	if page := harness.Get(t, nil, idp.URL()+"/"); page.Status != http.StatusOK || !strings.Contains(string(page.Body),
		"mock identity provider") {
		t.Errorf("GET /: %d", page.Status)
	}
}

// ask sends a request to the handler, whatever host its URL names.
func ask(idp *mockidp.Test, r *http.Request) int {
	w := newRecorder()
	idp.ServeHTTP(w, r)
	return w.status
}

// recorder keeps the status alone.
type recorder struct {
	header http.Header
	status int
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }
