package use

import (
	"github.com/emaconform/emaconform/suites/check" // the words that scenarios are declared in
	. "github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-NO-FALLBACK", func() {
	It("idp-denies", "does not open the consent page when the IdP denies access",
		Given.But("access_denied at the token exchange, while the RAS offers a consent page",
			denyExchange("access_denied")).From(Exchanged),
		denied)
	// That a server is not managed binds nobody: what the client does then is noted.
	It("idp-policy", "tells its user when the IdP's policy has no place for the server",
		Given.But("invalid_target at the token exchange, while the RAS offers a consent page",
			denyExchange("invalid_target")).From(Exchanged),
		func(t *T) {
			if len(t.At(t.World.Consent)) > 0 || t.Points(t.World.Consent) != "" {
				t.Notef("the client goes on to the consent page, as for a server that is not managed")
				return
			}
			t.MustNotGetThrough("the IdP issues no grant for this server")
		}, check.Should())
	It("machine-grant", "does not ask the RAS for another grant when the IdP denies access",
		Given.But("access_denied at the token exchange, and a RAS that would give the client a token for itself",
			func(w *world.World) {
				denyExchange("access_denied")(w)
				w.RAS.Machines = true
				w.RAS.Metadata["grant_types_supported"] = []string{"authorization_code", "client_credentials", world.GrantJWTBearer}
			}).From(Exchanged),
		func(t *T) {
			if n := len(t.Redemptions()); n > 0 {
				t.Failf("expected the client to stop: the enterprise has said no (EMA 7.2). But it sent %d token requests "+
					"to the RAS (grant_type %q)", n, t.Redemptions()[0].Form.Get("grant_type"))
			}
			t.MustNotGetThrough("access was denied")
		})
	It("retries", "does not ask again and again when the IdP denies access",
		Given.But("access_denied at the token exchange", denyExchange("access_denied")).From(Exchanged),
		func(t *T) {
			const few = 3
			if n := len(t.Exchanges()); n > few {
				t.Failf("expected the client to take the denial as an answer, but it asked %d times", n)
			}
		}, check.Should())
	It("ras-denies", "does not open the consent page when the RAS refuses the ID-JAG",
		Given.But("invalid_grant at the RAS, which offers a consent page",
			func(w *world.World) {
				w.RAS.Endpoint("/token").Before = func(*world.Call) *world.Reply { return world.Deny("invalid_grant") }
			}).From(Redeemed),
		denied)
})

func denyExchange(code string) func(*world.World) {
	return func(w *world.World) {
		w.IdP.Endpoint("/token").Before = func(c *world.Call) *world.Reply {
			if c.Form.Get("grant_type") != world.GrantExchange {
				return nil // a login is another matter
			}
			return world.Deny(code)
		}
	}
}

// denied fails when the client went to the consent page, registered itself for it, or sent its user there.
func denied(t *T) {
	t.MustSpare(t.World.Consent, "the enterprise has said no (EMA 7.2)")
	if how := t.Points(t.World.Consent); how != "" {
		t.Failf("expected the client to stop: the enterprise has said no (EMA 7.2). But it %s the address of the "+
			"consent page", how)
	}
	t.MustNotGetThrough("access was denied")
}
