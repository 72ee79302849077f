package rs

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// identities are headers with which proxies tell who they have signed in. From anybody else they say nothing.
var identities = []string{"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Remote-User",
	"Remote-User",
	"X-User", "X-User-Id", "X-Auth-Request-User", "X-Auth-Request-Email", "X-Authenticated-User", "X-Authenticated-Userid",
	"X-Goog-Authenticated-User-Email", "X-Ms-Client-Principal-Name", "Cf-Access-Authenticated-User-Email",
	"X-Webauth-User"}

// elsewhere are headers that proxies carry tokens in.
var elsewhere = []string{"X-Access-Token", "X-Forwarded-Access-Token", "X-Auth-Request-Access-Token", "X-Auth-Token",
	"X-Token",
	"X-Authorization", "X-Forwarded-Authorization", "X-Original-Authorization", "Proxy-Authorization", "X-Api-Key",
	"X-Amzn-Oidc-Accesstoken", "Mcp-Authorization"}

// disguises are headers with which proxies say what was asked for before they changed it. From anybody else they say
// nothing.
var disguises = map[string]http.Header{
	"path": {"X-Original-Url": {"/"}, "X-Rewrite-Url": {"/"}, "X-Forwarded-Uri": {"/"}, "X-Forwarded-Path": {"/"},
		"X-Original-Uri": {"/"}},
	"health": {"X-Original-Url": {"/health"}, "X-Rewrite-Url": {"/health"}, "X-Forwarded-Uri": {"/health"}},
	"method": {"X-Http-Method-Override": {"OPTIONS"}, "X-Http-Method": {"OPTIONS"}, "X-Method-Override": {"OPTIONS"}},
	"inner": {"X-Forwarded-For": {"127.0.0.1"}, "X-Real-Ip": {"127.0.0.1"}, "X-Client-Ip": {"127.0.0.1"},
		"True-Client-Ip":   {"127.0.0.1"},
		"X-Originating-Ip": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1"}, "X-Forwarded-Host": {"localhost"}},
	"preflight":      {"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"}},
	"mcp-initialize": {"Mcp-Method": {"initialize"}}, "mcp-ping": {"Mcp-Method": {"ping"}},
	"mcp-discover": {"Mcp-Method": {"server/discover"}}, "mcp-notification": {"Mcp-Method": {"notifications/initialized"}},
}

// otherPaths are spellings of the path that a router may lead to the same place and a guard may not know.
func otherPaths(path string) map[string]string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return map[string]string{
		"path-slash": path + "/", "path-slashes": "/" + path, "path-dot": strings.TrimSuffix(path, last) + "./" + last,
		"path-dots": strings.TrimSuffix(path, last) + "x/../" + last, "path-case": strings.ToUpper(path),
		"path-encoded": strings.TrimSuffix(path, last) + "%" + hex(last[0]) + last[1:], "path-parameter": path + ";x",
		"path-below": path + "/x", "path-suffix": path + ".json",
	}
}

func hex(b byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// pathNames are the keys of otherPaths, with what each is.
var pathNames = map[string]string{
	"path-slash": "with a slash at its end", "path-slashes": "with two slashes before it",
	"path-dot":  "with a dot segment",
	"path-dots": "with dot segments that lead there", "path-case": "in capitals",
	"path-encoded":   "with one character percent-encoded",
	"path-parameter": "with a path parameter", "path-below": "with a segment more", "path-suffix": "with a file extension",
}

var _ = check.For("RS-401", func() {
	for slug, what := range pathNames {
		server.It(slug, "serves nobody without a token at its path "+what, server.InEach(func(t *server.T) {
			t.Use(t.AccessToken())
			u, err := url.Parse(t.Config.URL)
			Expect(err).NotTo(HaveOccurred())
			if strings.Trim(u.Path, "/") == "" {
				t.Skipf("the MCP server is at the root of its host")
			}
			r := t.Knock("")
			r.URL = u.Scheme + "://" + u.Host + otherPaths(strings.TrimSuffix(u.Path, "/"))[slug]
			if a := t.Break(r); server.LetIn(a) && server.Result(a) != nil {
				t.Failf("a request without a token was answered at the path %s: what guards the one path does not guard the other",
					what)
			}
		}), check.Sends("A request with a token at the server's path as control, then without one at its path "+what))
	}

	for slug, headers := range disguises {
		names := strings.Join(slices.Sorted(maps.Keys(headers)), ", ")
		server.It("disguised-"+slug, "serves nobody without a token, whatever headers of proxies say ("+slug+")",
			server.InEach(func(t *server.T) {
				t.Use(t.AccessToken())
				r := t.Knock("")
				maps.Copy(r.Header, headers)
				if a := t.Break(r); server.LetIn(a) && server.Result(a) != nil {
					t.Failf("a request without a token was answered because of its headers (%s): what is asked for stands in the "+
						"request line and the body, and who asks in the token", names)
				}
			}), check.Sends("A request with a token as control, then without one and with "+names))
	}

	server.It("get", "answers no GET without a token, in a session or not", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		judgeOpen(t, &wire.Request{Method: http.MethodGet, URL: t.Config.URL,
			Header: http.Header{"Accept": {"text/event-stream"}}})
		if t.Revisions().Sessions {
			s := t.Open(token)
			judgeOpen(t, s.With(&wire.Request{Method: http.MethodGet, URL: t.Config.URL,
				Header: http.Header{"Accept": {"text/event-stream"}}}))
		}
	}, check.Sends("A GET for the stream of events, without a token, as MCP clients open it; the same in a session "+
		"that is open"))
})

// judgeOpen fails when a stream opens. It does not wait for what the stream would say.
func judgeOpen(t *server.T, r *wire.Request) {
	ctx, cancel := context.WithTimeout(t, 2*time.Second)
	defer cancel()
	a := t.Wire.Do(ctx, r, t.Recorder(), reports.Attack, "must be refused")
	if a.Status/100 == 2 {
		t.Failf("expected HTTP 401, but a GET without a token was answered with %d: whoever asks hears what the "+
			"server says", a.Status)
	}
}

var _ = check.For("RS-TOKEN-PLACE", func() {
	server.It("identity-headers", "believes no header that names a user", server.InEach(func(t *server.T) {
		t.Use(t.AccessToken())
		for _, name := range identities {
			r := t.Knock("")
			r.Header.Set(name, t.Alice().Sub)
			if name != "X-User-Id" && t.Alice().Email != "" && strings.Contains(name, "Email") {
				r.Header.Set(name, t.Alice().Email)
			}
			if a := t.Break(r); server.LetIn(a) {
				t.Failf("a request without a token was let in because of the header %s: whoever can reach the server "+
					"is everybody", name)
			}
		}
	}), check.Slow(), check.Sends("A request with a token as control, then requests without one that name a user in "+
		"headers of proxies"))

	server.It("other-headers", "takes a token from no other header", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		for _, name := range elsewhere {
			for _, value := range []string{token, "Bearer " + token} {
				r := t.Knock("")
				r.Header.Set(name, value)
				if a := t.Break(r); server.LetIn(a) {
					t.Failf("the token was taken from the header %s: what watches over Authorization does not see it there", name)
				}
			}
		}
	}), check.Should(), check.Slow(),
		check.Sends("A request with the token in Authorization as control, then in headers of proxies"))
})

// claimed are headers that say which server a request was for.
func claimed(rawURL string) http.Header {
	u, err := url.Parse(rawURL)
	Expect(err).NotTo(HaveOccurred())
	return http.Header{"X-Forwarded-Host": {u.Host}, "X-Forwarded-Proto": {u.Scheme}, "X-Original-Host": {u.Host},
		"Forwarded": {"host=" + u.Host + ";proto=" + u.Scheme}, "X-Original-Url": {u.Path}, "X-Rewrite-Url": {u.Path},
		"X-Forwarded-Uri": {u.Path}, "X-Forwarded-Path": {u.Path}, "X-Forwarded-Prefix": {u.Path}}
}

var _ = check.For("RS-TOKEN-AUD", func() {
	server.It("other-resource-forwarded", "knows itself by its own URL, whatever headers of "+
		"proxies say", server.InEach(func(t *server.T) {
		t.Use(t.AccessToken())
		other := t.AccessToken(server.Set("resource", t.Config.SecondServer))
		t.UseWith(t.KnockAt(t.Config.SecondServer, other))
		r := t.Knock(other)
		maps.Copy(r.Header, claimed(t.Config.SecondServer))
		Expect(t.Break(r)).To(server.BeUnauthorized(), "whoever asks chooses which server it is")
	}), check.With(server.NeedsSecondServer),
		check.Sends("A token for the second MCP server, first there as control, then "+
			"to the server under test with headers that name the second one"))
})
