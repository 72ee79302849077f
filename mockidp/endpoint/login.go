package endpoint

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/page"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// SessionLifetime is how long a browser's sign-in lasts.
const SessionLifetime = 2 * time.Hour

// resumeParameter carries, in the URL that a sign-in returns to, the handle of the request that waited for it.
const resumeParameter = "okta_resume"

// session finds the session that answers the request, by a silent sign-in if need be. waiting says that the browser was
// sent to sign in.
func (c *call) session(a *authRequest) (s vault.Session, waiting bool, failed *oauth.Error) {
	since, resumed := c.resumed(a)
	s, found := c.cookieSession()
	switch fresh := resumed && !s.Auth.Time.Before(since.Truncate(time.Second)); {
	case found && !c.again(a, s, fresh):
		return s, false, nil
	case found && fresh && directory.SatisfiedACR(a.acr, s.Auth.AMR) == "" && len(a.acr) > 0:
		return s, false, oauth.Fail("unmet_authentication_requirements", "unmet_authentication_requirements",
			"the user cannot be authenticated by any of acr_values")
	}
	if u := c.silent(a); u != nil {
		return c.startSession(u, true), false, nil
	}
	if slices.Contains(a.prompt, "none") {
		return s, false, oauth.Fail("login_required", "login_required", "the user has to sign in")
	}
	a.query.Del(resumeParameter)
	handle := c.Vault.Load().Wait(a.query.Encode(), c.now)
	a.query.Set(resumeParameter, handle)
	c.redirect(c.Base.String() + "/login/signin?" +
		url.Values{"fromURI": {c.r.URL.Path + "?" + a.query.Encode()}}.Encode())
	return s, true, nil
}

// resumed says since when the request has waited for a sign-in, if it has.
func (c *call) resumed(a *authRequest) (since time.Time, ok bool) {
	handle := a.query.Get(resumeParameter)
	if handle == "" {
		return time.Time{}, false
	}
	a.query.Del(resumeParameter)
	return c.Vault.Load().Waited(handle, a.query.Encode(), c.now)
}

// again reports whether the user of a session has to sign in once more. fresh is a sign-in that the request waited for.
func (c *call) again(a *authRequest, s vault.Session, fresh bool) bool {
	age := c.now.Sub(s.Auth.Time)
	return slices.Contains(a.prompt, "login") && !fresh || a.maxAge >= 0 && age > a.maxAge && !fresh ||
		len(a.acr) > 0 && directory.SatisfiedACR(a.acr, s.Auth.AMR) == ""
}

// silent is the user that is signed in without a page: login_hint's, else the configured one. It is nil unless the
// directory allows silent sign-in.
func (c *call) silent(a *authRequest) *directory.User {
	name := c.dir.Settings.SilentLogin
	if name == "" {
		return nil
	}
	if a.loginHint != "" {
		name = a.loginHint
	}
	if u := c.dir.Login(name); u != nil && u.Status.OK() {
		return u
	}
	return nil
}

func (c *call) cookieSession() (vault.Session, bool) {
	cookie, err := c.r.Cookie(c.cookieName())
	if err != nil {
		return vault.Session{}, false
	}
	s, found := c.Vault.Load().Session(cookie.Value, c.now)
	return s, found && c.dir.User(s.User) != nil && c.dir.User(s.User).Status.OK()
}

// cookieName differs between identity providers on one host, for cookies know no ports.
func (p *site) cookieName() string {
	sum := sha256.Sum256([]byte(p.Issuer))
	return "sid_" + base64.RawURLEncoding.EncodeToString(sum[:6])
}

// formToken is what the form of a page holds that is about to be shown. Its cookie goes with no form of another site.
func (c *call) formToken() string {
	return c.forms.Token(c.r, func(value string) {
		http.SetCookie(c.w, &http.Cookie{Name: c.forms.Cookie, Value: value, Path: c.Base.Path + "/", HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Secure: c.Base.Scheme == "https"})
	})
}

// startSession signs a user in and sets the cookie. strong uses every factor that the user has.
func (c *call) startSession(u *directory.User, strong bool) vault.Session {
	amr := directory.Methods(u, strong)
	s := vault.Session{ID: "102" + rand.Text(), User: u.ID, Ends: c.now.Add(SessionLifetime),
		Auth: directory.Authentication{Time: c.now.Truncate(time.Second), AMR: amr, ACR: directory.ImpliedACR(amr)}}
	cookie := c.Vault.Load().StartSession(s, c.now)
	http.SetCookie(c.w, &http.Cookie{Name: c.cookieName(), Value: cookie, Path: c.Base.Path + "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: c.Base.Scheme == "https"})
	entry := c.entry
	entry.Type, entry.Outcome, entry.User = audit.SessionStart, audit.Success, u.ID
	c.Record(entry)
	return s
}

// loginPage asks who it is. GET /login/signin
func (c *call) loginPage() *oauth.Error {
	return c.showLogin(http.StatusOK, c.r.URL.Query().Get("fromURI"), "")
}

// maxPeople is how many people the page offers; the others are typed.
const maxPeople = 50

func (c *call) showLogin(status int, back, message string) *oauth.Error {
	u, ok := c.local(back)
	if !ok {
		return c.notice(http.StatusBadRequest, "This sign-in cannot begin",
			"fromURI is to be a path of this identity provider.")
	}
	q := u.Query()
	d := page.Data{Action: c.Base.Path + "/login/signin", Return: back, Token: c.formToken(),
		Message: message, Hint: q.Get("login_hint"),
		Strong: len(strings.Fields(q.Get("acr_values"))) > 0}
	if client := c.dir.Client(q.Get("client_id")); client != nil {
		d.Client = client.Name
		if uri := q.Get("redirect_uri"); redirectAllowed(client, uri) {
			d.Onward = onward(uri)
		}
	}
	for n := range c.dir.Users[:min(len(c.dir.Users), maxPeople)] {
		p := &c.dir.Users[n]
		person := page.Person{Login: p.Login, Name: p.Name, Groups: strings.Join(p.Groups, ", ")}
		if !p.Status.OK() {
			person.Note = string(p.Status)
		}
		d.People = append(d.People, person)
	}
	c.seen.Status = status
	page.Write(c.w, status, page.SignIn, d)
	return nil
}

// local is the URL that a sign-in returns to: a path of this identity provider, and nothing else.
func (c *call) local(back string) (*url.URL, bool) {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, c.Base.Path+"/") ||
		strings.HasPrefix(u.Path, "//") || strings.ContainsAny(back, "\\\r\n\t") {
		return nil, false
	}
	return u, true
}

// login signs in whom the form names. POST /login/signin
func (c *call) login() *oauth.Error {
	if err := new(http.CrossOriginProtection).Check(c.r); err != nil {
		return c.notice(http.StatusForbidden, "Refused", "The form was sent from another site.")
	}
	form, failed := oauth.Form(c.w, c.r)
	if failed != nil {
		return c.notice(failed.Status, "Refused", failed.Description)
	}
	back := form.Get("fromURI")
	if _, ok := c.local(back); !ok {
		return c.notice(http.StatusBadRequest, "Refused", "fromURI is to be a path of this identity provider.")
	}
	if !c.forms.Own(c.r, form) {
		return c.showLogin(http.StatusForbidden, back, "The form was not from this page, or from before a restart. "+
			"Sign in here; cookies have to be allowed.")
	}
	name := form.Get("person")
	if name == "" {
		name = strings.TrimSpace(form.Get("username"))
	}
	u := c.dir.Login(name)
	if u == nil || !u.Status.OK() {
		c.entry.Detail = "user name " + oauth.Printable(name)
		c.audited(audit.SessionStart, oauth.Fail("access_denied", "VERIFICATION_ERROR", "unknown or not active"))
		return c.showLogin(http.StatusUnauthorized, back, "Nobody by this name can sign in: unknown, or not active.")
	}
	c.startSession(u, form.Get("second_factor") != "")
	c.redirect(c.origin() + back)
	return nil
}

// origin is the public scheme and host.
func (p *site) origin() string { return p.Base.Scheme + "://" + p.Base.Host }

// onward is the origin of a redirect URI, which a page's form may lead to, as a source of a content security policy.
func onward(uri string) []string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return nil
	case u.Scheme == "http" || u.Scheme == "https":
		return []string{u.Scheme + "://" + u.Host}
	default:
		return []string{u.Scheme + ":"}
	}
}
