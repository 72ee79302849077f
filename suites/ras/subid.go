package ras

import (
	"crypto/rand"
	"maps"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// subID is an edit that changes the SAML name in an ID-JAG.
func subID(change func(id map[string]string)) server.Edit {
	return func(j *server.Token) {
		id := maps.Clone(j.Claims["sub_id"].(map[string]string))
		change(id)
		j.Claims["sub_id"] = id
	}
}

var _ = check.For("RAS-SUB-ID", func() {
	for _, a := range []struct {
		slug, what string
		edit       func(t *server.T) server.Edit
	}{
		{"issuer", "of the SAML IdP of another customer", func(*server.T) server.Edit {
			return subID(func(id map[string]string) { id["issuer"] = "http://saml.other.example/exk2" })
		}},
		{"qualifier", "with another sp_name_qualifier", func(*server.T) server.Edit {
			return subID(func(id map[string]string) { id["sp_name_qualifier"] = "https://other.example/saml" })
		}},
		{"other-user", "of another user than sub", func(t *server.T) server.Edit {
			return server.Set("sub_id", t.Config.SecondIdP.Users[1].SubID)
		}},
		{"other-sub", "of a user whom sub does not name", func(*server.T) server.Edit {
			return func(j *server.Token) {
				j.Claims["sub"] = rand.Text()
				delete(j.Claims, "email")
			}
		}},
		{"format", "of an unknown format", func(*server.T) server.Edit {
			return subID(func(id map[string]string) { id["format"] = "emaconform-unknown" })
		}},
		{"no-nameid", "without nameid", func(*server.T) server.Edit {
			return subID(func(id map[string]string) { delete(id, "nameid") })
		}},
		{"string", "that is a string", func(t *server.T) server.Edit {
			return server.Set("sub_id", t.Config.SecondIdP.Users[0].SubID["nameid"])
		}},
		{"missing", "that is missing", func(*server.T) server.Edit { return server.Remove("sub_id") }},
	} {
		what := "an ID-JAG with a sub_id " + a.what
		server.It(a.slug, "refuses "+what, func(t *server.T) {
			alice := t.Config.SecondIdP.Users[0]
			t.Control(t.GrantFrom(t.SecondIdP, alice))
			Expect(t.Attack(t.GrantFrom(t.SecondIdP, alice, a.edit(t)))).To(server.BeRefused(server.InvalidGrant))
		}, check.With(server.NeedsSubID), check.Sends(sentence(what)+", from the second IdP, after an honest one as control"))
	}
})
