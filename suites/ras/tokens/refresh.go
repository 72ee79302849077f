package tokens

import (
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// refreshing turns a redemption into a refresh (RFC 6749 6).
func refreshing(token string) server.RedeemOption {
	return func(r *server.Redemption) {
		r.DropField("assertion")
		r.DropField("resource")
		r.DropField("scope")
		r.SetField("grant_type", "refresh_token")
		r.SetField("refresh_token", token)
	}
}

// refreshed declares a check of the refresh token that comes back for an ID-JAG with the first scope alone. A server
// that gives none out, as it should, has done everything right.
func refreshed(slug, title, sends string, judge func(t *server.T, token string), options ...check.Option) {
	server.It(slug, title, func(t *server.T) {
		granted := t.Control(t.Grant(server.Set("scope", t.Config.Scopes[0])))
		token := granted.String("refresh_token")
		if token == "" {
			t.Notef("no refresh token comes back, as it should be")
			return
		}
		judge(t, token)
	}, append([]check.Option{check.With(server.NeedsTwoScopes), check.Sends(sends)}, options...)...)
}

var _ = check.For("RAS-REFRESH-BOUND", func() {
	refreshed("other-client", "refuses a refresh token that another client presents",
		"An honest ID-JAG; the refresh token that comes back for it, by another client and then by its own as control",
		func(t *server.T, token string) {
			server.ExpectRefused(t, t.Attack("", refreshing(token), server.As(t.Client(1))), server.InvalidGrant)
			mustRefresh(t, token)
		}, check.With(server.NeedsSecondClient))

	refreshed("wider", "grants no more scope for a refresh token than it was issued for",
		"An ID-JAG with one scope; the refresh token that comes back for it, with all scopes",
		func(t *server.T, token string) {
			all := server.Param("scope", strings.Join(t.Config.Scopes, " "))
			a := t.Attack("", refreshing(token), all)
			if server.Granted(a) && slices.Contains(strings.Fields(a.String("scope")), t.Config.Scopes[1]) {
				t.Failf("expected no more than scope %q, but %q was granted (RFC 6749 6)", t.Config.Scopes[0],
					wire.Printable(a.String("scope"), 200))
			}
		})

	refreshed("again", "refuses a refresh token that was used before",
		"An honest ID-JAG; the refresh token that comes back for it, twice",
		func(t *server.T, token string) {
			mustRefresh(t, token)
			server.ExpectRefused(t, t.Attack("", refreshing(token)), server.InvalidGrant)
		}, check.Should())
})

func mustRefresh(t *server.T, token string) {
	if a := t.Redeem("", refreshing(token)); !server.Granted(a) {
		t.Inconclusivef("the client that the refresh token was issued to cannot use it: %s", a.Summary())
	}
}
