package idjag

import (
	"strings"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// known is a user of one of the identity providers that the target trusts.
type known struct {
	idp  *mockidp.Issuer
	user target.User
}

// knownBy finds a user of whom this is true, those of the first identity provider before the second one's.
func knownBy(w *server.World, is func(target.User) bool) (known, bool) {
	for _, u := range w.Config.Users {
		if is(u) {
			return known{w.IdP, u}, true
		}
	}
	if w.SecondIdP != nil {
		for _, u := range w.Config.SecondIdP.Users {
			if is(u) {
				return known{w.SecondIdP, u}, true
			}
		}
	}
	return known{}, false
}

func hasName(u target.User) bool { return u.SubID["nameid"] != "" }

func isAddress(u target.User) bool { return strings.Contains(u.Sub, "@") }

// needsUser is for checks of a user of whom this is true, of either identity provider.
func needsUser(key, why string, is func(target.User) bool) check.Option {
	return check.With(server.Need(key, why, func(w *server.World) bool {
		_, found := knownBy(w, is)
		return found
	}))
}

// shaped is an honest ID-JAG of this user as an identity provider mints it. It grants neither more nor less than the
// plain one.
func shaped(t *server.T, f flavour.Flavour, k known) *server.Token {
	token := t.GrantFrom(k.idp, k.user)
	account := flavour.Account{Client: "0oa1emaconform", Email: k.user.Email, NameID: k.user.SubID["nameid"],
		SAMLIssuer: k.user.SubID["issuer"]}
	subID := token.Claims["sub_id"]
	f.Shape(token, account)
	if subID != nil {
		token.Claims["sub_id"] = subID // as the target knows it, with all that qualifies it
	}
	return token
}

// difference says what sets the ID-JAGs of an identity provider apart, for those who are refused.
func difference(f flavour.Flavour) string {
	for _, d := range f.Differences {
		if strings.Contains(d.What, "ID-JAG") && !d.Guess() {
			return ": " + d.What + " (" + d.Source + ", " + d.Date + ")"
		}
	}
	return ""
}

// takesShape expects the ID-JAG of a flavour to be granted as the plain one of the same user is.
func takesShape(t *server.T, f flavour.Flavour, k known) {
	t.Control(t.GrantFrom(k.idp, k.user))
	a := t.Redeem(shaped(t, f, k))
	Expect(a).To(server.BeGranted(), "grants of %s look like this%s. What a server does not understand it MUST "+
		"ignore (RFC 7519 4)",
		f.Title, difference(f))
}

var _ = check.For("RAS-IDP-SHAPES", func() {
	for _, f := range flavour.All() {
		if f.Hypothetical || plain(f) {
			continue // nobody has seen it, or every other check sends it
		}
		is, need := func(target.User) bool { return true }, []check.Option(nil)
		if f.SAMLSubject {
			is, need = hasName,
				[]check.Option{needsUser("users[].sub_id", "needs a user that the target knows by a SAML name", hasName)}
		}
		server.It(f.Name, "grants an ID-JAG as "+f.Title+" mints it", func(t *server.T) {
			k, _ := knownBy(t.World, is)
			takesShape(t, f, k)
		}, append(need, check.Sends("A plain ID-JAG as control, then one of the same user in the shape of "+f.Title))...)
	}

	server.It("sub-address", "grants an ID-JAG whose sub is an e-mail address", func(t *server.T) {
		k, _ := knownBy(t.World, isAddress)
		t.Control(t.Grant())
		Expect(t.Redeem(t.GrantFrom(k.idp, k.user))).To(server.BeGranted(),
			"identity providers can name users by their address: sub is any string that is unique at its issuer "+
				"(ID-JAG draft-04 3.1)")
	}, needsUser("users[].sub", "needs a user whose sub is an e-mail address", isAddress),
		check.Sends("A plain ID-JAG as control, then one of a user whose sub is an e-mail address"))

	server.It("second-algorithm", "grants an ID-JAG by another key of the same issuer, of "+
		"another algorithm", func(t *server.T) {
		t.Control(t.Grant())
		honest := t.Grant()
		honest.Key = otherAlgorithm(t, honest.Key)
		honest.Header["kid"], honest.Header["alg"] = honest.Key.KeyID, honest.Key.Algorithm
		if a := t.Redeem(honest); !server.Granted(a) {
			t.Warnf("an ID-JAG signed with %s by a key that the issuer publishes is answered with %s; RFC 7519 8 "+
				"recommends RS256 and ES256, and identity providers use either", honest.Key.Algorithm, a.Summary())
		}
	}, check.Should(), check.By("RFC 7519 §8"),
		check.Sends("An ID-JAG as control, then one signed with ES256 where the first was RS256, or the other way round"))
})

// plain reports whether the ID-JAGs of an identity provider are what every check sends.
func plain(f flavour.Flavour) bool {
	return f.IDJAGJTI == "" && f.ActorProfile == "" && !f.NotBefore && !f.AudienceArray && !f.Authenticated &&
		!f.SAMLSubject
}

// otherAlgorithm is a key of the issuer for the one of RS256 and ES256 that the honest one is not for.
func otherAlgorithm(t *server.T, honest *mockidp.Key) *mockidp.Key {
	want := jose.ES256
	if honest.Algorithm == string(jose.ES256) {
		want = jose.RS256
	}
	for _, k := range t.IdP.Keys.Keys {
		if k.Algorithm == string(want) {
			return k
		}
	}
	t.Skipf("the mock IdP has no key for %s (idp.keys)", want)
	return nil
}
