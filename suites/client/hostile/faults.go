// Package hostile holds the scenarios about parties that are broken: faults on the way, and bad certificates.
package hostile

import (
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
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
func (s *step) moment() *Moment {
	if s.slug == "mcp" { // broken behind the check of the token
		return Used
	}
	return &Moment{Words: "has asked for " + s.name, Seen: Asked(s.at)}
}

// fault is a way of being broken.
type fault struct {
	slug, what string
	reply      func(c *world.Call) *world.Reply
	judge      func(t *T, seen []world.Seen)
	waits      bool // the client has to wait
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
	{slug: "error", what: "HTTP 500", reply: func(*world.Call) *world.Reply {
		return &world.Reply{Status: http.StatusInternalServerError, Body: []byte("oops")}
	}},
	{slug: "throttled", what: "HTTP 429 with Retry-After: 1, once", reply: once(http.StatusTooManyRequests, "1"),
		judge: judgeRetry, waits: true, retried: true},
	{slug: "unavailable", what: "HTTP 503 with Retry-After: 1, once", reply: once(http.StatusServiceUnavailable, "1"),
		judge: judgeRetry, waits: true, retried: true},
	{slug: "throttled-bare", what: "HTTP 429 without Retry-After, always", reply: always(http.StatusTooManyRequests, ""),
		judge: judgeTries},
	{slug: "unavailable-bare", what: "HTTP 503 without Retry-After, always",
		reply: always(http.StatusServiceUnavailable, ""), judge: judgeTries},
	{slug: "unavailable-long", what: "HTTP 503 with Retry-After: 86400, always",
		reply: always(http.StatusServiceUnavailable, "86400"), judge: judgeTries},
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
			breaks(step.slug+"-"+fault.slug, Given, &step, &fault)
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
	It(slug, "ends in bounded time and with an error when "+step.name+" gives "+fault.what,
		in.But("A party that is broken at "+step.name+": it gives "+fault.what, func(w *world.World) {
			if party, path := step.at(w); step.slug != "mcp" {
				party.Endpoint(path).Before = fault.reply
				return
			}
			var n atomic.Int32
			w.MCP.Before = func(c *world.Call, _ world.Message) *world.Reply {
				c.N = int(n.Add(1))
				return fault.reply(c)
			}
		}).From(step.moment()),
		func(t *T) {
			party, path := step.at(t.World)
			survived(t)
			if fault.judge != nil {
				fault.judge(t, t.To(party, path))
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
			pause < 900*time.Millisecond {
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
