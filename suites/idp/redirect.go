package idp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// odd are redirect URIs that are not the registered one.
var odd = []struct {
	slug, what string
	of         func(*url.URL) string
}{
	{"parent", "that climbs out of its folder", func(u *url.URL) string { return u.String() + "/../evil" }},
	{"other-host", "at another host", with(func(u *url.URL) { u.Host = "evil.example" })},
	{"other-port", "at another port", with(func(u *url.URL) { u.Host = u.Hostname() + ":8443" })},
	{"subdomain", "at a subdomain", with(func(u *url.URL) { u.Host = "evil." + u.Host })},
	{"host-suffix", "at a host that begins like the right one", with(func(u *url.URL) {
		u.Host = u.Hostname() + ".evil.example"
	})},
	{"userinfo", "with the right host as user information", with(func(u *url.URL) {
		u.User, u.Host = url.User(u.Host), "evil.example"
	})},
}

func with(change func(*url.URL)) func(*url.URL) string {
	return func(u *url.URL) string {
		other := *u
		change(&other)
		return other.String()
	}
}

var _ = check.For("IDP-REDIRECT", func() {
	for _, variant := range odd {
		It(variant.slug, "does not redirect to the registered redirect URI "+variant.what, func(t *T) {
			registered, err := url.Parse(t.A().RedirectURI)
			if err != nil {
				t.Inconclusivef("clients[0].redirect_uri is no URI")
			}
			if problem := tryRedirect(t, variant.of(registered)); problem != "" {
				t.Failf("%s", problem)
			}
		}, check.With(NeedsWalk),
			check.Sends("A sign-in to its end with the registered redirect URI, then one with it "+variant.what+"."))
	}
})

// tryRedirect signs Alice in to the end with the registered redirect URI and with this one. It says where that ended,
// when it must not have.
func tryRedirect(t *T, uri string) (problem string) {
	registered := t.A().RedirectURI
	var end *url.URL
	arrived := func(a *wire.Answer) bool { return a.Err == nil }
	t.BesideKind("sign-in", arrived, func(t *T) *wire.Answer {
		end, last := walk(t, reports.Control, registered)
		if end == nil || !strings.HasPrefix(end.String(), registered) {
			return &wire.Answer{Err: errors.New("the sign-in with the registered redirect URI does not end there")}
		}
		return last
	}, func() *wire.Answer {
		var last *wire.Answer
		end, last = walk(t, reports.Attack, uri)
		return last
	})
	if end == nil || !response(end) || bare(end.String()) == bare(registered) {
		return "" // a page of the identity provider, a place of its choice, or the registered one
	}
	asked, err := url.Parse(uri)
	if err == nil && end.Host != asked.Host && (end.Host == hostOf(registered) || !end.Query().Has("code")) {
		return "" // another address of the client's, or an error at a place of the identity provider's choice
	}
	return fmt.Sprintf("the sign-in ends at %s, which is not registered",
		wire.Printable(bare(end.String()), 200))
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

// walk signs Alice in with a redirect URI and returns where that ended, nil for a page of the identity provider. part
// is what its pages are in the record.
func walk(t *T, part reports.Part, uri string) (*url.URL, *wire.Answer) {
	return walkWith(t, part, signin.Authorization{Redirect: uri})
}

// walkWith signs Alice in with an authorization request and returns where that ended, as walk does.
func walkWith(t *T, part reports.Part, r signin.Authorization) (*url.URL, *wire.Answer) {
	end, last, err := t.Desk.Walk(signin.Visit{Context: t, Recorder: t.Recorder(), Part: part},
		signin.Ask{User: t.Alice(), Client: t.A()}, r)
	if last != nil && last.Doubt() != "" {
		t.Doubtf("%s", last.Doubt())
	}
	if err != nil {
		t.Inconclusivef("the sign-in did not come to an end: %v", err)
	}
	return end, last
}

// parameters are those of an authorization response (RFC 6749 section 4.1.2, RFC 9207, OpenID Connect Session
// Management).
var parameters = []string{"code", "state", "iss", "session_state", "error", "error_description", "error_uri"}

// response reports whether a URL carries an authorization response.
func response(u *url.URL) bool { return u.Query().Has("code") || u.Query().Has("error") }

// bare is a URL without the parameters of an authorization response.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	q := u.Query()
	for _, name := range parameters {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
