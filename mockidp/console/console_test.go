package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/console"
	"github.com/emaconform/emaconform/mockidp/directory"
)

const (
	agent = "0oa1acmeagent0000000"
	alice = "alice@acme.example"
	carol = "carol@acme.example"
)

// site is a console and a browser without JavaScript.
type site struct {
	*testing.T
	idp  *mockidp.Test
	base string
	http *http.Client
}

func open(t *testing.T, o console.Options, options ...mockidp.Option) *site {
	t.Helper()
	idp := mockidp.New(t, append(options, func(s *mockidp.ServerOptions) { s.Console = o.Handler })...)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, idp, console.URL(idp.IdP), &http.Client{Jar: jar}}
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
	at     string // path of the page that it came from, after redirects
}

func (s *site) send(req *http.Request, err error) answer {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body), res.Request.URL.Path}
}

func (s *site) get(page string) answer {
	s.Helper()
	return s.send(http.NewRequestWithContext(s.Context(), http.MethodGet, s.base+page, nil))
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// post sends a form with the token of a page of the console.
func (s *site) post(path string, form url.Values) answer {
	s.Helper()
	found := formToken.FindStringSubmatch(s.get("inspect").body)
	if found == nil {
		s.Fatal("the inspector has no form with a token")
	}
	form.Set("form", found[1])
	return s.postRaw(path, form)
}

func (s *site) postRaw(path string, form url.Values) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return s.send(req, err)
}

// pages are all there are; those of one person and one exchange are found.
func (s *site) pages() []string {
	pages := []string{"", "people", "people?q=eng", "people/" + s.idp.User(alice).ID, "groups", "clients", "connectors",
		"policies", "policies?user=" + carol + "&client=" + agent + "&connector=notes", "audit",
		"audit?q=alice&only=refused", "exchanges",
		"exchanges?only=token", "inspect", "faults", "flow"}
	for _, e := range s.idp.Exchanges() {
		pages = append(pages, "exchanges/"+e.ID)
	}
	return pages
}

var (
	loads  = regexp.MustCompile(`(?:src|<link[^>]+href)="([^"]+)"`)
	inline = regexp.MustCompile(`(?i)<style|<script(?:>| [^>]*>[^<])| style=| on[a-z]+=|javascript:`)
)

func TestPagesAreSafeAndWhole(t *testing.T) {
	for _, o := range []console.Options{{}, {Write: true}} {
		s := open(t, o)
		s.idp.Login(alice, agent, "profile", "offline_access")
		s.idp.Must(s.idp.Fault(mockidp.Fault{Endpoint: mockidp.EndpointRevoke, Count: 1}))
		s.idp.Must(s.idp.Edit(mockidp.Edit{Token: mockidp.TokenIDJAG, Set: map[string]any{"aud": "x"}}))
		for _, page := range s.pages() {
			a := s.get(page)
			if a.status != http.StatusOK || !strings.Contains(a.body, "</html>") {
				t.Errorf("/%s: status %d, %d bytes", page, a.status, len(a.body))
			}
			csp := a.header.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") ||
				a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("/%s: headers are %v", page, a.header)
			}
			for _, found := range loads.FindAllStringSubmatch(a.body, -1) {
				if !strings.HasPrefix(found[1], console.Path+"/static/") {
					t.Errorf("/%s loads %s", page, found[1])
				}
			}
			if found := inline.FindString(a.body); found != "" {
				t.Errorf("/%s has %q in it: no policy would let it run", page, found)
			}
			if strings.Contains(a.body, "development-secret") {
				t.Errorf("/%s shows a client's secret", page)
			}
			if changes := strings.Contains(a.body, "/do/"); changes && !o.Write {
				t.Errorf("/%s offers to change things though the console is read-only", page)
			}
		}
	}
}

func TestStaticFilesAreThere(t *testing.T) {
	s := open(t, console.Options{})
	for _, found := range loads.FindAllStringSubmatch(s.get("audit").body, -1) {
		a := s.send(http.NewRequestWithContext(t.Context(), http.MethodGet, s.idp.URL()+found[1], nil))
		if a.status != http.StatusOK || len(a.body) == 0 {
			t.Errorf("%s: status %d, %d bytes", found[1], a.status, len(a.body))
		}
	}
}

func TestOffUnlessSwitchedOn(t *testing.T) {
	idp := mockidp.New(t)
	res, err := http.Get(console.URL(idp.IdP))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("a console that is off answers %s", res.Status)
	}
}

func TestIssuerWithPath(t *testing.T) {
	idp, err := mockidp.NewIdP(mockidp.ServerOptions{URL: "https://idp.example/tenant", Directory: directory.Default(),
		Console: console.Options{Write: true}.Handler})
	if err != nil {
		t.Fatal(err)
	}
	if got := console.URL(idp); got != "https://idp.example/tenant/console/" {
		t.Errorf("the console is at %s", got)
	}
	res := httptest.NewRecorder()
	idp.ServeHTTP(res, httptest.NewRequest(http.MethodGet, console.URL(idp), nil))
	links := regexp.MustCompile(`(?:href|action|src)="(/[^"]*)"`)
	for _, found := range links.FindAllStringSubmatch(res.Body.String(), -1) {
		if !strings.HasPrefix(found[1], "/tenant/") {
			t.Errorf("the console links to %s", found[1])
		}
	}
	if c := res.Header().Get("Set-Cookie"); res.Code != http.StatusOK || !strings.Contains(c, "Secure") ||
		!strings.Contains(c, "Path=/tenant/console") {
		t.Errorf("status %d; the cookie's attributes are %s", res.Code, c[strings.IndexByte(c, ';')+1:])
	}
}

func TestAnswersForTheMistaken(t *testing.T) {
	s := open(t, console.Options{Write: true})
	for path, want := range map[string]int{"nothing": 404, "people/nobody": 404, "people/%zz": 400,
		"exchanges/none": 404, "people/%2e%2e": 404} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base, nil)
		if err == nil {
			req.URL.Opaque = "//" + req.URL.Host + req.URL.Path + path // as it stands, broken escapes included
		}
		if got := s.send(req, err).status; got != want {
			t.Errorf("/%s: status %d, expected %d", path, got, want)
		}
	}
	if got := s.postRaw("people", url.Values{}).status; got != http.StatusMethodNotAllowed {
		t.Errorf("a form posted to a list: status %d", got)
	}
	if got := s.post("do/nothing", url.Values{}).status; got != http.StatusNotFound {
		t.Errorf("an action that is none: status %d", got)
	}
}

func TestForeignHostIsRefused(t *testing.T) {
	s := open(t, console.Options{})
	for host, want := range map[string]int{"evil.example": 421, "127.0.0.1.evil.example": 421, "localhost:1": 200,
		"[::1]:80": 200, "10.0.0.1": 421} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base, nil)
		if err == nil {
			req.Host = host
		}
		if got := s.send(req, err).status; got != want {
			t.Errorf("Host %s: status %d, expected %d", host, got, want)
		}
	}
}

func TestHostileNamesAreText(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>"'`
	s := open(t, console.Options{Write: true}, mockidp.WithUser(directory.User{ID: "a/../b?c", Login: evil, Name: evil,
		Groups: []string{evil}}))
	for _, page := range append(s.pages(), "people/"+url.PathEscape("a/../b?c"), "people?q="+url.QueryEscape(evil),
		"audit?q="+url.QueryEscape(evil)) {
		a := s.get(page)
		if a.status != http.StatusOK || strings.Contains(a.body, "<img src=x") {
			t.Errorf("/%s: status %d, name as markup: %v", page, a.status, strings.Contains(a.body, "<img src=x"))
		}
	}
}

func TestOnlyOwnFormsCount(t *testing.T) {
	s := open(t, console.Options{Write: true})
	suspend := url.Values{"login": {alice}, "status": {"suspended"}}
	if got := s.postRaw("do/status", suspend).status; got != http.StatusForbidden {
		t.Errorf("a form without the token: status %d", got)
	}
	suspend.Set("form", "made-up")
	if got := s.postRaw("do/status", suspend).status; got != http.StatusForbidden {
		t.Errorf("a form with a made-up token: status %d", got)
	}
	other := open(t, console.Options{Write: true})
	suspend.Set("form", formToken.FindStringSubmatch(other.get("inspect").body)[1])
	if got := s.postRaw("do/status", suspend).status; got != http.StatusForbidden {
		t.Errorf("a form with another console's token: status %d", got)
	}
	found := formToken.FindStringSubmatch(s.get("inspect").body)
	suspend.Set("form", found[1])
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"do/status",
		strings.NewReader(suspend.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-site")
	}
	if got := s.send(req, err).status; got != http.StatusForbidden {
		t.Errorf("a form from another port of the same host: status %d", got)
	}
	if !s.idp.User(alice).Status.OK() {
		t.Fatal("a form that was refused has had an effect")
	}
	if a := s.post("do/status", suspend); a.status != http.StatusOK || s.idp.User(alice).Status.OK() {
		t.Errorf("an honest form: status %d, the user is %q", a.status, s.idp.User(alice).Status)
	}
}

func TestCookiesAreStrict(t *testing.T) {
	s := open(t, console.Options{})
	a := s.get("inspect")
	if c := a.header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") ||
		!strings.Contains(c, "Path=/console") {
		t.Errorf("the cookie is %s", strings.SplitAfterN(c, ";", 2)[1])
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	s := open(t, console.Options{})
	a := s.post("do/status", url.Values{"login": {alice}, "status": {"suspended"}})
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "--console=write") || !s.idp.User(alice).Status.OK() {
		t.Errorf("a read-only console: status %d, the user is %q", a.status, s.idp.User(alice).Status)
	}
}

func TestLivePagesSaveWork(t *testing.T) {
	s := open(t, console.Options{})
	s.get("audit") // sets the cookie that forms depend on
	tag := s.get("audit").header.Get("ETag")
	again := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"audit", nil)
		if err == nil {
			req.Header.Set("If-None-Match", tag)
		}
		return s.send(req, err).status
	}
	if got := again(); got != http.StatusNotModified {
		t.Errorf("a page that has not changed: status %d", got)
	}
	s.idp.Login(alice, agent)
	if got := again(); got != http.StatusOK {
		t.Errorf("a page that has changed: status %d", got)
	}
}

func TestLogsComeInLeaves(t *testing.T) {
	s := open(t, console.Options{})
	for range 120 {
		s.idp.Must(s.idp.EndSessions(alice))
	}
	first := s.get("audit")
	if n := strings.Count(first.body, `class="row entry"`); n != 100 || !strings.Contains(first.body, "Older") {
		t.Errorf("the first leaf has %d entries, expected 100 and a link to older ones", n)
	}
	if n := strings.Count(s.get("audit?leaf=1").body, `class="row entry"`); n != 20 {
		t.Errorf("the second leaf has %d entries, expected 20", n)
	}
	if n := strings.Count(s.get("audit?leaf=99999999&q=alice").body, `class="row entry"`); n != 20 {
		t.Errorf("a leaf beyond the last has %d entries, expected the last one's 20", n)
	}
}
