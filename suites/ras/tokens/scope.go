package tokens

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// unknownScope is a scope that no server has.
const unknownScope = "emaconform.unknown"

// expectWithin judges what was granted: nothing, or no more than allowed.
func expectWithin(t *server.T, a *wire.Answer, asked string, allowed ...string) {
	if !server.Granted(a) {
		Expect(a).To(server.BeRefused())
		return
	}
	for _, s := range server.GrantedScope(t, a, asked) {
		if !slices.Contains(allowed, s) {
			t.Failf("expected no scope beyond %q, but %q was granted", allowed, wire.Printable(s, 80))
		}
	}
}

// scopeIgnored marks what is asked for by the proposed text alone: the base draft's request has no scope parameter, and
// RFC 6749 3.3 lets a server ignore it.
var scopeIgnored = check.By("EMA proposal §7.2.1")

// everything is a scope parameter that asks for all that there is.
func everything(t *server.T) string {
	return strings.TrimSpace(strings.Join(t.Config.Scopes, " ") + " " + t.Config.ForbiddenScope)
}

// scopeCase is an ID-JAG and a request of which no more than allowed may come out. a and b are the first two scopes.
type scopeCase struct {
	slug, title, what string
	claim             func(a, b string) any
	ask               func(a string) string // nil: everything
	allowed           func(a, b string) []string
	lenient           string // why a grant at all is a warning; "" when it is none
	options           []check.Option
}

func first(a, _ string) []string { return []string{a} }
func both(a, b string) []string  { return []string{a, b} }

var scopeCases = []scopeCase{
	{slug: "request-wider", title: "grants no more than the ID-JAG carries when the request asks for more",
		what: "one scope in the ID-JAG and more in the request", claim: func(a, _ string) any { return a }, allowed: first},
	{slug: "request-narrower", title: "grants no more than the request asks for when the ID-JAG carries more",
		what: "two scopes in the ID-JAG and one of them in the request", claim: func(a, b string) any { return a + " " + b },
		ask: func(a string) string { return a }, allowed: first,
		options: []check.Option{scopeIgnored}},
	{slug: "unknown", title: "grants no scope that it does not know", what: "a good scope and an unknown one",
		claim: func(a, _ string) any { return a + " " + unknownScope },
		ask:   func(a string) string { return a + " " + unknownScope }, allowed: first,
		options: []check.Option{check.Should()}}, // both hold it: no document says that a server knows all scopes
	{slug: "array", title: "makes no more of a scope array than its members", what: "a scope claim that is an array",
		claim: func(a, _ string) any { return []string{a} }, allowed: first,
		lenient: "a scope claim that is an array was taken, though ID-JAG draft-04 3.1 makes it a string"},
	{slug: "tab", title: "makes no more of a scope with a tab than its parts", what: "two scopes with a tab between them",
		claim: func(a, b string) any { return a + "\t" + b }, allowed: both,
		lenient: "a tab was taken for the space that RFC 6749 3.3 wants between scopes"},
	{slug: "double-space", title: "makes no more of two spaces than of one", what: "two spaces between two scopes",
		claim: func(a, b string) any { return a + "  " + b }, allowed: both},
	{slug: "leading-space", title: "makes nothing of a leading space", what: "a scope with a space before it",
		claim: func(a, _ string) any { return " " + a }, allowed: first},
	{slug: "duplicate", title: "makes nothing of a scope that is named twice", what: "one scope twice",
		claim: func(a, _ string) any { return a + " " + a }, allowed: first},
	{slug: "thousand", title: "grants only what it knows of a thousand scopes", what: "one scope and 999 unknown ones",
		claim: func(a, _ string) any { return a + thousand() }, allowed: first, options: []check.Option{check.Should()}},
}

func thousand() string {
	var b strings.Builder
	for n := range 999 {
		fmt.Fprintf(&b, " %s-%d", unknownScope, n)
	}
	return b.String()
}

var _ = check.For("RAS-SCOPE-INTERSECT", func() {
	for _, c := range scopeCases {
		server.It(c.slug, c.title, func(t *server.T) {
			a, b := t.Config.Scopes[0], t.Config.Scopes[1]
			t.Control(t.Grant(server.Set("scope", a)), server.Param("scope", a))
			asked := everything(t)
			if c.ask != nil {
				asked = c.ask(a)
			}
			got := t.Attack(t.Grant(server.Set("scope", c.claim(a, b))), server.Param("scope", asked))
			expectWithin(t, got, asked, c.allowed(a, b)...)
			if server.Granted(got) && c.lenient != "" {
				t.Warnf("%s", c.lenient)
			}
		}, append(c.options, check.With(server.NeedsTwoScopes),
			check.Sends(check.Sentence(c.what)+", after one scope in both as control"))...)
	}

	server.It("client-limit", "grants no scope that the client may not have", func(t *server.T) {
		a, forbidden := t.Config.Scopes[0], t.Config.ForbiddenScope
		t.Control(t.Grant(server.Set("scope", a)), server.Param("scope", a))
		asked := a + " " + forbidden
		expectWithin(t, t.Attack(t.Grant(server.Set("scope", asked)), server.Param("scope", asked)), asked, a)
	}, check.With(server.NeedsScope, server.NeedsForbiddenScope),
		check.Sends("A scope that the client may not have in both ID-JAG and request, after one that it may have as control"))

	server.It("no-claim", "grants no more than the client may have when the ID-JAG carries no scope", func(t *server.T) {
		a := t.Config.Scopes[0]
		t.Control(t.Grant(server.Set("scope", a)), server.Param("scope", a))
		asked := everything(t)
		got := t.Attack(t.Grant(server.Remove("scope")), server.Param("scope", asked))
		expectWithin(t, got, asked, t.Config.Scopes...)
		if server.Granted(got) {
			t.Notef("without a scope claim %q is granted: the draft leaves that to policy",
				strings.Join(server.GrantedScope(t, got, asked), " "))
		}
	}, check.With(server.NeedsScope, server.NeedsForbiddenScope),
		check.Sends("An ID-JAG without scope and a request for everything, after one scope in both as control"))

	server.It("disjoint", "refuses a request for a scope that the ID-JAG does not carry", func(t *server.T) {
		a, b := t.Config.Scopes[0], t.Config.Scopes[1]
		t.Control(t.Grant(server.Set("scope", a)), server.Param("scope", a))
		got := t.Attack(t.Grant(server.Set("scope", a)), server.Param("scope", b))
		if !server.Granted(got) {
			server.ExpectRefused(t, got, server.InvalidScope, server.InvalidGrant)
			return
		}
		expectWithin(t, got, b)
		t.Warnf("expected invalid_scope or invalid_grant (as the text proposed for EMA 7.2.1 has it), but a token " +
			"without any scope was granted")
	}, check.With(server.NeedsTwoScopes), scopeIgnored,
		check.Sends("One scope in the ID-JAG and another in the request, after the same in both as control"))
})

var invalidGrantOrScope = []string{server.InvalidGrant, server.InvalidScope}

var _ = check.For("RAS-SCOPE-REGISTERED", func() {
	server.Refuses(
		server.Attack{Slug: "unknown", What: "an ID-JAG whose only scope does not exist",
			Edit:  server.Set("scope", unknownScope),
			Codes: invalidGrantOrScope},
		server.Attack{Slug: "one-unknown", What: "an ID-JAG with a scope that does not exist beside good ones",
			Codes: invalidGrantOrScope,
			Edit: func(j *server.Token) {
				known, _ := j.Claims["scope"].(string)
				j.Claims["scope"] = strings.TrimSpace(known + " " + unknownScope)
			}},
	)
})

var _ = check.For("RAS-SCOPE-INTERSECT", func() {
	server.It("forbidden-unasked", "grants no scope that the client may not have when the request "+
		"asks for none", func(t *server.T) {
		a := t.Config.Scopes[0]
		t.Control(t.Grant(server.Set("scope", a)), server.Without("scope"))
		got := t.Attack(t.Grant(server.Set("scope", a+" "+t.Config.ForbiddenScope)), server.Without("scope"))
		expectWithin(t, got, a, a)
	}, check.With(server.NeedsScope, server.NeedsForbiddenScope),
		check.Sends("An ID-JAG that carries a scope which the client may not have, in a request without scope"))
})
