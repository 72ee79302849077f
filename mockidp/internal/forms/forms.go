// Package forms tells forms of a site's own pages from those of other sites, whatever the browser says of where a form
// comes from.
package forms

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
)

// Field is the field of a form that holds its token.
const Field = "form"

// Forms are those of one site, until it is restarted: each holds a MAC of a cookie, which other sites can neither read
// nor have a browser send with a form. Cookie is the cookie's name.
type Forms struct {
	Cookie string
	key    [sha256.Size]byte
}

// New returns the forms of a site whose cookie has this name.
func New(cookie string) *Forms {
	f := &Forms{Cookie: cookie}
	rand.Read(f.key[:]) // never fails: crypto/rand ends the program first
	return f
}

// Token is what a form holds of a page that is about to be shown. set sets the cookie when the browser has none.
func (f *Forms) Token(r *http.Request, set func(value string)) string {
	value := f.value(r)
	if value == "" {
		value = rand.Text()
		set(value)
	}
	return f.mac(value)
}

// Own reports whether a form is one of a page that this browser was shown.
func (f *Forms) Own(r *http.Request, form url.Values) bool {
	value := f.value(r)
	return value != "" && hmac.Equal([]byte(form.Get(Field)), []byte(f.mac(value)))
}

// value is that of the cookie, "" where the browser has none.
func (f *Forms) value(r *http.Request) string {
	cookie, err := r.Cookie(f.Cookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (f *Forms) mac(cookie string) string {
	m := hmac.New(sha256.New, f.key[:])
	m.Write([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
