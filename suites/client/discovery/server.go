package discovery

import (
	"net/http"
	"slices"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

// tenant gives the RAS an issuer with a path, whose metadata is at this location alone.
func tenant(location string) func(*world.World) {
	return func(w *world.World) {
		w.Move("/tenant", location)
	}
}

var _ = check.For("CL-AS-DISCOVERY", func() {
	It("path-oauth", "finds OAuth metadata of an issuer with a path",
		Given.But("An issuer with a path; its metadata at /.well-known/oauth-authorization-server/tenant",
			tenant("oauth")).From(ReadResource),
		Succeeds("this is the first location to look (RFC 8414 3.1)"))
	It("path-oidc", "finds OpenID Connect metadata of an issuer with a path, well-known location before the path",
		Given.But("An issuer with a path; its metadata at /.well-known/openid-configuration/tenant",
			tenant(
				"oidc",
			)).From(ReadResource),
		Succeeds("this is the second location to look (MCP, authorization server metadata discovery)"))
	It("path-oidc-appended", "finds OpenID Connect metadata of an issuer with a path, well-known location behind the path",
		Given.But("An issuer with a path; its metadata at /tenant/.well-known/openid-configuration",
			tenant("oidc-appended")).From(ReadResource),
		Succeeds("this is the third location to look (OpenID Connect Discovery 4)"))
	It("oidc-only", "finds OpenID Connect metadata where there is no OAuth document",
		Given.But("Metadata at /.well-known/openid-configuration alone",
			func(w *world.World) { w.RAS.PublishOnly("oidc") }).From(ReadResource),
		Succeeds("clients must support both (MCP, authorization server metadata discovery)"))
	It("order", "prefers the OAuth document",
		Given.But("Two documents of the same issuer; the token endpoint of the OpenID Connect one is the attacker's",
			func(w *world.World) {
				other := Decoy(w)
				other["issuer"] = w.RAS.Issuer
				w.RAS.Publish("/.well-known/openid-configuration", other)
			}).From(ReadResource),
		sparesAttacker("the OAuth location comes first (MCP, authorization server metadata discovery)"))
	It("issuer-mismatch", "does not use metadata whose issuer is another",
		Given.But("Metadata that is right but for its issuer",
			issuerIs(func(*world.World) string { return "https://auth.victim.example" })).From(ReadServer),
		refusesIssuer)
	It("issuer-longer", "does not use metadata whose issuer only begins as the one asked for",
		Given.But("Metadata whose issuer has more behind it",
			issuerIs(func(w *world.World) string { return w.RAS.Issuer + ".victim.example" })).From(ReadServer),
		refusesIssuer)
	It("issuer-case", "does not use metadata whose issuer differs in case",
		Given.But("An issuer with a path, and metadata whose issuer has that path in capital letters", func(w *world.World) {
			w.Move("/tenant", "oauth")
			w.RAS.Metadata["issuer"] = w.RAS.URL + "/TENANT"
		}).From(ReadServer),
		refusesIssuer, check.Should())
	It("issuer-slash", "does not use metadata whose issuer has a slash more",
		Given.But("Metadata whose issuer has a slash behind it",
			issuerIs(func(w *world.World) string { return w.RAS.Issuer + "/" })).From(ReadServer),
		refusesIssuer, check.Should())
	It("foreign-endpoint", "does not post to the token endpoint of metadata whose issuer is another",
		Given.But("The attacker's authorization server, whose metadata says that its issuer is the honest one",
			func(w *world.World) {
				Decoy(w)["issuer"] = w.RAS.Issuer
				w.MCP.Metadata["authorization_servers"] = []string{w.Attacker.URL}
			}).From(ReadResource),
		func(t *T) {
			if n := slices.IndexFunc(t.At(t.World.Attacker), func(s world.Seen) bool {
				return s.Method == http.MethodPost
			}); n >= 0 {
				t.Failf(
					"expected nothing to be sent to the attacker's token endpoint: the issuer is not the one that was asked for " +
						"(RFC 8414 3.3)",
				)
			}
			t.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
		})
})

// issuerIs puts another issuer into the RAS's metadata.
func issuerIs(other func(*world.World) string) func(*world.World) {
	return func(w *world.World) { w.RAS.Metadata["issuer"] = other(w) }
}

func refusesIssuer(t *T) {
	t.MustNotRedeem("the issuer is not the one that was asked for (RFC 8414 3.3)")
}

var _ = check.For("CL-PROFILE", func() {
	silent := func(t *T) { t.MustNotRedeem("the RAS does not list the profile (EMA 6)") }
	It("not-listed", "does not present an ID-JAG to a server that lists neither the profile nor the grant type",
		Given.But("A RAS that lists grant types and profiles, none of them this one", func(w *world.World) {
			w.RAS.Metadata["authorization_grant_profiles_supported"] = []string{}
			w.RAS.Metadata["grant_types_supported"] = []string{"authorization_code"}
		}).From(ReadServer), silent)
	It("profile-alone", "does not present an ID-JAG to a server that lists the grant type, but not the profile",
		Given.But("A RAS that takes jwt-bearer grants of another profile: its metadata lists that profile alone",
			func(w *world.World) {
				w.RAS.Metadata["authorization_grant_profiles_supported"] = []string{"urn:example:grant-profile:device"}
			}).From(ReadServer), silent)
})
