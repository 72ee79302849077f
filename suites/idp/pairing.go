package idp

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// otherCase is a URL with another case in its path, or in its host where it has no path.
func otherCase(u string) string {
	i := strings.Index(u, "://") + 3
	if j := strings.IndexByte(u[i:], '/'); j >= 0 && len(u[i+j:]) > 1 {
		i += j
	}
	if upper := u[:i] + strings.ToUpper(u[i:]); upper != u {
		return upper
	}
	return u[:i] + strings.ToLower(u[i:])
}

var _ = check.For("IDP-PAIRING", func() {
	resource := func(slug, what string, value func(*T) string, more ...check.Option) {
		It("resource-"+slug, "refuses "+what+" as resource", func(t *T) {
			t.Control()
			a := t.Attack(Param("resource", value(t)))
			Expect(a).To(server.BeRefused())
			codes(t, a, "invalid_target", "access_denied", "invalid_request")
		}, append([]check.Option{check.With(NeedsResource), check.Sends("An honest exchange, then one with " + what + " as resource.")}, more...)...)
	}
	audience := func(slug, what string, value func(*T) string, more ...check.Option) {
		It("audience-"+slug, "refuses "+what+" as audience", func(t *T) {
			t.Control()
			a := t.Attack(Param("audience", value(t)))
			Expect(a).To(server.BeRefused())
			codes(t, a, "invalid_target", "access_denied", "invalid_request")
		}, append([]check.Option{check.Sends("An honest exchange, then one with " + what + " as audience.")}, more...)...)
	}
	fixed := func(value string) func(*T) string { return func(*T) string { return value } }
	notes := func(how func(string) string) func(*T) string {
		return func(t *T) string { return how(t.Notes().Resource) }
	}
	ras := func(how func(string) string) func(*T) string {
		return func(t *T) string { return how(t.Notes().Audience) }
	}

	resource("of-other-target", "the resource of another target", func(t *T) string { return t.Other().Resource }, check.With(NeedsTwoTargets))
	resource("unknown", "a resource that nobody knows", fixed("https://unknown.example/mcp"))
	resource("no-uri", "something that is no URI", fixed("mcp"))
	resource("fragment", "a resource with a fragment", notes(func(r string) string { return r + "#x" }))
	resource("slash", "the resource with a slash at its end", notes(func(r string) string { return r + "/" }))
	resource("longer", "a path below the resource", notes(func(r string) string { return r + "/admin" }))
	resource("suffix", "a resource that begins like the right one", notes(func(r string) string { return r + "-evil" }))
	resource("query", "the resource with a query", notes(func(r string) string { return r + "?x=1" }))
	resource("other-case", "the resource in other letters", notes(otherCase))
	resource("other-host", "the same path at another host", notes(func(r string) string {
		scheme, rest, _ := strings.Cut(r, "://")
		_, path, _ := strings.Cut(rest, "/")
		return scheme + "://evil.example/" + path
	}))
	resource("host-prefix", "a host that begins like the right one", notes(func(r string) string {
		scheme, rest, _ := strings.Cut(r, "://")
		host, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + host + ".evil.example/" + path
	}))

	audience("unknown", "an audience that nobody knows", fixed("https://unknown.example"))
	audience("slash", "the audience with a slash at its end", ras(func(a string) string { return a + "/" }))
	audience("path", "a path below the audience", ras(func(a string) string { return a + "/tenant" }))
	audience("suffix", "an audience that begins like the right one", ras(func(a string) string { return a + ".evil.example" }))
	audience("other-case", "the audience in other letters", ras(otherCase))
	audience("self", "the identity provider itself", func(t *T) string { return t.Config.IdP.Issuer })
	audience("resource", "the resource", func(t *T) string { return t.Notes().Resource }, check.With(NeedsResource))
	audience("empty", "an empty text", fixed(""))
	audience("other-target", "another target, with the resource of the first", func(t *T) string { return t.Other().Audience },
		check.With(NeedsTwoTargets, NeedsResource))
	It("audience-missing", "refuses an exchange without audience", func(t *T) {
		a := attack(t, Without("audience"))
		codes(t, a, "invalid_request", "invalid_target")
	}, check.Sends("An honest exchange, then one without audience."))

	twoOf := func(slug, what, parameter string, first, second func(*T) string, judge func(*T, *wire.Answer)) {
		It(slug, what, func(t *T) {
			t.Control()
			judge(t, t.Attack(Param(parameter, first(t)), Also(parameter, second(t))))
		}, check.With(NeedsTwoTargets, NeedsResource), check.Sends("An honest exchange, then one with two values of "+parameter+"."))
	}
	own := func(t *T) string { return t.Notes().Audience }
	others := func(t *T) string { return t.Other().Audience }
	refused := func(_ *T, a *wire.Answer) { Expect(a).To(server.BeRefused()) }
	twoOf("two-audiences", "refuses two audiences, the right one first", "audience", own, others, refused)
	twoOf("two-audiences-reversed", "refuses two audiences, the right one last", "audience", others, own, refused)
	mine := func(t *T) string { return t.Notes().Resource }
	theirs := func(t *T) string { return t.Other().Resource }
	twoOf("two-resources", "refuses two resources of two targets, the right one first", "resource", mine, theirs, refused)
	twoOf("two-resources-reversed", "refuses two resources of two targets, the right one last", "resource", theirs, mine, refused)
	It("two-resources-of-one", "grants two resources of one target as both, or refuses", func(t *T) {
		t.Control()
		a := t.Exchange(Param("resource", t.Notes().Resource), Also("resource", t.Notes().SecondResource))
		if !Granted(a) {
			return
		}
		g, _ := t.Read(a)
		Expect(g.Claims["resource"]).To(ConsistOf(t.Notes().Resource, t.Notes().SecondResource), "resource of a grant for two")
	}, check.With(NeedsResource, NeedsSecondResource), check.Should(), check.Sends("An exchange for two resources of the first target."))
})
