package renewal

import (
	"net/http"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-EXPIRED-IDTOKEN", func() {
	It("refresh", "uses its refresh token when the ID token has expired",
		Refresh.But("An ID token that has expired, beside a refresh token",
			func(w *world.World) { w.IdP.EditGiven = Expire }).From(Challenged),
		Succeeds("the refresh token yields a new ID token, or is a subject token itself (ID-JAG draft-04 4.4.3)"))
	It("login", "logs in again when the ID token has expired",
		Relogin.But("An ID token that has expired, and leave to log in",
			func(w *world.World) { w.IdP.EditGiven = Expire }).From(Challenged),
		Succeeds("a new login yields a new ID token (ID-JAG draft-04 4.4.3)"))
})

var _ = check.For("CL-EXPIRED-IDTOKEN", func() {
	It("ends-first", "replaces an ID token that ends before the access token that came with it",
		Login.But("A login whose ID token lives for 2 s and whose access token, as expires_in says, for an hour; then a 401 "+
			"invalid_token", func(w *world.World) {
			w.IdP.EditIDToken = func(t *mockidp.Token) { t.Claims["exp"] = time.Now().Add(brief).Unix() }
			w.MCP.Before = outlive(w, func() *world.Reply {
				w.Revoke()
				return w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
			})
		}).From(Refused),
		Succeeds("expires_in is not the end of the ID token: that is its exp (OpenID Connect Core 2)"), check.Slow())
})
