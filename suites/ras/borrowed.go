package ras

import (
	"net/url"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// Checks of values that stand for a user, a client or a server in another place than the one where they were sent.

var _ = check.For("RAS-SUB", func() {
	server.It("email", "takes the e-mail address of a user, sent as sub, for no existing user", func(t *server.T) {
		alice, bob := t.Control(t.Grant()), t.Control(t.GrantFrom(t.IdP, t.Bob()))
		expectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, target.User{Sub: t.Bob().Email}, noEmail)), alice, bob)
	}, check.With(server.NeedsSecondUser, server.NeedsEmail),
		check.Sends("Two users as controls, then an ID-JAG whose sub is the e-mail address of one of them"))

	server.It("local-id", "takes its own id of an account, sent as sub, for no existing user", func(t *server.T) {
		alice := t.Control(t.Grant())
		local := account(t, alice)
		if local == "" || local == t.Alice().Sub {
			t.Skipf("how the target itself calls its accounts cannot be seen, or it is what the IdP calls them")
		}
		expectNobodyElse(t, t.Attack(t.GrantFrom(t.IdP, target.User{Sub: local}, noEmail)), alice)
	}, check.Sends("A user as control, then an ID-JAG whose sub is what the access token calls that user"))
})

var _ = check.For("RAS-TENANT", func() {
	for slug, split := range map[string]func(tenant, sub string) (string, string){
		"joined-left": func(tenant, sub string) (string, string) {
			return tenant[:len(tenant)-1], tenant[len(tenant)-1:] + sub
		},
		"joined-right": func(tenant, sub string) (string, string) { return tenant + sub[:1], sub[1:] },
	} {
		server.It(slug, "takes no other tenant and sub that read the same when they are joined for the user", func(t *server.T) {
			idp, user := multiTenant(t)
			control := t.Control(t.GrantFrom(idp, user, noEmail))
			honest := t.GrantFrom(idp, user, noEmail)
			honest.Claims["tenant"], honest.Claims["sub"] = split(honest.Claims["tenant"].(string), user.Sub)
			expectNobodyElse(t, t.Attack(honest), control)
		}, check.With(server.NeedsTenant),
			check.Sends("A user of a tenant as control, then the end of tenant moved to the beginning of sub, or the other way round"))
	}
})

var _ = check.For("RAS-SUB-ID", func() {
	for _, member := range []string{"nameid_format", "sp_name_qualifier"} {
		server.It("no-"+strings.ReplaceAll(member, "_", "-"), "takes a name without its "+member+" for no existing user", func(t *server.T) {
			alice := t.Config.SecondIdP.Users[0]
			if alice.SubID[member] == "" {
				t.Skipf("the SAML names of the users have no %s (second_idp.users[].sub_id)", member)
			}
			control := t.Control(t.GrantFrom(t.SecondIdP, alice, noEmail))
			less := subID(func(id map[string]string) { delete(id, member) })
			expectNobodyElse(t, t.Attack(t.GrantFrom(t.SecondIdP, alice, noEmail, less)), control)
		}, check.With(server.NeedsSubID), check.Sends("A user by SAML name as control, then the same name without "+member))
	}
})

var _ = check.For("RAS-CLIENT-BINDING", func() {
	for _, name := range []string{"azp", "cid", "client"} {
		refuses(attack{slug: "beside-" + name, what: "an ID-JAG for another client, with the right one in " + name, codes: invalidGrant,
			craft: func(_ *server.T, honest *server.Token) string {
				honest.Claims[name] = honest.Claims["client_id"]
				honest.Claims["client_id"] = "emaconform-other"
				return signedAnyhow(honest)
			}})
	}
})

// hostHeaders name the host that was asked for, as proxies pass it on.
var hostHeaders = []string{"Host", "X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server", "X-Http-Host-Override", "Forwarded"}

// otherHost is a server that nobody here runs (RFC 2606).
const otherHost = "as.other.example"

// onHost is a URL on another host.
func onHost(rawURL, scheme, host string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	u.Scheme, u.Host = scheme, host
	return u.String()
}

var _ = check.For("RAS-AUD-EXACT", func() {
	for _, header := range hostHeaders {
		server.It("by-"+strings.ToLower(header), "knows itself by its issuer, whatever "+header+" says", func(t *server.T) {
			t.Control(t.Grant())
			for _, scheme := range []string{"https", "http"} {
				value := otherHost
				if header == "Forwarded" {
					value = "host=" + otherHost + ";proto=" + scheme
				}
				grant := t.Grant(server.Set("aud", onHost(t.Issuer(), scheme, otherHost)))
				a := t.Attack(grant, server.HeaderField(header, value), server.HeaderField("X-Forwarded-Proto", scheme))
				if server.Granted(a) {
					t.Failf("an ID-JAG for %s was granted to a request whose %s said so: whoever asks chooses which server it is",
						otherHost, header)
				}
				Expect(a.Status/100).NotTo(Equal(2), "a success without an access token")
			}
		}, check.Sends("An honest ID-JAG as control, then one for another server in a request whose "+header+" names that one"))
	}
})

// nested claims are where a careless reader finds what the top level lacks.
var _ = check.For("RAS-UNTRUSTED-CLAIMS", func() {
	for _, inside := range []string{"claims", "payload"} {
		for _, name := range []string{"sub", "aud", "client_id", "exp"} {
			refuses(attack{slug: "in-" + inside + "-" + strings.ReplaceAll(name, "_", "-"),
				what: "an ID-JAG with its " + name + " in a member " + inside,
				edit: func(j *server.Token) {
					j.Claims[inside] = map[string]any{name: j.Claims[name]}
					delete(j.Claims, name)
					delete(j.Claims, "email")
				}})
		}
	}

	for slug, wrap := range map[string]func(members) (string, any){
		"proto":       func(m members) (string, any) { return "__proto__", m },
		"constructor": func(m members) (string, any) { return "constructor", members{"prototype": m} },
	} {
		server.It("polluted-"+slug, "lets no ID-JAG change how the next ones are read", func(t *server.T) {
			t.Control(t.Grant())
			name, value := wrap(members{"aud": t.Issuer(), "emaconform": "polluted"})
			t.Attack(t.Grant(server.Set(name, value)))
			a := t.Attack(t.Grant(server.Remove("aud")))
			if server.Granted(a) {
				t.Failf("an ID-JAG without aud is granted after one with aud in %s: claims are merged into an object without care, and "+
					"one ID-JAG changes every later one. Start the target anew before you go on", name)
			}
			expectRefused(t, a)
			t.Control(t.Grant())
		}, check.Serial(), check.Intrusive(),
			check.Sends("An ID-JAG that has aud in "+slug+", then one without aud, between honest ones"))
	}
})
