package endpoint

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
)

// forms tells forms of this identity provider's own pages from those of other sites, whatever the browser says of where
// a form comes from: a form holds a MAC of a cookie, which other sites can neither read nor have a browser send with a
// form.
type forms struct{ key [sha256.Size]byte }

func newForms() (f forms) {
	rand.Read(f.key[:]) // never fails: crypto/rand ends the program first
	return f
}

// formField is the field of a form that holds its token.
const formField = "form"

func (f *forms) mac(cookie string) string {
	m := hmac.New(sha256.New, f.key[:])
	m.Write([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// formToken is what a form holds of a page that is about to be shown. It sets the cookie when the browser has none.
func (c *call) formToken() string {
	cookie, err := c.r.Cookie(c.formCookieName())
	if err != nil || cookie.Value == "" {
		cookie = &http.Cookie{Name: c.formCookieName(), Value: rand.Text(), Path: c.Base.Path + "/", HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Secure: c.Base.Scheme == "https"}
		http.SetCookie(c.w, cookie)
	}
	return c.forms.mac(cookie.Value)
}

// ownForm reports whether a form is one of a page that this browser was shown.
func (c *call) ownForm(form url.Values) bool {
	cookie, err := c.r.Cookie(c.formCookieName())
	return err == nil && cookie.Value != "" && hmac.Equal([]byte(form.Get(formField)), []byte(c.forms.mac(cookie.Value)))
}

func (p *site) formCookieName() string { return "form_" + p.cookieName() }
