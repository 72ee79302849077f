package console

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/emaconform/emaconform/mockidp/console/inspect"
)

// secure sets the headers that every answer carries: nothing is kept, framed, scripted or loaded from elsewhere.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// ownHost reports whether the request names the issuer's host or a loopback one.
func (c *console) ownHost(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if host == strings.ToLower(c.issuer.Host) {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}

const (
	formCookie = "console_form"
	saidCookie = "console_said"
)

// token is what the forms of a page hold.
func (c *console) token(w http.ResponseWriter, r *http.Request) string {
	return c.forms.Token(r, func(value string) { c.setCookie(w, formCookie, value, 0) })
}

func (c *console) setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: c.base, MaxAge: age, HttpOnly: true,
		Secure: c.issuer.Scheme == "https", SameSite: http.SameSiteStrictMode})
}

// maxForm bounds what is read of a form, maxDrained what is read beyond so that the browser gets to see the answer.
const (
	maxForm    = 2 * inspect.MaxText // a token may come urlencoded
	maxDrained = 16 << 20
)

// problem is an error that a page shows.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

// form reads a form of one of the console's pages.
func (c *console) form(r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, problem{http.StatusUnsupportedMediaType, "Expected a form of this console " +
			"(application/x-www-form-urlencoded)."}
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return nil, problem{http.StatusBadRequest, "The form did not arrive as a whole. Send it again."}
	}
	if len(raw) > maxForm {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
		return nil, problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("The form is larger than %d KiB. A token has a "+
			"few KiB.", maxForm>>10)}
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, problem{http.StatusBadRequest, "The form is not urlencoded."}
	}
	return form, c.ownForm(r, form)
}

func (c *console) ownForm(r *http.Request, form url.Values) error {
	if new(http.CrossOriginProtection).Check(r) != nil || !c.forms.Own(r, form) {
		return problem{http.StatusForbidden, "The form is not from a page of this console that is still good. Open the " +
			"page again (cookies have to be allowed) and send it from there."}
	}
	return nil
}

// said takes the message of an action that the browser was redirected after. A page that follows what happens leaves it
// to the one that it is for.
func (c *console) said(w http.ResponseWriter, r *http.Request) string {
	_, follows := r.Header["If-None-Match"]
	cookie, err := r.Cookie(saidCookie)
	if err != nil || follows {
		return ""
	}
	c.setCookie(w, saidCookie, "", -1)
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	return string(text)
}

// back is where an action leads: a path of the console.
func (c *console) back(form url.Values) string {
	u, err := url.Parse(form.Get("back"))
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, c.base+"/") ||
		strings.Contains(u.Path, "..") {
		return c.base + "/"
	}
	return u.String()
}
