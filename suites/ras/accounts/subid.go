package accounts

import (
	"crypto/rand"
	"maps"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// subID is an edit that changes the SAML name in an ID-JAG.
func subID(change func(id map[string]string)) server.Edit {
	return func(j *server.Token) {
		id := maps.Clone(j.Claims["sub_id"].(map[string]string))
		change(id)
		j.Claims["sub_id"] = id
	}
}

// names are SAML names that the second IdP's first user does not have.
var names = []struct {
	slug, what string
	edit       func(t *server.T) server.Edit
	options    []check.Option
}{
	{"issuer", "of the SAML IdP of another customer", func(*server.T) server.Edit {
		return subID(func(id map[string]string) { id["issuer"] = "http://saml.other.example/exk2" })
	}, nil},
	// Which members beside issuer and nameid count is the server's own set (ID-JAG draft-04 3.2.2).
	{"qualifier", "with another sp_name_qualifier", func(*server.T) server.Edit {
		return subID(func(id map[string]string) { id["sp_name_qualifier"] = "https://other.example/saml" })
	}, []check.Option{check.Should()}},
	// That both name the same user binds the IdP (ID-JAG draft-04 3.1).
	{"other-user", "of another user than sub", func(t *server.T) server.Edit {
		return server.Set("sub_id", t.Config.SecondIdP.Users[1].SubID)
	}, []check.Option{check.Should()}},
	{"format", "of an unknown format", func(*server.T) server.Edit {
		return subID(func(id map[string]string) { id["format"] = "saml-nameid-2" })
	}, nil},
	{"no-nameid", "without nameid", func(*server.T) server.Edit {
		return subID(func(id map[string]string) { delete(id, "nameid") })
	}, nil},
	{"string", "that is a string", func(t *server.T) server.Edit {
		return server.Set("sub_id", t.Config.SecondIdP.Users[0].SubID["nameid"])
	}, nil},
}

// mustRequireName skips the check where the server does without a SAML name: what the draft says of bad ones binds a
// server that requires it (ID-JAG draft-04 3.2.2).
func mustRequireName(t *server.T, alice target.User) {
	if server.Granted(t.Redeem(t.GrantFrom(t.SecondIdP, alice, server.Remove("sub_id")))) {
		t.Skipf("an ID-JAG without sub_id is granted: this server finds its users by sub, and need not look at sub_id")
	}
}

var _ = check.For("RAS-SUB-ID", func() {
	for _, a := range names {
		what := "an ID-JAG with a sub_id " + a.what
		server.It(a.slug, "refuses "+what, func(t *server.T) {
			alice := t.Config.SecondIdP.Users[0]
			hers := t.Control(t.GrantFrom(t.SecondIdP, alice))
			mustRequireName(t, alice)
			if got := t.Attack(t.GrantFrom(t.SecondIdP, alice, a.edit(t))); server.Granted(got) {
				server.ExpectNobodyElse(t, got, hers)
			} else {
				Expect(got).To(server.BeRefused(server.InvalidGrant))
			}
		}, append(a.options, check.With(server.NeedsSubID),
			check.Sends(check.Sentence(what)+", from the second IdP, after an honest one as control"))...)
	}

	server.It("other-sub", "takes the SAML name of a user whom sub does not name for that "+
		"user at most", func(t *server.T) {
		alice := t.Config.SecondIdP.Users[0]
		hers := t.Control(t.GrantFrom(t.SecondIdP, alice))
		got := t.Attack(t.GrantFrom(t.SecondIdP, alice, server.Set("sub", rand.Text()), server.Remove("email")))
		switch {
		case !server.Granted(got):
			Expect(got).To(server.BeRefused(server.InvalidGrant))
		case server.AccountOf(t, got) == "":
			server.Invisible(t)
		case server.AccountOf(t, got) == server.AccountOf(t, hers):
			t.Notef("users are found by their SAML name alone (ID-JAG draft-04 3.2.2)")
		default:
			server.ExpectNobodyElse(t, got)
		}
	}, check.With(server.NeedsSubID),
		check.Sends("A sub that nobody has with the SAML name of a user, after hers as control"))

	server.It("missing", "finds no other user when sub_id is missing", func(t *server.T) {
		alice := t.Config.SecondIdP.Users[0]
		hers := t.Control(t.GrantFrom(t.SecondIdP, alice))
		switch got := t.Attack(t.GrantFrom(t.SecondIdP, alice, server.Remove("sub_id"))); {
		case !server.Granted(got):
			Expect(got).To(server.BeRefused(server.InvalidGrant))
		case server.AccountOf(t, got) == "":
			server.Invisible(t)
		default:
			Expect(server.AccountOf(t, got)).To(Equal(server.AccountOf(t, hers)),
				"without sub_id the token is for another account than with it")
			t.Notef("sub_id is not required")
		}
	}, check.With(server.NeedsSubID),
		check.Sends("An ID-JAG without sub_id from the second IdP, after one with it as control"))
})

// A sub_id of another format (RFC 9493 section 3.2) may say the same as sub, and may not stand in for it.
var _ = check.For("RAS-SUB-ID", func() {
	for format, of := range grammar.SubIDFormats {
		slug := "stranger-" + strings.ReplaceAll(format, "_", "-")
		server.It(slug, "takes a new sub for nobody it knows, though a sub_id of the format "+format+" names a user",
			func(t *server.T) {
				bob := t.Control(t.GrantFrom(t.IdP, t.Bob()))
				id := of(t.IdP.URL, t.Bob().Sub, t.Bob().Email)
				id["format"] = format
				server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, Stranger(t, ""), server.NoEmail, server.Set("sub_id", id))),
					bob)
			}, check.Should(), check.With(server.NeedsSecondUser, server.NeedsEmail),
			check.Sends("A user as control, then a new sub with a sub_id of the format "+format+" that names this user"))
	}
})
