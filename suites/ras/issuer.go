package ras

import (
	"crypto/rand"
	"net"
	"net/url"
	"strings"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// lookalike is the trusted issuer, changed; "" where the change makes no sense for it.
func lookalike(change func(u *url.URL) string) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		u, err := url.Parse(t.IdP.URL)
		if err != nil {
			panic(err) // was parsed before
		}
		changed := change(u)
		if changed == "" || changed == t.IdP.URL {
			t.Skipf("this change of the issuer makes no difference to %s", t.IdP.URL)
		}
		honest.Claims["iss"] = changed
		return hostile.Sign(honest)
	}
}

// Each lookalike is signed with the IdP's own key: identity providers use one key for many issuers.
var issuerLookalikes = []attack{
	{slug: "slash", what: "an ID-JAG whose iss has a slash more or less at its end",
		craft: lookalike(func(u *url.URL) string { return otherSlash(u.String()) })},
	{slug: "case", what: "an ID-JAG whose iss has scheme and host in upper case",
		craft: lookalike(func(u *url.URL) string {
			return strings.ToUpper(u.Scheme+"://"+u.Host) + u.EscapedPath()
		})},
	{slug: "scheme", what: "an ID-JAG whose iss has http for https, or the other way round",
		craft: lookalike(func(u *url.URL) string {
			u.Scheme = map[string]string{"https": "http", "http": "https"}[u.Scheme]
			return u.String()
		})},
	{slug: "homoglyph", what: "an ID-JAG whose iss has one letter or digit replaced by one that looks like it",
		craft: lookalike(func(u *url.URL) string {
			const fullWidth = '\uff01' - '!' // behind ASCII, in the same order; NFKC and IDNA map it back
			return u.Scheme + "://" + string(rune(u.Host[0])+fullWidth) + u.Host[1:] + u.EscapedPath()
		})},
	{slug: "userinfo", what: "an ID-JAG whose iss is the trusted one as the user name of another host",
		craft: lookalike(func(u *url.URL) string { return u.Scheme + "://" + u.Host + "@evil.example" + u.EscapedPath() })},
	{slug: "port", what: "an ID-JAG whose iss has its default port added, or its port written with a leading zero",
		craft: lookalike(func(u *url.URL) string {
			port := "0" + u.Port()
			if u.Port() == "" {
				port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
			}
			u.Host = net.JoinHostPort(u.Hostname(), port)
			return u.String()
		})},
	{slug: "suffix", what: "an ID-JAG whose iss goes on behind the host of the trusted one",
		craft: lookalike(func(u *url.URL) string { return u.Scheme + "://" + u.Host + ".evil.example" + u.EscapedPath() })},
	{slug: "path", what: "an ID-JAG whose iss is a path below the trusted one",
		craft: lookalike(func(u *url.URL) string { return strings.TrimSuffix(u.String(), "/") + "/evil" })},
	{slug: "query", what: "an ID-JAG whose iss has a query added",
		craft: lookalike(func(u *url.URL) string { return u.String() + "?evil" })},
	{slug: "fragment", what: "an ID-JAG whose iss has a fragment added",
		craft: lookalike(func(u *url.URL) string { return u.String() + "#evil" })},
}

var _ = check.For("RAS-ISS-TRUSTED", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without iss", edit: server.Remove("iss")},
		attack{slug: "empty", what: "an ID-JAG whose iss is the empty string", edit: server.Set("iss", "")},
		attack{slug: "null", what: "an ID-JAG whose iss is null", edit: server.Set("iss", nil)},
		attack{slug: "number", what: "an ID-JAG whose iss is a number", edit: server.Set("iss", 1)},
		attack{slug: "array", what: "an ID-JAG whose iss is an array that holds the trusted one",
			craft: claim("iss", func(t *server.T) any { return []string{t.IdP.URL} })},
	)
	refuses(issuerLookalikes...)

	sends := check.Sends("An ID-JAG by an issuer that serves working keys but is not trusted, after an honest one")
	server.It("unknown", "refuses an issuer that it does not trust, however well that one's keys work", func(t *server.T) {
		t.Control(t.Grant())
		expectRefused(t, t.Attack(ofStranger(t, rand.Text())))
	}, check.With(server.NeedsCanary), refusal(), sends)

	server.It("unknown-fetch", "asks an issuer that it does not trust for nothing", func(t *server.T) {
		t.Control(t.Grant())
		id := rand.Text()
		t.Attack(ofStranger(t, id))
		expectNoHit(t, id)
	}, check.Should(), check.With(server.NeedsCanary), sends)
})

// ofStranger is an ID-JAG that the attacker issues and signs, as the canary's issuer of this id.
func ofStranger(t *server.T, id string) *server.Token {
	return t.Grant(signedBy(t.Attacker), server.Set("iss", t.Canary+"/"+id))
}

var _ = check.For("RAS-ISS-KEY-BINDING", func() {
	for _, a := range []struct {
		slug, what string
		kid        func(t *server.T) string
	}{
		{"own-kid", "an ID-JAG in the name of one trusted IdP that another one signed", func(t *server.T) string {
			return t.SecondIdP.Keys.Signing().KeyID
		}},
		{"kid-of-named", "an ID-JAG in the name and under the kid of one trusted IdP, by another", func(t *server.T) string {
			return t.IdP.Keys.Signing().KeyID
		}},
	} {
		server.It(a.slug, "refuses "+a.what, func(t *server.T) {
			t.Control(t.Grant())
			t.Control(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0]))
			attack := t.Grant(signedBy(t.SecondIdP.Keys.Signing()), server.SetHeader("kid", a.kid(t)))
			expectRefused(t, t.Attack(attack))
		}, check.With(server.NeedsSecondIdP), refusal(),
			check.Sends(sentence(a.what)+", after an honest ID-JAG of each as controls"))
	}
})
