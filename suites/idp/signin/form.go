package signin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/wire"
)

// most pages and redirects between the authorization request and its end.
const mostSteps = 20

// mostPasswords is how often a password is sent in one run: a third failure locks accounts.
const mostPasswords = 2

// form walks the code flow through HTML forms and redeems the code.
func (d *Desk) form(v *visit, a Ask) (Tokens, error) {
	d.mu.Lock()
	refused := d.refused[a.User.Login]
	d.mu.Unlock()
	if refused != nil {
		return Tokens{}, refused
	}
	w := d.newWalk(v, a, Authorization{Redirect: a.Client.RedirectURI, kept: true})
	end, err := w.toEnd()
	if err != nil {
		d.remember(a.User.Login, w.passwords, err)
		return Tokens{}, fmt.Errorf("the form sign-in of %s to client %s: %w", a.User.Login, a.Client.ID, err)
	}
	q := end.Query()
	if q.Get("state") != w.State {
		return Tokens{}, fmt.Errorf("the form sign-in of %s to client %s ended with another state than it began with",
			a.User.Login, a.Client.ID)
	}
	if q.Get("code") == "" {
		return Tokens{}, fmt.Errorf("the identity provider ended the sign-in of %s to client %s with %s", a.User.Login,
			a.Client.ID, outcome(q))
	}
	if v.again {
		d.keepSession(a.User.Login, w.left)
	}
	t, err := d.redeem(v, a.Client, field("grant_type", "authorization_code"), field("code", q.Get("code")),
		field("redirect_uri", a.Client.RedirectURI), field("code_verifier", w.Verifier))
	return t, err
}

// outcome is the error of an authorization response, and what it says of it (RFC 6749 section 4.1.2.1).
func outcome(q url.Values) string {
	if words := q.Get("error_description"); words != "" {
		return printable(q.Get("error")) + ": " + printable(words)
	}
	return printable(q.Get("error"))
}

// ErrPassword means that the identity provider did not take a password.
var ErrPassword = advise(errors.New("the password was not accepted"),
	"correct sign_in.form; it is not tried again, lest the account be locked")

// remember counts the passwords of a sign-in that came to nothing. What is no answer to go by is none.
func (d *Desk) remember(login string, passwords int, err error) {
	if passwords == 0 || errors.Is(err, errDisturbed) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sent == nil {
		d.sent, d.refused = map[string]int{}, map[string]error{}
	}
	if d.sent[login] += passwords; d.sent[login] >= mostPasswords || errors.Is(err, ErrPassword) {
		d.refused[login] = fmt.Errorf("the form sign-in of %s: %w", login, err)
	}
}

// Failed are the people whose password was sent and came to nothing.
func (d *Desk) Failed() (logins []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for login := range d.sent {
		logins = append(logins, login)
	}
	return logins
}

// Spare makes the desk send no passwords of these people: they failed before.
func (d *Desk) Spare(logins []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused == nil {
		d.sent, d.refused = map[string]int{}, map[string]error{}
	}
	for _, login := range logins {
		d.refused[login] = fmt.Errorf("%s could not sign in before, and is not tried again, lest the account be locked",
			login)
	}
}

// walk is one way through login pages.
type walk struct {
	*Desk
	*visit
	ask Ask
	Authorization
	jar       *cookiejar.Jar
	left      session // what is in the jar
	origins   []string
	passwords int
}

// Authorization is what an authorization request says of itself (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID
// Connect Core section 3.1.2.1).
type Authorization struct {
	Redirect string // redirect_uri
	State    string // "" makes one up
	Nonce    string // "" sends none
	Verifier string // code_verifier, whose challenge is sent; "" makes one up
	kept     bool   // it is made for tokens that are used
}

func (d *Desk) newWalk(v *visit, a Ask, r Authorization) *walk {
	r.State, r.Verifier = cmp.Or(r.State, rand.Text()), cmp.Or(r.Verifier, rand.Text()+rand.Text())
	w := &walk{Desk: d, visit: v, ask: a, Authorization: r}
	if v.again && a.MaxAge == 0 && a.ACR == "" {
		w.left = d.session(a.User.Login)
	}
	w.jar = w.left.jar()
	w.origins = []string{origin(d.Endpoints.Authorization), origin(d.Endpoints.Issuer)}
	if form := a.User.SignIn.Form; form != nil {
		w.origins = append(w.origins, form.Origins...)
		v.rec.Hide(form.Password, "password of "+a.User.Login)
	}
	v.rec.Hide(w.Verifier, "code verifier")
	return w
}

func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Walk signs a user in with any authorization request and returns where it ended: a URL that is not the identity
// provider's, or nil when it ended on a page of its own, whose words the answer has.
func (d *Desk) Walk(v Visit, a Ask, r Authorization) (end *url.URL, last *wire.Answer, err error) {
	w := d.newWalk(&visit{v.Context, v.Recorder, true, v.Part}, a, r)
	end, last, err = w.run(func(*url.URL) bool { return false })
	if end != nil && end.Query().Has("code") {
		d.keepSession(a.User.Login, w.left)
	}
	return end, last, err
}

func (w *walk) request() string {
	challenge := sha256.Sum256([]byte(w.Verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {w.ask.Client.ID}, "redirect_uri": {w.Redirect}, "scope": {Scope},
		"state":          {w.State},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
		"login_hint": {w.ask.User.Login},
	}
	if w.Nonce != "" {
		q.Set("nonce", w.Nonce)
	}
	if w.ask.MaxAge > 0 {
		q.Set("max_age", optional(w.ask.MaxAge))
	}
	if w.ask.ACR != "" {
		q.Set("acr_values", w.ask.ACR)
	}
	if w.kept && w.Config.IdP.Prompt != "" {
		q.Set("prompt", w.Config.IdP.Prompt)
	}
	separator := "?"
	if strings.Contains(w.Endpoints.Authorization, "?") {
		separator = "&"
	}
	return w.Endpoints.Authorization + separator + q.Encode()
}

// toEnd walks until the browser would be sent to the redirect URI.
func (w *walk) toEnd() (*url.URL, error) {
	end, last, err := w.run(func(u *url.URL) bool { return strings.HasPrefix(u.String(), w.Redirect) })
	switch {
	case err != nil:
		return nil, err
	case end == nil:
		err := fmt.Errorf("it ended on a page of the identity provider: %s", describe(last))
		if last != nil && scripted(last.Body) {
			err = advise(err, "it needs JavaScript: "+byHand)
		}
		return nil, err
	case !strings.HasPrefix(end.String(), w.Redirect):
		return nil, advise(fmt.Errorf("it leads to %s, which is neither the identity provider nor the redirect_uri",
			printable(wire.WithoutQuery(end.String()))),
			"name the origin in sign_in.form.origins if people sign in there")
	}
	return end, nil
}

// run walks until arrived says so, or until it leads away from the identity provider, or to a page without a form.
func (w *walk) run(arrived func(*url.URL) bool) (*url.URL, *wire.Answer, error) {
	r := &wire.Request{URL: w.request()}
	for range mostSteps {
		a := w.send(r)
		if a.Throttled() {
			return nil, a, errThrottled
		}
		if doubt := a.Doubt(); doubt != "" {
			return nil, a, fmt.Errorf("%s: %w: %s", printable(wire.WithoutQuery(r.URL)), errDisturbed, doubt)
		}
		if a.Err != nil {
			return nil, a, fmt.Errorf("%s: %w", printable(wire.WithoutQuery(r.URL)), a.Err)
		}
		at, err := url.Parse(r.URL)
		if err != nil {
			return nil, a, err
		}
		if location := a.Header.Get("Location"); location != "" && a.Status/100 == 3 {
			to, err := at.Parse(location)
			if err != nil { // no URL: it leads nowhere that is ours
				before, query, _ := strings.Cut(location, "?")
				to = &url.URL{Path: before, RawQuery: query}
			}
			if arrived(to) || !w.ours(to) {
				return to, a, nil
			}
			r = &wire.Request{URL: to.String()}
			continue
		}
		next, to, err := w.page(at, a)
		if err != nil || next == nil {
			return to, a, err
		}
		r = next
	}
	return nil, nil, advise(fmt.Errorf("no end after %d pages and redirects", mostSteps), byHand)
}

func (w *walk) ours(u *url.URL) bool { return slices.Contains(w.origins, u.Scheme+"://"+u.Host) }

// send sends a request with the cookies of the place and keeps those that come back.
func (w *walk) send(r *wire.Request) *wire.Answer {
	u, err := url.Parse(r.URL)
	if err != nil {
		return &wire.Answer{Err: err}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	var cookies []string
	for _, c := range w.jar.Cookies(u) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if len(cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	a := w.Wire.Do(w.ctx, r, w.rec, cmp.Or(w.part, reports.Setup), "sign-in of "+w.ask.User.Login)
	if a.Header != nil {
		cookies := (&http.Response{Header: a.Header}).Cookies()
		w.jar.SetCookies(u, cookies)
		w.left = w.left.with(u, cookies)
	}
	return a
}

// page fills in the form of a page. A form that posts elsewhere (response_mode=form_post) is where the walk ends.
func (w *walk) page(at *url.URL, a *wire.Answer) (next *wire.Request, end *url.URL, err error) {
	p, err := readPage(bytes.NewReader(a.Body), at)
	if err != nil {
		return nil, nil, err
	}
	if why := p.beyond(); why != "" {
		return nil, nil, advise(fmt.Errorf("%s asks for %s", printable(wire.WithoutQuery(at.String())), why), byHand)
	}
	f := p.choose(w.login())
	if f == nil {
		return nil, nil, nil
	}
	if f.password != "" {
		if w.passwords++; w.passwords > mostPasswords || w.passwords > 1 && a.Status/100 != 2 {
			return nil, nil, ErrPassword
		}
	}
	fields := f.fill(w.login())
	if !w.ours(f.action) {
		end := *f.action
		q := end.Query()
		for _, x := range fields {
			q.Set(x.Name, x.Value)
		}
		end.RawQuery = q.Encode()
		return nil, &end, nil
	}
	if f.method == http.MethodPost {
		return &wire.Request{URL: f.action.String(), Form: fields,
			Header: http.Header{"Origin": {origin(at.String())}}}, nil, nil
	}
	to, q := *f.action, url.Values{}
	for _, x := range fields {
		q.Add(x.Name, x.Value)
	}
	to.RawQuery = q.Encode()
	return &wire.Request{URL: to.String()}, nil, nil
}

func (w *walk) login() *config.Form { return w.ask.User.SignIn.Form }

// describe tells what a page says, for people.
func describe(a *wire.Answer) string {
	if a == nil {
		return "nothing came back"
	}
	if text := pageText(a.Body); text != "" {
		return fmt.Sprintf("HTTP %d, %q", a.Status, printable(text))
	}
	return a.Summary()
}

// Visit is who walks: its bounds in time, what keeps its exchanges, and what these are in the record ("" is setup).
type Visit struct {
	Context  context.Context
	Recorder *wire.Recorder
	Part     reports.Part
}
