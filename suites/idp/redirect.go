package idp

import (
	"net/url"
	"strings"

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
	{"path-appended", "with a path appended", func(u *url.URL) string { return u.String() + "/more" }},
	{"slash-appended", "with a slash appended", func(u *url.URL) string { return u.String() + "/" }},
	{"query-appended", "with a query appended", func(u *url.URL) string { return u.String() + "?x=1" }},
	{"fragment-appended", "with a fragment appended", func(u *url.URL) string { return u.String() + "#x" }},
	{"suffix", "with letters appended", func(u *url.URL) string { return u.String() + "2" }},
	{"parent", "that climbs out of its folder", func(u *url.URL) string { return u.String() + "/../evil" }},
	{"other-scheme", "of another scheme", func(u *url.URL) string {
		return map[string]string{"https": "http", "http": "https"}[u.Scheme] + strings.TrimPrefix(u.String(), u.Scheme)
	}},
	{"other-host", "at another host", with(func(u *url.URL) { u.Host = "evil.example" })},
	{"other-port", "at another port", with(func(u *url.URL) { u.Host = u.Hostname() + ":8443" })},
	{"subdomain", "at a subdomain", with(func(u *url.URL) { u.Host = "evil." + u.Host })},
	{"host-suffix", "at a host that begins like the right one", with(func(u *url.URL) { u.Host = u.Hostname() + ".evil.example" })},
	{"userinfo", "with the right host as user information", with(func(u *url.URL) { u.User, u.Host = url.User(u.Host), "evil.example" })},
	{"percent-encoding", "with a percent-encoded letter", func(u *url.URL) string {
		s := u.String()
		return s[:len(s)-1] + "%" + strings.ToUpper(hexOf(s[len(s)-1]))
	}},
	{"other-case", "in other letters", func(u *url.URL) string { return strings.TrimSuffix(u.String(), u.Path) + strings.ToUpper(u.Path) }},
}

func hexOf(b byte) string {
	const digits = "0123456789abcdef"
	return string(digits[b>>4]) + string(digits[b&15])
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
			if end := walk(t, registered.String()); end == nil || !strings.HasPrefix(end.String(), registered.String()) {
				t.Inconclusivef("the sign-in with the registered redirect URI does not end there, so nothing is known of others")
			}
			uri := variant.of(registered)
			end := walk(t, uri)
			if end == nil {
				return // a page of the identity provider
			}
			if asked, err := url.Parse(uri); err != nil || end.Host != asked.Host || !response(end) || bare(end) == bare(registered) {
				return // to a place of the identity provider's choice, or to the registered one
			}
			t.Failf("the sign-in ends at %s, which is not registered", wire.Printable(wire.WithoutQuery(end.String()), 200))
		}, check.With(NeedsWalk), check.Sends("A sign-in to its end with the registered redirect URI, then one with it "+variant.what+"."))
	}
})

// walk signs Alice in with a redirect URI and returns where that ended, nil for a page of the identity provider.
func walk(t *T, uri string) *url.URL {
	end, last, err := t.Desk.Walk(signin.Visit{Context: t, Recorder: t.Recorder()}, signin.Ask{User: t.Alice(), Client: t.A()}, uri)
	if last != nil && last.Doubt() != "" {
		t.Doubtf("%s", last.Doubt())
	}
	if err != nil {
		t.Inconclusivef("the sign-in did not come to an end: %v", err)
	}
	return end
}

// parameters are those of an authorization response (RFC 6749 section 4.1.2, RFC 9207, OpenID Connect Session Management).
var parameters = []string{"code", "state", "iss", "session_state", "error", "error_description", "error_uri"}

// response reports whether a URL carries an authorization response.
func response(u *url.URL) bool { return u.Query().Has("code") || u.Query().Has("error") }

// bare is a URL without the parameters of an authorization response.
func bare(u *url.URL) string {
	other, q := *u, u.Query()
	for _, name := range parameters {
		q.Del(name)
	}
	other.RawQuery = q.Encode()
	return other.String()
}
