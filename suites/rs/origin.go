package rs

import (
	"net/http"
	"net/url"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

var origins = []struct {
	slug, what string
	origin     func(host string) string
}{
	{"foreign", "of another site", func(string) string { return "https://" + grammar.Word + ".example" }},
	{"extension", "of a browser's extension", func(string) string {
		return "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
	}},
	{"file", "of a file", func(string) string { return "file://" }},
	{"subdomain", "of a name below the server's own", func(host string) string {
		return "http://" + grammar.Word + "." + host
	}},
	{"other-port", "of another port of the server's host", func(host string) string { return "http://" + host + ":1" }},
	{"null", "null", func(string) string { return "null" }},
	{
		"prefix",
		"that begins like the server's own",
		func(host string) string { return "http://" + host + "." + grammar.Word + ".example" },
	},
}

// needsOrigin is for what a public server may not be asked without more: it may take the origins that it lists.
var needsOrigin = server.Need("allowed_origin", "a public server may take many origins: needs one that it takes, so "+
	"that others prove something",
	func(w *server.World) bool { return w.Config.AllowedOrigin != "" || target.Loopback(w.Config.URL) })

var _ = check.For("RS-ORIGIN", func() {
	for _, o := range origins {
		for name, request := range map[string]func(t *server.T, token string) *wire.Request{
			o.slug: func(t *server.T, token string) *wire.Request { return t.Knock(token) },
			o.slug + "-session": func(t *server.T, token string) *wire.Request {
				return t.Open(token).Request(token, "tools/list", nil)
			},
		} {
			server.It(name, "answers 403 to an Origin "+o.what+sessionWord(name, o.slug), func(t *server.T) {
				token := t.Hold()
				control := request(t, token)
				if t.Config.AllowedOrigin != "" {
					control.Header.Set("Origin", t.Config.AllowedOrigin)
				}
				if known := t.Try(control); !server.LetIn(known) && !t.Look {
					t.Inconclusivef("the control was not let in (%s), so a refusal of the attack would prove nothing", known.Summary())
				}
				u, err := url.Parse(t.Config.URL)
				Expect(err).NotTo(HaveOccurred())
				r := request(t, token)
				r.Header.Set("Origin", o.origin(u.Hostname()))
				a := t.Break(r)
				if t.Look && a.Status == http.StatusUnauthorized {
					t.Skipf("it asks for a token before it looks at the Origin: needs one (clients, users)")
				}
				Expect(a).To(server.BeStatus(http.StatusForbidden),
					"a page of another site must not drive a local server (DNS rebinding)")
			}, originOptions(name, o.slug), check.With(needsOrigin),
				check.Sends("A request with a good token as control, then the same with an Origin "+o.what))
		}
	}
})

// originOptions are those of a check with this name: what is sent outside of a session needs no token to be judged, and
// pages of other ports of this machine are let in by servers that trust all that is local, which no text forbids.
func originOptions(name, slug string) check.Option {
	return func(c *check.Check) {
		c.Open = name == slug
		if slug == "other-port" {
			check.Should()(c)
		}
	}
}

func sessionWord(name, slug string) string {
	if name == slug {
		return ""
	}
	return " within a session"
}
