package idjag

import (
	"crypto/rand"
	"net/url"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
)

// lookalike is the trusted issuer, changed; "" where the change makes no sense for it.
func lookalike(change func(u *url.URL) string) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		u, err := url.Parse(t.IdP.URL)
		if err != nil {
			panic(err) // was parsed before
		}
		changed := change(u)
		if changed == "" || changed == t.IdP.URL {
			t.Skipf("this change of the issuer makes no difference to %s", t.IdP.URL)
		}
		honest.Claims["iss"] = changed
		return hostile.Sign(honest)
	}
}

// Each lookalike is signed with the IdP's own key: identity providers use one key for many issuers.
var issuerLookalikes = []server.Attack{
	{Slug: "userinfo", What: "an ID-JAG whose iss is the trusted one as the user name of another host",
		Craft: lookalike(func(u *url.URL) string {
			return u.Scheme + "://" + u.Host + "@" + grammar.Word + ".example" + u.EscapedPath()
		})},
	{Slug: "suffix", What: "an ID-JAG whose iss goes on behind the host of the trusted one",
		Craft: lookalike(func(u *url.URL) string {
			return u.Scheme + "://" + u.Host + "." + grammar.Word + ".example" + u.EscapedPath()
		})},
}

var _ = check.For("RAS-ISS-TRUSTED", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without iss", Edit: server.Remove("iss")},
		server.Attack{Slug: "empty", What: "an ID-JAG whose iss is the empty string", Edit: server.Set("iss", "")},
		server.Attack{Slug: "null", What: "an ID-JAG whose iss is null", Edit: server.Set("iss", nil)},
		server.Attack{Slug: "number", What: "an ID-JAG whose iss is a number", Edit: server.Set("iss", 1)},
	)
	server.Refuses(issuerLookalikes...)

	server.It("disabled", "refuses an issuer that it trusts no more", func(t *server.T) {
		t.Control(t.Grant())
		user := t.Alice()
		if known := t.Config.DisabledIdP.Users; len(known) > 0 {
			user = known[0]
		}
		if a := t.Attack(t.GrantFrom(t.DisabledIdP, user)); server.Granted(a) {
			t.Failf("a token was granted by an identity provider that is switched off: whoever is left at a customer that " +
				"has gone, or has broken into its identity provider, goes on signing people in. Look whether the issuer " +
				"is enabled at every redemption")
		} else {
			server.ExpectRefused(t, a)
		}
	}, check.With(server.NeedsDisabledIdP), server.Refusal(),
		check.Sends("An honest ID-JAG of an identity provider that is switched off, after one of another as control"))

	sends := check.Sends("An ID-JAG by an issuer that serves working keys but is not trusted, after an honest one")
	server.It("unknown", "refuses an issuer that it does not trust, however well that one's keys work", func(t *server.T) {
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(ofStranger(t, rand.Text())))
	}, check.With(server.NeedsCanary), server.Refusal(), sends)

	server.It("unknown-fetch", "asks an issuer that it does not trust for nothing", func(t *server.T) {
		t.Control(t.Grant())
		id := rand.Text()
		t.Attack(ofStranger(t, id))
		server.ExpectNoHit(t, id)
	}, check.Should(), check.With(server.NeedsCanary), sends)
})

// ofStranger is an ID-JAG that the attacker issues and signs, as the canary's issuer of this id.
func ofStranger(t *server.T, id string) *server.Token {
	return t.Grant(server.SignedBy(t.Attacker), server.Set("iss", t.Canary+"/"+id))
}

var _ = check.For("RAS-ISS-KEY-BINDING", func() {
	for _, a := range []struct {
		slug, what string
		kid        func(t *server.T) string
	}{
		{"own-kid", "an ID-JAG in the name of one trusted IdP that another one signed", func(t *server.T) string {
			return t.SecondIdP.Keys.Signing().KeyID
		}},
		{"kid-of-named", "an ID-JAG in the name and under the kid of one trusted IdP, by another", func(t *server.T) string {
			return t.IdP.Keys.Signing().KeyID
		}},
	} {
		server.It(a.slug, "refuses "+a.what, func(t *server.T) {
			t.Control(t.Grant())
			t.Control(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0]))
			attack := t.Grant(server.SignedBy(t.SecondIdP.Keys.Signing()), server.SetHeader("kid", a.kid(t)))
			server.ExpectRefused(t, t.Attack(attack))
		}, check.With(server.NeedsSecondIdP), server.Refusal(),
			check.Sends(check.Sentence(a.what)+", after an honest ID-JAG of each as controls"))
	}
})
