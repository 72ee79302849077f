package idjag

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// audiences are values of aud that are not this server alone. Draft-04 4.4.1 and EMA 7.6.2 fix the error code.
var audiences = []struct {
	slug, what string
	value      func(*server.T) any
}{
	{"null", "null", func(*server.T) any { return nil }},
	{"empty", "the empty string", func(*server.T) any { return "" }},
	{"number", "a number", func(*server.T) any { return 1 }},
	{"object", "an object that holds the issuer", func(t *server.T) any { return map[string]any{"issuer": t.Issuer()} }},
	{"array-empty", "an empty array", func(*server.T) any { return []string{} }},
	{"array-own-first", "an array of this server and another one", func(t *server.T) any {
		return []string{t.Issuer(), server.OtherIssuer}
	}},
	{"array-own-last", "an array of another server and this one", func(t *server.T) any {
		return []string{server.OtherIssuer, t.Issuer()}
	}},
	{"array-twice", "an array that names this server twice", func(t *server.T) any {
		return []string{t.Issuer(), t.Issuer()}
	}},
	{"other", "another server", func(*server.T) any { return server.OtherIssuer }},
	{"token-endpoint", "the token endpoint instead of the issuer", func(t *server.T) any {
		return t.Target.TokenEndpoint
	}},
	{"mcp-server", "the MCP server instead of its authorization server", func(t *server.T) any { return t.Resource() }},
	{"client-id", "the client's id", func(t *server.T) any { return t.Client(0).ID }},
}

var _ = check.For("RAS-AUD-EXACT", func() {
	server.Refuses(server.Attack{Slug: "missing", What: "an ID-JAG without aud", Edit: server.Remove("aud"),
		Codes: server.OnlyInvalidGrant})
	for _, a := range audiences {
		server.Refuses(server.Attack{Slug: a.slug, What: "an ID-JAG whose aud is " + a.what,
			Craft: server.Claim("aud", a.value), Codes: server.OnlyInvalidGrant})
	}

	server.It("array-of-one", "grants an ID-JAG whose aud is an array of this server's issuer alone", func(t *server.T) {
		t.Control(t.Grant())
		Expect(t.Redeem(t.Grant(server.Set("aud", []string{t.Issuer()})))).To(server.BeGranted())
	}, check.Sends("An ID-JAG whose aud is a one-element array, after one with a string as control"))
})

var _ = check.For("RAS-AUD-EXACT", func() {
	for _, header := range server.HostHeaders {
		server.It("by-"+strings.ToLower(header), "knows itself by its issuer, whatever "+header+" says", func(t *server.T) {
			t.Control(t.Grant())
			for _, scheme := range []string{"https", "http"} {
				grant := t.Grant(server.Set("aud", server.OnOtherHost(t.Issuer(), scheme)))
				a := t.Attack(grant, server.NamesOtherHost(header, scheme))
				if server.Granted(a) {
					t.Failf("an ID-JAG for %s was granted to a request whose %s said so: whoever asks chooses which server it is",
						server.OtherHost, header)
				}
				Expect(a.Status/100).NotTo(Equal(2), "a success without an access token")
			}
		}, check.Sends("An honest ID-JAG as control, then one for another server in a request whose "+header+
			" names that one"))
	}
})

var _ = check.For("RAS-AUD-EXACT", func() {
	server.RefusesFromOthers("other-clients",
		server.Attack{What: "an ID-JAG without aud", Edit: server.Remove("aud")},
		server.Attack{What: "an ID-JAG whose aud is another server", Edit: server.Set("aud", server.OtherIssuer)})
})
