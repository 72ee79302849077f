// Package hostile holds the scenarios about parties that are broken: faults on the way, and bad certificates.
package hostile

import (
	"net/http"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

// step is where a party can be broken: by an endpoint of the party, or, at the MCP server, behind the check of the
// token.
type step struct {
	slug, name string
	in         *Shape // the worlds in which clients come there
	at         func(w *world.World) (*world.Party, []string)
	grant      string // the one grant type of token requests that meets it; "" are all
	overload   bool   // is only broken in ways of a party that has too much to do
}

var steps = []step{
	{slug: "resource-metadata", name: "the MCP server's metadata", in: Given,
		at: func(w *world.World) (*world.Party, []string) { return w.MCP.Party, []string{world.MetadataPath} }},
	{slug: "server-metadata", name: "the authorization server's metadata", in: Given,
		at: func(w *world.World) (*world.Party, []string) {
			return w.RAS.Party, []string{"/.well-known/oauth-authorization-server"}
		}},
	{slug: "registration", name: "the client registration", in: Unregistered, overload: true,
		at: func(w *world.World) (*world.Party, []string) { return w.RAS.Party, []string{"/register"} }},
	{slug: "idp-metadata", name: "the IdP's metadata", in: Login, overload: true,
		at: func(w *world.World) (*world.Party, []string) {
			return w.IdP.Party, []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
		}},
	{slug: "login", name: "the token request of a login", in: Login, overload: true, grant: "authorization_code",
		at: func(w *world.World) (*world.Party, []string) { return w.IdP.Party, []string{"/token"} }},
	{slug: "idp-keys", name: "the IdP's key set", in: Login, overload: true,
		at: func(w *world.World) (*world.Party, []string) { return w.IdP.Party, []string{"/jwks"} }},
	{slug: "exchange", name: "the token exchange", in: Given,
		at: func(w *world.World) (*world.Party, []string) { return w.IdP.Party, []string{"/token"} }},
	{slug: "redemption", name: "the access token request", in: Given,
		at: func(w *world.World) (*world.Party, []string) { return w.RAS.Party, []string{"/token"} }},
	{slug: "mcp", name: "the MCP server", in: Given,
		at: func(w *world.World) (*world.Party, []string) { return w.MCP.Party, []string{world.EndpointPath} }},
}

// requests are those of an attempt that came to where the party is broken.
func (s *step) requests(a *program.Attempt) (list []world.Seen) {
	party, paths := s.at(a.World)
	for _, path := range paths {
		list = append(list, a.To(party, path)...)
	}
	return slices.DeleteFunc(list, func(r world.Seen) bool {
		return s.grant != "" && r.Form.Get("grant_type") != s.grant
	})
}

// spoil breaks the party of a world.
func (s *step) spoil(w *world.World, by *fault) {
	var n atomic.Int32
	reply := func(c *world.Call) *world.Reply {
		if s.grant != "" && c.Form.Get("grant_type") != s.grant {
			return nil
		}
		c.N = int(n.Add(1))
		return by.reply(c)
	}
	if s.slug == "mcp" {
		w.MCP.Before = func(c *world.Call, _ world.Message) *world.Reply { return reply(c) }
		return
	}
	party, paths := s.at(w)
	for _, path := range paths {
		party.Endpoint(path).Before = reply
	}
}

// moment is that a request came to where the party is broken.
func (s *step) moment() *Moment {
	if s.slug == "mcp" { // broken behind the check of the token
		return Used
	}
	return &Moment{Words: "has asked for " + s.name, Seen: func(a *program.Attempt) bool { return len(s.requests(a)) > 0 }}
}

// fault is a way of being broken.
type fault struct {
	slug, what string
	reply      func(c *world.Call) *world.Reply
	judge      func(t *T, seen []world.Seen)
	waits      bool // the client has to wait
	overload   bool // the party has too much to do
	retried    bool // the client may try again: what that is like differs by the revision of MCP
}

// busy is an answer of a party that has too much to do; retryAfter is in seconds, "" names no time.
func busy(status int, retryAfter string) *world.Reply {
	reply := &world.Reply{Status: status, Header: map[string]string{}, Body: []byte("{}")}
	if retryAfter != "" {
		reply.Header["Retry-After"] = retryAfter
	}
	return reply
}

func once(status int, retryAfter string) func(*world.Call) *world.Reply {
	return func(c *world.Call) *world.Reply {
		if c.N > 1 {
			return nil
		}
		return busy(status, retryAfter)
	}
}

func always(status int, retryAfter string) func(*world.Call) *world.Reply {
	return func(*world.Call) *world.Reply { return busy(status, retryAfter) }
}

// faults are the ways of being broken.
var faults = []fault{
	{slug: "error", what: "HTTP 500", overload: true, reply: func(*world.Call) *world.Reply {
		return &world.Reply{Status: http.StatusInternalServerError, Body: []byte("oops")}
	}},
	{slug: "throttled", what: "HTTP 429 with Retry-After: 1, once", reply: once(http.StatusTooManyRequests, "1"),
		judge: judgeRetry, waits: true, retried: true, overload: true},
	{slug: "unavailable", what: "HTTP 503 with Retry-After: 1, once", reply: once(http.StatusServiceUnavailable, "1"),
		judge: judgeRetry, waits: true, retried: true, overload: true},
	{slug: "throttled-bare", what: "HTTP 429 without Retry-After, always", reply: always(http.StatusTooManyRequests, ""),
		judge: judgeTries, overload: true},
	{slug: "unavailable-bare", what: "HTTP 503 without Retry-After, always",
		reply: always(http.StatusServiceUnavailable, ""), judge: judgeTries, overload: true},
	{slug: "unavailable-long", what: "HTTP 503 with Retry-After: 86400, always",
		reply: always(http.StatusServiceUnavailable, "86400"), judge: judgeTries, overload: true},
	{slug: "html", what: "an HTML page with status 200", reply: func(*world.Call) *world.Reply {
		return &world.Reply{
			Header: map[string]string{"Content-Type": "text/html"},
			Body:   []byte("<!doctype html><title>Sign in</title>"),
		}
	}},
	{slug: "truncated", what: "JSON that breaks off", reply: func(*world.Call) *world.Reply {
		return &world.Reply{
			Header: map[string]string{"Content-Type": "application/json"},
			Body:   []byte(`{"issuer": "htt`),
			Cut:    true,
		}
	}},
	{slug: "endless", what: "a body without end", reply: func(*world.Call) *world.Reply {
		return &world.Reply{
			Header:  map[string]string{"Content-Type": "application/json"},
			Body:    []byte(`{"a": "`),
			Endless: true,
		}
	}, judge: judgeRead},
	{slug: "slow", what: "no answer at all", reply: func(*world.Call) *world.Reply {
		return &world.Reply{Delay: time.Hour}
	},
		waits: true},
}

var _ = check.For("CL-HOSTILE", func() {
	for _, step := range steps {
		for _, fault := range faults {
			if step.overload && !fault.overload {
				continue
			}
			breaks(step.slug+"-"+fault.slug, step.in, &step, &fault)
			if step.slug != "mcp" || !fault.retried {
				continue
			}
			for _, revision := range ByEachRevision {
				breaks(step.slug+"-"+fault.slug+"-"+revision.Slug, revision.In, &step, &fault)
			}
		}
	}
})

// breaks declares that a party is broken at a step, in the worlds of a shape.
func breaks(slug string, in *Shape, step *step, fault *fault) {
	var options []check.Option
	if fault.waits {
		options = append(options, check.Slow())
	}
	moment := step.moment()
	It(slug, "ends in bounded time and with an error when "+step.name+" gives "+fault.what,
		in.But("A party that is broken at "+step.name+": it gives "+fault.what,
			func(w *world.World) { step.spoil(w, fault) }).From(moment),
		func(t *T) {
			if !in.Needed && t.Honest != nil && t.Honest.World != nil && !moment.Seen(t.Honest) {
				t.Skipf("the client never asks for %s", step.name)
			}
			survived(t)
			if fault.judge != nil {
				fault.judge(t, step.requests(t.Attempt))
			}
		}, options...)
}

var crash = regexp.MustCompile(
	`(?m)^(panic:|fatal error:|Traceback \(most recent|thread '.*' panicked|Segmentation fault)|SIGSEGV`,
)

// survived fails when a client hung, flooded, crashed, or kept what happened to itself.
func survived(t *T) {
	switch {
	case t.TimedOut || t.Flooded:
		t.MustBeTempted()
		t.Failf("expected the client to end by itself, but %s", t.Summary())
	case crash.Match(t.Stderr) || crash.Match(t.Stdout):
		t.Failf("expected an error for the user, but the client crashed: see what it printed")
	case !t.Through():
		t.Tells()
	}
}

// judgeRetry wants the pause that was asked for before the next try.
func judgeRetry(t *T, seen []world.Seen) {
	for i := 1; i < len(seen); i++ {
		pause := seen[i].At.Sub(seen[i-1].At)
		if seen[i-1].Answer.Get("Retry-After") != "" && seen[i].Method == seen[i-1].Method &&
			seen[i].Path == seen[i-1].Path && pause < 900*time.Millisecond {
			t.Failf(
				"expected a pause of 1 s as Retry-After says, but the next request came after %d ms",
				pause.Milliseconds(),
			)
		}
	}
}

// judgeTries wants a bound on how often a party is asked that does not answer.
func judgeTries(t *T, seen []world.Seen) {
	tries := 0
	for _, s := range seen {
		if s.Status == http.StatusTooManyRequests || s.Status == http.StatusServiceUnavailable {
			tries++
		}
	}
	if tries > Enough {
		t.Failf("expected the client to give up after a few tries, but it asked %d times", tries)
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
