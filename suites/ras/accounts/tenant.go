package accounts

import (
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// MultiTenant is the issuer that the target knows as multi-tenant, and a user of our tenant.
func MultiTenant(t *server.T) (*mockidp.Issuer, target.User) {
	if t.Config.IdP.Tenant != "" {
		return t.IdP, t.Alice()
	}
	return t.SecondIdP, t.Config.SecondIdP.Users[0]
}

var tenants = []struct {
	slug, what string
	edit       server.Edit
	options    []check.Option
}{
	{"missing", "an ID-JAG without tenant", server.Remove("tenant"), nil},
	{"empty", "an ID-JAG whose tenant is the empty string", server.Set("tenant", ""), nil},
	{"other", "a user of this tenant in the name of another customer's", func(j *server.Token) {
		j.Claims["tenant"] = j.Claims["tenant"].(string) + "0"
	}, nil},
	// The draft does not tell a server without tenants of its own to look at aud_tenant.
	{"aud-tenant", "an ID-JAG for another tenant of the server (aud_tenant)", func(j *server.Token) {
		j.Claims["aud_tenant"] = server.Like("tenant-0")
	},
		[]check.Option{check.Should()}},
}

var _ = check.For("RAS-TENANT", func() {
	for _, c := range tenants {
		server.It(c.slug, "refuses "+c.what, func(t *server.T) {
			idp, user := MultiTenant(t)
			known := t.Control(t.GrantFrom(idp, user))
			// Without an e-mail address, so that nothing but the subject can find an account.
			a := t.Attack(t.GrantFrom(idp, user, server.Remove("email"), c.edit))
			if c.slug == "other" { // another customer's user may get an account of his own
				server.ExpectNobodyElse(t, a, known)
				return
			}
			server.ExpectRefused(t, a)
		}, append(c.options, check.With(server.NeedsTenant),
			check.Sends(check.Sentence(c.what)+", after an honest ID-JAG as control"))...)
	}
})
