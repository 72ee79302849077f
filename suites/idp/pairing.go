package idp

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var _ = check.For("IDP-PAIRING", func() {
	resource := func(slug, what string, value func(*T) string, more ...check.Option) {
		It("resource-"+slug, "refuses "+what+" as resource", func(t *T) {
			a := attack(t, Param("resource", value(t)))
			codes(t, a, "invalid_target", "access_denied", "invalid_request")
		}, append([]check.Option{check.With(NeedsResource), check.Sends("An honest exchange, then one with " + what +
			" as resource.")}, more...)...)
	}
	audience := func(slug, what string, value func(*T) string, more ...check.Option) {
		It("audience-"+slug, "refuses "+what+" as audience", func(t *T) {
			a := attack(t, Param("audience", value(t)))
			codes(t, a, "invalid_target", "access_denied", "invalid_request")
		}, append([]check.Option{check.Sends("An honest exchange, then one with " + what + " as audience.")}, more...)...)
	}
	fixed := func(value string) func(*T) string { return func(*T) string { return value } }
	notes := func(how func(string) string) func(*T) string {
		return func(t *T) string { return how(t.Notes().Resource) }
	}

	resource("of-other-target", "the resource of another target", func(t *T) string { return t.Other().Resource },
		check.With(NeedsTwoTargets))
	resource("unknown", "a resource that nobody knows", fixed("https://unknown.example/mcp"))
	resource("no-uri", "something that is no URI", fixed("mcp"))
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

	It("foreign-code", "says invalid_target of another target's resource", func(t *T) {
		a := attack(t, Param("resource", t.Other().Resource))
		Expect(a).To(server.BeRefused("invalid_target"))
	}, check.By("ID-JAG pull 123 §4.3.3"), check.With(NeedsResource, NeedsTwoTargets),
		check.Sends("An honest exchange, then one with the resource of another target."))

	audience("unknown", "an audience that nobody knows", fixed("https://unknown.example"))
	audience("self", "the identity provider itself", func(t *T) string { return t.Config.IdP.Issuer })
	audience("resource", "the resource", func(t *T) string { return t.Notes().Resource }, check.With(NeedsResource))
	audience("empty", "an empty text", fixed(""))
	audience("other-target", "another target, with the resource of the first", func(t *T) string {
		return t.Other().Audience
	},
		check.With(NeedsTwoTargets, NeedsResource))
	It("audience-missing", "refuses an exchange without audience", func(t *T) {
		a := attack(t, Without("audience"))
		codes(t, a, "invalid_request", "invalid_target")
	}, check.Sends("An honest exchange, then one without audience."))

	twoOf := func(slug, what, parameter string, first, second func(*T) string, judge func(*T, *wire.Answer)) {
		It(slug, what, func(t *T) {
			_, a := t.Beside(func() *wire.Answer { return t.Attack(Param(parameter, first(t)), Also(parameter, second(t))) })
			judge(t, a)
		}, check.With(NeedsTwoTargets, NeedsResource), check.Sends("An honest exchange, then one with two values of "+
			parameter+"."))
	}
	own := func(t *T) string { return t.Notes().Audience }
	others := func(t *T) string { return t.Other().Audience }
	refused := func(_ *T, a *wire.Answer) { Expect(a).To(server.BeRefused()) }
	twoOf("two-audiences", "refuses two audiences, the right one first", "audience", own, others, refused)
	twoOf("two-audiences-reversed", "refuses two audiences, the right one last", "audience", others, own, refused)
	mine := func(t *T) string { return t.Notes().Resource }
	theirs := func(t *T) string { return t.Other().Resource }
	twoOf("two-resources", "refuses two resources of two targets, the right one first", "resource", mine, theirs, refused)
	twoOf("two-resources-reversed", "refuses two resources of two targets, the right one last", "resource", theirs,
		mine, refused)
	It("two-resources-of-one", "grants two resources of one target as both, or refuses", func(t *T) {
		_, a := t.Beside(func() *wire.Answer {
			return t.Probe(Param("resource", t.Notes().Resource), Also("resource", t.Notes().SecondResource))
		})
		if !Granted(a) {
			return
		}
		g, _ := t.Read(a)
		Expect(g.Claims["resource"]).To(ConsistOf(t.Notes().Resource, t.Notes().SecondResource),
			"resource of a grant for two")
	}, check.With(NeedsResource, NeedsSecondResource),
		check.Should(), check.Sends("An exchange for two resources of the first target."))
})
