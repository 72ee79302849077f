// Package accounts holds the checks of whose account an access token is for: sub, tenant, SAML name, e-mail address.
package accounts

import (
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Stranger is a user of whom the target knows at most the e-mail address: the sub is new.
func Stranger(t *server.T, email string) target.User {
	return target.User{Sub: server.Like(t.Alice().Sub), Email: email}
}

// Linked is a user whom the target finds by e-mail address alone. The sub is always the same, since a target may
// remember it.
func Linked(t *server.T) target.User {
	return target.User{Sub: "emaconform-linked", Email: t.Config.LinkableEmail}
}

// nobodysName is a SAML name of the form that this IdP's users have, of nobody; nil where they have none.
func nobodysName(idp *target.IdP, email string) map[string]string {
	if len(idp.Users) == 0 || idp.Users[0].SubID == nil {
		return nil
	}
	name := maps.Clone(idp.Users[0].SubID)
	local, _, _ := strings.Cut(name["nameid"], "@")
	name["nameid"] = server.Like(local) + email[max(0, strings.LastIndex(email, "@")):]
	return name
}

var _ = check.For("RAS-ACCOUNT-LINK", func() {
	server.It("known-email", "gives a new sub no account of a user by an address that is not of its "+
		"IdP's domains", func(t *server.T) {
		bob := t.Control(t.GrantFrom(t.IdP, t.Bob()))
		_, domain, _ := strings.Cut(t.Bob().Email, "@")
		for _, idp := range []struct {
			*mockidp.Issuer
			*target.IdP
		}{{t.IdP, &t.Config.IdP}, {t.SecondIdP, t.Config.SecondIdP}} {
			if idp.IdP == nil {
				continue
			}
			unknown := Stranger(t, t.Bob().Email)
			unknown.SubID = nobodysName(idp.IdP, unknown.Email)
			a := t.Attack(t.GrantFrom(idp.Issuer, unknown))
			if server.Granted(a) && slices.Contains(idp.EmailDomains, domain) &&
				server.AccountOf(t, a) == server.AccountOf(t, bob) {
				t.Notef("%s links by e-mail address within its own domains: by policy, an account goes to a new sub",
					idp.Issuer.URL)
				continue
			}
			server.ExpectNobodyElse(t, a, bob)
		}
	}, check.With(server.NeedsSecondUser, server.NeedsEmail),
		check.Sends("A user with the right sub as control, then another sub with that user's e-mail address, by each IdP"))

	server.It("changed-email", "keeps the account of a known sub whose e-mail address has changed", func(t *server.T) {
		alice, bob := t.Control(t.Grant()), t.Control(t.GrantFrom(t.IdP, t.Bob()))
		right := server.SeenAccount(t, alice)
		a := t.Attack(t.Grant(server.Set("email", t.Bob().Email)))
		Expect(a).To(server.BeGranted(), "sub identifies the user, whatever the e-mail address")
		got := server.AccountOf(t, a)
		Expect(got).NotTo(Equal(server.AccountOf(t, bob)),
			"the token is for the user who has the e-mail address, not for the one of the sub")
		Expect(got).To(Equal(right), "the token is for another account than before")
	}, check.With(server.NeedsSecondUser, server.NeedsEmail),
		check.Sends("The sub of one user with the e-mail address of another, after both users as controls"))

	server.It("aud-sub", "keeps the account of a known sub when aud_sub names another one", func(t *server.T) {
		alice, bob := t.Control(t.Grant()), t.Control(t.GrantFrom(t.IdP, t.Bob()))
		a := t.Attack(t.Grant(server.Set("aud_sub", server.SeenAccount(t, bob))))
		if server.Granted(a) {
			Expect(server.AccountOf(t, a)).To(Equal(server.AccountOf(t, alice)),
				"sub and aud_sub disagree, and the token is for the account that aud_sub names")
		}
	}, check.Should(), check.With(server.NeedsSecondUser),
		check.Sends("Two users as controls, then the sub of one with the other's account in aud_sub"))

	server.It("aud-sub-other-idp", "gives no account of another IdP's user for aud_sub", func(t *server.T) {
		bob := server.SeenAccount(t, t.Control(t.GrantFrom(t.IdP, t.Bob())))
		theirs := t.Config.SecondIdP.Users[0]
		if server.SeenAccount(t, t.Control(t.GrantFrom(t.SecondIdP, theirs))) == bob {
			t.Skipf("the second IdP's first user has the same account as the first IdP's second user")
		}
		a := t.Attack(t.GrantFrom(t.SecondIdP, theirs, server.Set("aud_sub", bob)))
		if server.Granted(a) {
			Expect(server.AccountOf(t, a)).NotTo(Equal(bob),
				"an identity provider names an account of another one's user, and gets it")
		}
	}, check.Should(), check.With(server.NeedsSecondIdP, server.NeedsSecondUser),
		check.Sends("A user of each IdP as controls, then the second one's with the first one's account in aud_sub"))

	server.It("unverified", "links no account by an e-mail address that the IdP calls unverified", func(t *server.T) {
		known := t.Control(t.GrantFrom(t.IdP, Linked(t), server.Set("email_verified", true)))
		unverified := t.GrantFrom(t.IdP, Stranger(t, t.Config.LinkableEmail), server.Set("email_verified", false))
		server.ExpectNobodyElse(t, t.Attack(unverified), known)
	}, check.With(server.NeedsLinkableEmail),
		check.Sends("A user whom only the e-mail address identifies, verified as control, then with email_verified false"))

	server.It("foreign-domain", "links no account by an e-mail address outside the IdP's authority", func(t *server.T) {
		_, domain, _ := strings.Cut(t.Config.LinkableEmail, "@")
		if slices.Contains(t.Config.SecondIdP.EmailDomains, domain) {
			t.Skipf("needs a linkable_email in a domain that the second IdP has no authority over (second_idp.email_domains)")
		}
		known := t.Control(t.GrantFrom(t.IdP, Linked(t)))
		theirs := t.Config.SecondIdP.Users[0]
		t.Control(t.GrantFrom(t.SecondIdP, theirs))
		unknown := Stranger(t, t.Config.LinkableEmail)
		unknown.SubID = nobodysName(t.Config.SecondIdP, unknown.Email)
		server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.SecondIdP, unknown)), known)
	}, check.With(server.NeedsLinkableEmail, server.NeedsSecondIdP),
		check.Sends("A user whom only the e-mail address identifies, by the IdP that may as control, then by the second IdP"))

	server.It("shared-email", "chooses none of two accounts that share an e-mail address", func(t *server.T) {
		t.Control(t.GrantFrom(t.IdP, Linked(t)))
		one := t.Attack(t.GrantFrom(t.IdP, Stranger(t, t.Config.SharedEmail)))
		if !server.Granted(one) {
			server.ExpectRefused(t, one)
			return
		}
		account := server.SeenAccount(t, one)
		// Who gets an account of his own just in time does not share it with another.
		other := t.Attack(t.GrantFrom(t.IdP, Stranger(t, t.Config.SharedEmail)))
		if server.AccountOf(t, other) == account {
			t.Failf("expected a refusal, or an account of his own for each new sub, but two of them got the account "+
				"%q: one of two accounts that share an e-mail address was chosen", wire.Printable(account, 80))
		}
		t.Notef("granted, each time for another account: they must have been made just in time")
	}, check.With(server.NeedsLinkableEmail, server.NeedsSharedEmail),
		check.Sends("A new sub with an e-mail address of one account as control, then with one that two accounts share"))
})
