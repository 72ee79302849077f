package accounts

import (
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// Checks of values that stand for a user, a client or a server in another place than the one where they were sent.

var _ = check.For("RAS-SUB", func() {
	server.It("email", "takes the e-mail address of a user, sent as sub, for no existing user", func(t *server.T) {
		alice, bob := t.Control(t.Grant()), t.Control(t.GrantFrom(t.IdP, t.Bob()))
		server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, target.User{Sub: t.Bob().Email}, server.NoEmail)), alice, bob)
	}, check.With(server.NeedsSecondUser, server.NeedsEmail),
		check.Sends("Two users as controls, then an ID-JAG whose sub is the e-mail address of one of them"))

	server.It("local-id", "takes its own id of an account, sent as sub, for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		local := server.AccountOf(t, alice)
		if local == "" || local == t.Alice().Sub {
			t.Skipf("how the target itself calls its accounts cannot be seen, or it is what the IdP calls them")
		}
		server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, target.User{Sub: local}, server.NoEmail)), alice)
	}, check.Sends("A user as control, then an ID-JAG whose sub is what the access token calls that user"))
})

var _ = check.For("RAS-TENANT", func() {
	for slug, split := range map[string]func(tenant, sub string) (string, string){
		"joined-left": func(tenant, sub string) (string, string) {
			return tenant[:len(tenant)-1], tenant[len(tenant)-1:] + sub
		},
		"joined-right": func(tenant, sub string) (string, string) { return tenant + sub[:1], sub[1:] },
	} {
		server.It(slug, "takes no other tenant and sub that read the same when they are joined "+
			"for the user", func(t *server.T) {
			idp, user := MultiTenant(t)
			control := t.Control(t.GrantFrom(idp, user, server.NoEmail))
			honest := t.GrantFrom(idp, user, server.NoEmail)
			honest.Claims["tenant"], honest.Claims["sub"] = split(honest.Claims["tenant"].(string), user.Sub)
			server.ExpectNobodyElse(t, t.Attack(honest), control)
		}, check.With(server.NeedsTenant),
			check.Sends("A user of a tenant as control, then the end of tenant moved to the beginning of sub, or the "+
				"other way round"))
	}
})

var _ = check.For("RAS-SUB-ID", func() {
	for _, member := range []string{"nameid_format", "sp_name_qualifier"} {
		server.It("no-"+strings.ReplaceAll(member, "_", "-"), "takes a name without its "+member+
			" for no existing user", func(t *server.T) {
			alice := t.Config.SecondIdP.Users[0]
			if alice.SubID[member] == "" {
				t.Skipf("the SAML names of the users have no %s (second_idp.users[].sub_id)", member)
			}
			control := t.Control(t.GrantFrom(t.SecondIdP, alice, server.NoEmail))
			mustRequireName(t, alice)
			less := subID(func(id map[string]string) { delete(id, member) })
			server.ExpectNobodyElse(t, t.Attack(t.GrantFrom(t.SecondIdP, alice, server.NoEmail, less)), control)
		}, check.With(server.NeedsSubID), check.Sends("A user by SAML name as control, then the same name without "+member))
	}
})
