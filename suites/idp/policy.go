package idp

import (
	"crypto/rand"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var _ = check.For("IDP-POLICY", func() {
	It("unassigned-user", "refuses a user who may not use the target", func(t *T) {
		t.Control()
		outsider := t.Outsider()
		if _, err := t.Desk.Tokens(t, t.Recorder(), signin.Ask{User: outsider, Client: t.A()}); err != nil {
			t.Notef("refused at sign-in already: %v", err)
			return
		}
		a := t.Attack(For(outsider))
		Expect(a).To(server.BeRefused())
		codes(t, a, "access_denied", "invalid_target", "unauthorized_client")
	}, check.With(NeedsOutsider), check.Sends("An honest exchange, then one in the name of a user who is not assigned."))

	It("unconnected-client", "refuses a client that is not connected to the target", func(t *T) {
		t.Control()
		loner := t.Loner() // its sign-in is the control of its credentials
		a := t.Attack(By(loner))
		Expect(a).To(server.BeRefused())
		codes(t, a, "access_denied", "invalid_target", "unauthorized_client")
	}, check.With(NeedsLoner), check.Sends("An honest exchange, then one by a client that people sign in to and that "+
		"is connected to nothing."))

	It("access-denied", "says access_denied to a client that is not connected to the target", func(t *T) {
		t.Control()
		a := t.Attack(By(t.Loner()))
		Expect(a).To(server.BeRefused("access_denied"), "another subject token would be refused as well")
	}, check.By("ID-JAG pull 112 §4.3.4.3"), check.Should(), check.With(NeedsLoner),
		check.Sends("An honest exchange, then one by a client that people sign in to and that is connected to nothing."))

	scopes()
	lifecycle()
})

// beyond is the first scope that is none of those that are allowed, or "".
func beyond(t *T, granted []string) string {
	for _, s := range granted {
		if !slices.Contains(t.Notes().Scopes, s) {
			return s
		}
	}
	return ""
}

// scopes declares the checks of scopes: how one is refused is free, that it is not granted is not.
func scopes() {
	try := func(slug, title string, scope func(*T) string, options ...check.Option) {
		It(slug, title, func(t *T) {
			_, a := t.Beside(func() *wire.Answer { return t.Probe(Param("scope", scope(t))) })
			expectAllowed(t, a)
		}, append([]check.Option{check.With(NeedsScope),
			check.Sends("An honest exchange, then one with such a scope.")}, options...)...)
	}
	forbidden := check.With(NeedsForbiddenScope)
	try("forbidden-scope", "does not grant a scope that the client may not have", func(t *T) string {
		return t.Notes().ForbiddenScope
	}, forbidden)
	try("forbidden-scope-first", "does not grant a scope that the client may not have before one "+
		"that it may", func(t *T) string {
		return t.Notes().ForbiddenScope + " " + t.Notes().Scopes[0]
	}, forbidden)
	try("forbidden-scope-last", "does not grant a scope that the client may not have behind one "+
		"that it may", func(t *T) string {
		return t.Notes().Scopes[0] + " " + t.Notes().ForbiddenScope
	}, forbidden)
	try("unknown-scope", "does not grant a scope that nobody knows", func(*T) string {
		return "nothing." + strings.ToLower(rand.Text()[:6])
	})
	try("openid", "does not grant scopes of its own sign-in for the target", func(t *T) string {
		return t.Notes().Scopes[0] + " openid offline_access"
	})
	try("wildcard", "does not grant a scope of stars", func(*T) string { return "*" })
	try("other-targets-scope", "does not grant the scopes of another target", func(t *T) string {
		return strings.Join(t.Other().Scopes, " ")
	}, check.With(NeedsTwoTargets))
	It("forbidden-alone", "does not turn a scope that is not allowed into a grant without scope", func(t *T) {
		_, a := t.Beside(func() *wire.Answer { return t.Probe(Param("scope", t.Notes().ForbiddenScope)) })
		if !Granted(a) {
			return
		}
		g, _ := t.Read(a)
		if len(g.Scopes()) == 0 {
			t.Failf("what is left is an ID-JAG without scope, for which the target may give all that the client is " +
				"registered for")
		}
	}, check.With(NeedsScope, NeedsForbiddenScope),
		check.Should(), check.Sends("An exchange for a scope that is not allowed, alone."))
	It("no-scope", "grants no more than what is allowed when no scope is asked for", func(t *T) {
		_, a := t.Beside(func() *wire.Answer { return t.Probe(Without("scope")) })
		expectAllowed(t, a)
		if g, _ := t.Read(a); Granted(a) && len(g.Scopes()) == 0 {
			t.Notef("no scope was asked for, and none is in the grant: the target is to give nothing for it, or its own least")
		}
	}, check.With(NeedsScope), check.Sends("An exchange without scope."))
}

// expectAllowed judges an answer: it grants no scope beyond those that are allowed, or nothing.
func expectAllowed(t *T, a *wire.Answer) {
	if !Granted(a) {
		return
	}
	g, _ := t.Read(a)
	if s := beyond(t, g.Scopes()); s != "" {
		t.Failf("the scope %s was granted, which is none of those that are allowed", wire.Printable(s, 80))
	}
	forbidden := t.Notes().ForbiddenScope
	if forbidden != "" && slices.Contains(strings.Fields(a.String("scope")), forbidden) {
		t.Failf("the answer says that %s was granted", forbidden)
	}
}

// lifecycle declares the checks of what people may do after it was taken from them.
func lifecycle() {
	gone := func(slug, title, sends string, of func(*leaving) *Chapter, needs ...check.Need) {
		It(slug, title, func(t *T) { judgeGone(t, of(leave(t))) }, check.With(needs...), check.Slow(), check.Sends(sends))
	}
	gone("deactivated", "refuses a user who was deactivated since the sign-in",
		"An exchange before and after the user is deactivated, with the same token.",
		func(l *leaving) *Chapter { return &l.deactivated }, NeedsDeactivation, needsLeaverAgain)
	gone("unassigned", "refuses a user whose assignment to the target was taken away since the sign-in",
		"An exchange before and after the assignment is taken away, with the same token.",
		func(l *leaving) *Chapter { return &l.unassigned }, NeedsUnassignment, needsLeaverAgain)
	It("reactivated", "grants again after a user was reactivated", func(t *T) {
		l := leave(t)
		t.Look(&l.reactivated)
		if l.stillOut != nil {
			t.Failf("the user was reactivated and cannot sign in: %v", l.stillOut)
		}
		Expect(l.reactivated.After).To(server.BeGranted(), "the user is back and signed in again")
	}, check.With(NeedsDeactivation, needsLeaverAgain), check.Slow(),
		check.Sends("An exchange after the user was deactivated, reactivated and signed in again."))
}

func subjectOf(t *T, tokens signin.Tokens) string {
	return map[string]string{"id_token": tokens.IDToken, "refresh_token": tokens.RefreshToken,
		"access_token": tokens.AccessToken}[t.Config.Exchange.SubjectToken]
}
