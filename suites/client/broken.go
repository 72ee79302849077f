package client

import (
	"fmt"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/client/world"
)

type step struct {
	slug, name string
	at         func(w *world.World) (*world.Party, string)
}

// steps are where a party can be broken: by an endpoint of the party, or, at the MCP server, behind the check of the
// token.
var steps = []step{
	{
		"resource-metadata",
		"the MCP server's metadata",
		func(w *world.World) (*world.Party, string) { return w.MCP.Party, world.MetadataPath },
	},
	{"server-metadata", "the authorization server's metadata", func(w *world.World) (*world.Party, string) {
		return w.RAS.Party, "/.well-known/oauth-authorization-server"
	}},
	{"exchange", "the token exchange", func(w *world.World) (*world.Party, string) { return w.IdP.Party, "/token" }},
	{
		"redemption",
		"the access token request",
		func(w *world.World) (*world.Party, string) { return w.RAS.Party, "/token" },
	},
	{"mcp", "the MCP server", func(w *world.World) (*world.Party, string) { return w.MCP.Party, world.EndpointPath }},
}

// moment is that a request came to where the party is broken.
func (s *step) moment() *moment {
	if s.slug == "mcp" { // broken behind the check of the token
		return used
	}
	return &moment{"has asked for " + s.name, asked(s.at)}
}

// faults are the ways of being broken.
var faults = []struct {
	slug, what string
	reply      func(c *world.Call) *world.Reply
	judge      func(t *T, seen []world.Seen)
	waits      bool // the client has to wait
}{
	{"error", "HTTP 500", func(*world.Call) *world.Reply {
		return &world.Reply{Status: http.StatusInternalServerError, Body: []byte("oops")}
	}, nil, false},
	{"throttled", "HTTP 429 with Retry-After: 1, once", func(c *world.Call) *world.Reply {
		if c.N > 1 {
			return nil
		}
		return &world.Reply{
			Status: http.StatusTooManyRequests,
			Header: map[string]string{"Retry-After": "1"},
			Body:   []byte("{}"),
		}
	}, judgeRetry, true},
	{"html", "an HTML page with status 200", func(*world.Call) *world.Reply {
		return &world.Reply{
			Header: map[string]string{"Content-Type": "text/html"},
			Body:   []byte("<!doctype html><title>Sign in</title>"),
		}
	}, nil, false},
	{"truncated", "JSON that breaks off", func(*world.Call) *world.Reply {
		return &world.Reply{
			Header: map[string]string{"Content-Type": "application/json"},
			Body:   []byte(`{"issuer": "htt`),
			Cut:    true,
		}
	}, nil, false},
	{"endless", "a body without end", func(*world.Call) *world.Reply {
		return &world.Reply{
			Header:  map[string]string{"Content-Type": "application/json"},
			Body:    []byte(`{"a": "`),
			Endless: true,
		}
	}, judgeRead, false},
	{"slow", "no answer at all", func(*world.Call) *world.Reply { return &world.Reply{Delay: time.Hour} }, nil, true},
}

var _ = check.For("CL-HOSTILE", func() {
	for _, step := range steps {
		for _, fault := range faults {
			var options []check.Option
			if fault.waits {
				options = append(options, check.Slow())
			}
			It(step.slug+"-"+fault.slug, "ends in bounded time and with an error when "+step.name+" gives "+fault.what,
				given.but("A party that is broken at "+step.name+": it gives "+fault.what, func(w *world.World) {
					if party, path := step.at(w); step.slug != "mcp" {
						party.Endpoint(path).Before = fault.reply
						return
					}
					var n atomic.Int32
					w.MCP.Before = func(c *world.Call, _ world.Message) *world.Reply {
						c.N = int(n.Add(1))
						return fault.reply(c)
					}
				}).from(step.moment()),
				func(t *T) {
					party, path := step.at(t.World)
					survived(t)
					if fault.judge != nil {
						fault.judge(t, t.To(party, path))
					}
				}, options...)
		}
	}
})

var crash = regexp.MustCompile(
	`(?m)^(panic:|fatal error:|Traceback \(most recent|thread '.*' panicked|Segmentation fault)|SIGSEGV`,
)

// survived fails when a client hung, flooded, crashed, or kept what happened to itself.
func survived(t *T) {
	switch {
	case t.TimedOut || t.Flooded:
		t.mustBeTempted()
		t.Failf("expected the client to end by itself, but %s", t.Summary())
	case crash.Match(t.Stderr) || crash.Match(t.Stdout):
		t.Failf("expected an error for the user, but the client crashed: see what it printed")
	case !t.Through():
		t.tells()
	}
}

// judgeRetry wants the pause that was asked for before the next try.
func judgeRetry(t *T, seen []world.Seen) {
	for i := 1; i < len(seen); i++ {
		pause := seen[i].At.Sub(seen[i-1].At)
		if seen[i-1].Status == http.StatusTooManyRequests && seen[i].Method == seen[i-1].Method &&
			pause < 900*time.Millisecond {
			t.Failf(
				"expected a pause of 1 s as Retry-After says, but the next request came after %d ms",
				pause.Milliseconds(),
			)
		}
	}
}

// judgeRead wants a bound on what is read.
func judgeRead(t *T, seen []world.Seen) {
	for _, s := range seen {
		if s.Sent >= world.EndlessBody {
			t.Failf("expected a bound on the size of an answer, but the client read all of %d MiB", s.Sent>>20)
		}
	}
}

var _ = check.For("CL-TLS", func() {
	for _, p := range []struct {
		slug, name string
		of         func(*world.World) *world.Party
	}{
		{"idp", "the IdP", func(w *world.World) *world.Party { return w.IdP.Party }},
		{"ras", "the RAS", func(w *world.World) *world.Party { return w.RAS.Party }},
		{"mcp", "the MCP server", func(w *world.World) *world.Party { return w.MCP.Party }},
	} {
		for _, bad := range []mockidp.BadCertificate{mockidp.SelfSigned, mockidp.Expired, mockidp.WrongName} {
			It(p.slug+"-"+string(bad), fmt.Sprintf("refuses a certificate of %s that is bad (%s)", p.name, bad),
				https.but(fmt.Sprintf("A world with https, in which the certificate of %s is bad: %s", p.name, bad),
					func(w *world.World) { w.Certificates[p.of(w)] = bad }).from(shook(p.name, p.of)),
				func(t *T) {
					t.MustSpare(p.of(t.World), "its certificate is bad (EMA 7.3)")
					t.mustNotGetThrough("a certificate was bad")
				})
		}
	}
})
