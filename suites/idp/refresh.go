package idp

import (
	"crypto/rand"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// refreshing presents a refresh token as subject.
func refreshing(token string) Option {
	return func(x *Exchange) {
		Subject(token)(x)
		Param("subject_token_type", TypeRefresh)(x)
	}
}

// offered ends the check when the identity provider does not exchange refresh tokens. It returns one that it does
// exchange, of a sign-in of the check's own.
func offered(t *T) (signin.Ask, signin.Tokens) {
	ask := signin.Ask{User: t.Alice(), Client: t.A()}
	tokens := t.Fresh(ask)
	takesRefreshTokens(t, refreshing(tokens.RefreshToken))
	return ask, tokens
}

// takesRefreshTokens ends the check when an honest exchange of a refresh token is not granted.
func takesRefreshTokens(t *T, honest ...Option) {
	if a := t.Twin(honest...); !Granted(a) && a.Doubt() == "" {
		t.Skipf("refresh tokens are not exchanged here (%s): a MAY", a.Summary())
	}
}

var _ = check.For("IDP-SUBJECT-REFRESH", func() {
	needs := check.With(NeedsFreshRefresh)
	try := func(slug, title, sends string, body func(*T, signin.Ask, signin.Tokens), options ...check.Option) {
		It(slug, title, func(t *T) {
			ask, tokens := offered(t)
			body(t, ask, tokens)
		}, append([]check.Option{needs, check.Must(), check.Sends(sends)}, options...)...)
	}
	try("same-user", "grants for a refresh token what it grants for the ID token of the same sign-in",
		"An exchange of each.",
		func(t *T, _ signin.Ask, tokens signin.Tokens) {
			Expect(t.Control(refreshing(tokens.RefreshToken)).String("sub")).To(Equal(t.Control().String("sub")), "sub")
		})
	try("twice", "does not use a refresh token up by an exchange, or gives another one", "The same refresh token, twice.",
		func(t *T, _ signin.Ask, tokens signin.Tokens) {
			Expect(t.Exchange(refreshing(tokens.RefreshToken))).To(server.BeGranted(), "there is no other one to go on with")
		}, check.Should())
	try("other-client", "refuses a refresh token of another client", "A refresh token of the first client, by the second.",
		func(t *T, _ signin.Ask, tokens signin.Tokens) {
			t.Control(By(t.B()))
			Expect(t.Attack(By(t.B()), refreshing(tokens.RefreshToken))).To(server.BeRefused())
		}, check.With(NeedsB))
	try("garbage", "refuses a refresh token that is none", "A refresh token that is granted, then one that is none.",
		func(t *T, _ signin.Ask, _ signin.Tokens) {
			Expect(t.Attack(refreshing(rand.Text()))).To(server.BeRefused())
		})
	try("revoked", "refuses a refresh token that was revoked",
		"A refresh token before and after it is revoked (RFC 7009).",
		func(t *T, _ signin.Ask, tokens signin.Tokens) {
			r := post(t, "token", tokens.RefreshToken, "token_type_hint", "refresh_token")
			r.URL = t.Provider.Endpoint("revocation_endpoint")
			if a := t.Send(r, reports.Setup, "revoke"); a.Err != nil || a.Status/100 != 2 {
				t.Inconclusivef("the refresh token could not be revoked: %s", a.Summary())
			}
			a := eventually(t, func() *wire.Answer { return t.Attack(refreshing(tokens.RefreshToken)) })
			Expect(a).To(server.BeRefused())
		}, check.With(NeedsMetadata("revocation_endpoint")))
	try("rotated", "refuses a refresh token that was replaced by another",
		"A refresh token before and after a refresh that gave another one.",
		func(t *T, ask signin.Ask, tokens signin.Tokens) {
			next, err := t.Desk.Refresh(t, t.Recorder(), ask.Client, tokens.RefreshToken)
			switch {
			case err != nil:
				t.Inconclusivef("%v", err)
			case next.RefreshToken == tokens.RefreshToken:
				t.Skipf("refresh tokens are not rotated here")
			}
			t.Control(refreshing(next.RefreshToken))
			a := t.Attack(refreshing(tokens.RefreshToken))
			Expect(a).To(server.BeRefused())
		})
	gone := func(slug, title, sends string, of func(*leaving) *Chapter, need check.Need) {
		It(slug, title, func(t *T) {
			c := of(leave(t))
			if c.Before != nil && !Granted(c.Before) && c.Before.Doubt() == "" {
				t.Skipf("refresh tokens are not exchanged here (%s): a MAY", c.Before.Summary())
			}
			judgeGone(t, c)
		}, check.With(NeedsFreshRefresh, need, needsLeaverAgain), check.Must(), check.Slow(), check.Sends(sends))
	}
	gone("deactivated", "refuses a refresh token of a user who was deactivated since",
		"A refresh token before and after its user is deactivated.",
		func(l *leaving) *Chapter { return &l.refreshGone }, NeedsDeactivation)
	gone("sessions-revoked", "refuses a refresh token after the user's sessions were revoked",
		"A refresh token before and after its user's sessions are revoked.",
		func(l *leaving) *Chapter { return &l.revoked }, NeedsRevocation)
})

var needsLeaverAgain = Need("users[].sign_in", "needs a leaver whose sign-in can be repeated",
	func(w *World) bool { return w.Leaver() != nil && signin.Repeatable(w.Leaver()) })
