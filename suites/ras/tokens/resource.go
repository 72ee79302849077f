package tokens

import (
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// resources are values of the resource claim that name no MCP server of this RAS, or not exactly.
var resources = []struct {
	slug, what string
	value      func(*server.T) any
	options    []check.Option
}{
	{"relative", "the MCP server's path alone", func(t *server.T) any { return pathOf(t.Resource()) }, nil},
	{"empty", "the empty string", func(*server.T) any { return "" }, nil},
	{"number", "a number", func(*server.T) any { return 1 }, nil},
	{"object", "an object that holds the MCP server", func(t *server.T) any {
		return map[string]any{"uri": t.Resource()}
	}, nil},
	{"array-empty", "an empty array", func(*server.T) any { return []string{} }, nil},
	{"array-foreign", "an array of another server", func(*server.T) any { return []string{server.OtherResource} }, nil},
}

func pathOf(resource string) string {
	u, err := url.Parse(resource)
	if err != nil || u.EscapedPath() == "" {
		return "/"
	}
	return u.EscapedPath()
}

// unscoped is the control without scope where the target grants that: a wrong resource could be refused for its scopes
// alone.
func unscoped(t *server.T) server.Edit {
	return server.Honestly(t, server.Remove("scope"), "the honest twin, without scope")
}

var _ = check.For("RAS-RES-BOUND", func() {
	for _, r := range resources {
		what := "an ID-JAG whose resource is " + r.what
		server.It(r.slug, "refuses "+what, func(t *server.T) {
			honest := unscoped(t)
			server.ExpectRefused(t, t.Attack(server.Claim("resource", r.value)(t, t.Grant(honest))))
		}, append(r.options, check.Sends(check.Sentence(what)+", after an honest ID-JAG as control"))...)
	}

	server.It("foreign", "refuses an ID-JAG for an MCP server of somebody else", func(t *server.T) {
		honest := unscoped(t)
		// The draft leads to RFC 8707 2, which names invalid_target; the text proposed for EMA 7.6.2 wants invalid_grant.
		server.ExpectRefused(t, t.Attack(t.Grant(honest, server.Set("resource", server.OtherResource))),
			server.InvalidGrant, server.InvalidTarget)
	}, server.Refusal(server.InvalidGrant, server.InvalidTarget),
		check.Sends("An ID-JAG whose resource is an MCP server of somebody else, after an honest one as control"))

	server.It("foreign-code", "says invalid_grant of an ID-JAG for an MCP server of somebody else", func(t *server.T) {
		honest := unscoped(t)
		server.ExpectRefused(t, t.Attack(t.Grant(honest, server.Set("resource", server.OtherResource))),
			server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant), check.By("ID-JAG pull 123 §4.4.1"),
		check.Sends("An ID-JAG whose resource is an MCP server of somebody else, after an honest one as control"))

	server.It("array-foreign-too", "grants nothing for a resource array that also names "+
		"another server", func(t *server.T) {
		honest := unscoped(t)
		a := t.Attack(t.Grant(honest, server.Set("resource", []string{t.Resource(), server.OtherResource})))
		if !server.Granted(a) {
			server.ExpectRefused(t, a)
			return
		}
		if slices.Contains(server.AudienceOf(server.TokenClaims(t, a)), server.OtherResource) {
			t.Failf("expected a refusal, but the token's audience holds %s, which is no MCP server of this RAS",
				server.OtherResource)
		}
		t.Warnf("granted for a resource array with a foreign member: ID-JAG draft-04 4.4.1 lets a server grant a part of " +
			"it, the text proposed for EMA 7.6.2 wants the claim to match its own MCP servers")
	}, check.Sends("An ID-JAG whose resource is an array of this MCP server and another, after an honest one as control"))

	server.It("array-of-one", "grants an ID-JAG whose resource is an array of the MCP server alone", func(t *server.T) {
		t.Control(t.Grant())
		Expect(t.Redeem(t.Grant(server.Set("resource", []string{t.Resource()})))).To(server.BeGranted(),
			"ID-JAG draft-04 3.1 lets resource be a URI or an array of URIs")
	}, check.Should(), check.Sends("An ID-JAG whose resource is a one-element array, after one with a string as control"))

	server.It("parameter-foreign", "lets a foreign resource parameter decide nothing", func(t *server.T) {
		honest := unscoped(t)
		a := t.Attack(t.Grant(honest), server.Param("resource", server.OtherResource))
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused())
			return
		}
		if slices.Contains(server.AudienceOf(server.TokenClaims(t, a)), server.OtherResource) {
			t.Failf("expected a refusal or a token for the claim's resource, but the token's audience holds %s",
				server.OtherResource)
		}
		t.Notef("the resource parameter is ignored: the claim decides")
	}, check.Sends("A token request whose resource parameter is not the ID-JAG's, after an honest one as control"))

	server.It("parameter-second", "does not let the resource parameter override the claim", func(t *server.T) {
		honest := unscoped(t)
		a := t.Attack(t.Grant(honest), server.Param("resource", secondResource(t)))
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused())
			return
		}
		Expect(t.Break(t.KnockAt(t.Config.SecondServer, a.String("access_token")))).To(server.BeTurnedAway(),
			"the claim names the first MCP server, the parameter the second, and the second takes the token")
	}, check.With(server.NeedsSecondServer),
		check.Sends("An ID-JAG for the MCP server with a resource parameter for a second one, where the token is then sent"))

	server.It("missing", "restricts the token to one MCP server also when the ID-JAG names none", func(t *server.T) {
		t.Control(t.Grant())
		a := t.Attack(t.Grant(server.Remove("resource")))
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused())
			t.Notef("an ID-JAG without resource is refused: %s", a.Summary())
			return
		}
		expectRestricted(t, a)
	}, check.Sends("An ID-JAG without resource, after an honest one as control"))
})

// expectRestricted judges a token that was granted without naming an MCP server: it may be for one, not for all.
func expectRestricted(t *server.T, a *wire.Answer) {
	claims := server.TokenClaims(t, a)
	if audience := server.AudienceOf(claims); len(audience) > 0 {
		t.Notef("an ID-JAG without resource is granted for %s", wire.Printable(strings.Join(audience, " "), 200))
	} else if claims != nil && !server.Opaque(a) {
		t.Failf("expected a token that is restricted to one MCP server, but it has no aud")
	}
	if t.Config.SecondServer == "" {
		return
	}
	token := a.String("access_token")
	if server.LetIn(t.Break(t.Knock(token))) {
		Expect(t.Break(t.KnockAt(t.Config.SecondServer, token))).To(server.BeTurnedAway(), "both MCP servers take the token")
	}
}
