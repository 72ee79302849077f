package signin

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
)

// session is the cookies that a sign-in left, in the order in which they came. It never changes.
type session []crumb

type crumb struct {
	at      *url.URL
	cookies []*http.Cookie
}

// jar is a new jar with the cookies of a session. Each walk has a jar of its own: what two of them are told at the same
// time must not meet.
func (s session) jar() *cookiejar.Jar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has none to give
	}
	for _, c := range s {
		jar.SetCookies(c.at, c.cookies)
	}
	return jar
}

// with is the session and what one more answer set.
func (s session) with(at *url.URL, cookies []*http.Cookie) session {
	if len(cookies) == 0 {
		return s
	}
	return append(slices.Clone(s), crumb{at, cookies})
}

// session is that of a person who has signed in, nil before.
func (d *Desk) session(login string) session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[login]
}

func (d *Desk) keepSession(login string, s session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions == nil {
		d.sessions = map[string]session{}
	}
	d.sessions[login] = s
}
