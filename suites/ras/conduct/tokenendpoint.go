// Package conduct holds the checks of how the server presents itself: metadata, the token endpoint's form, errors, what
// it writes and leaks.
package conduct

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// malformed are token requests with one mistake in their form (RFC 6749 3.2 and 5.2).
var malformed = []server.Attack{
	{Slug: "grant-type-missing", What: "a token request without grant_type",
		Redeem: []server.RedeemOption{server.Without("grant_type")}, Codes: []string{server.InvalidRequest}},
	{Slug: "grant-type-empty", What: "a token request with an empty grant_type",
		Redeem: []server.RedeemOption{server.Param("grant_type", "")}, Codes: []string{server.InvalidRequest}},
	{Slug: "grant-type-unknown", What: "a token request with a grant_type that does not exist",
		Redeem: []server.RedeemOption{server.Param("grant_type", "urn:example:grant-type:unknown")},
		Codes:  []string{server.UnsupportedGrantType}},
	{Slug: "grant-type-twice", What: "a token request with grant_type twice",
		Redeem: []server.RedeemOption{twice("grant_type")}, Codes: []string{server.InvalidRequest}},
	{Slug: "assertion-missing", What: "a token request without assertion",
		Redeem: []server.RedeemOption{server.Without("assertion")}, Codes: []string{server.InvalidRequest}},
	{Slug: "assertion-empty", What: "a token request with an empty assertion",
		Redeem: []server.RedeemOption{server.Param("assertion", "")}, Codes: []string{server.InvalidRequest}},
	{Slug: "assertion-twice", What: "a token request with the same assertion twice",
		Redeem: []server.RedeemOption{twice("assertion")}, Codes: []string{server.InvalidRequest}},
}

// twice sends a parameter a second time.
func twice(name string) server.RedeemOption {
	return func(r *server.Redemption) { r.AddField(name, r.Field(name)) }
}

var _ = check.For("RAS-TOKEN-POST-FORM", func() {
	server.Refuses(malformed...)

	server.It("scope-twice", "refuses a token request with scope twice", func(t *server.T) {
		scope := server.Param("scope", t.Config.Scopes[0])
		t.Control(t.Grant(), scope)
		server.ExpectRefused(t, t.Attack(t.Grant(), scope, twice("scope")), server.InvalidRequest)
	}, check.With(server.NeedsScope),
		check.Sends("A token request with one scope parameter as control, then one with two"))

	server.It("get", "refuses a token request by GET", func(t *server.T) {
		c := clientWithoutSecretInForm(t)
		t.Control(server.GrantFor(t, c), server.As(c))
		r := t.TokenRequest(server.GrantFor(t, c), server.As(c))
		r.Method, r.URL, r.Form = http.MethodGet, withQuery(r.URL, r.Form...), nil
		Expect(t.AttackWith(r)).To(server.BeRefused())
	}, check.By("EMA proposal §7.3"),
		check.Sends("An honest token request as control, then the same parameters in the query of a GET"))

	server.It("query", "refuses an assertion in the query of a POST", func(t *server.T) {
		t.Control(t.Grant())
		r := t.TokenRequest(t.Grant())
		r.URL = withQuery(r.URL, reports.Field{Name: "assertion", Value: r.Field("assertion")})
		r.DropField("assertion")
		Expect(t.AttackWith(r)).To(server.BeRefused(), "URLs end up in logs: no ID-JAG may travel in one (proposed "+
			"for EMA 7.3)")
	}, check.By("EMA proposal §7.3"),
		check.Sends("An honest token request as control, then one whose assertion is in the URL instead of the body"))

	server.It("json", "refuses a token request in JSON", func(t *server.T) {
		t.Control(t.Grant())
		r := t.TokenRequest(t.Grant())
		members := map[string]string{}
		for _, f := range r.Form {
			members[f.Name] = f.Value
		}
		r.Body, _ = json.Marshal(members) // strings always have a JSON form
		r.Form = nil
		r.Header.Set("Content-Type", "application/json")
		Expect(t.AttackWith(r)).To(server.BeRefused(), "RFC 6749 4 has every parameter sent in a urlencoded form")
	}, check.Should(), check.Sends("An honest token request as control, then the same parameters as a JSON object"))

	server.It("unknown-parameter", "ignores a parameter that it does not know", func(t *server.T) {
		Expect(t.Redeem(t.Grant(), server.Param("emaconform_unknown", "1"))).To(server.BeGranted(),
			"unrecognized parameters MUST be ignored (RFC 6749 3.2)")
		charset := server.HeaderField("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
		if a := t.Redeem(t.Grant(), charset); !server.Granted(a) {
			t.Notef("a form whose media type has a charset is refused (%s): many HTTP clients send one, and no document tells "+
				"a server to take it",
				a.Summary())
		}
	}, check.Sends("An honest token request with one parameter that no specification defines, and one with a charset in "+
		"its media type"))
})

// clientWithoutSecretInForm is a client whose parameters may stand in a URL, since no lasting secret is among them.
func clientWithoutSecretInForm(t *server.T) *target.Client {
	for _, method := range []string{target.ClientSecretBasic, target.PrivateKeyJWT} {
		if c := t.ClientBy(method); c != nil {
			return c
		}
	}
	t.Skipf("needs a client that authenticates by client_secret_basic or private_key_jwt: no secret may stand in a URL")
	return nil
}

// withQuery is the URL with these fields added to its query.
func withQuery(rawURL string, fields ...reports.Field) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	query := u.Query()
	for _, f := range fields {
		query.Add(f.Name, f.Value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

var _ = check.For("RAS-HAPPY", func() {
	server.It("granted", "grants an honest ID-JAG", func(t *server.T) {
		Expect(t.Redeem(t.Grant())).To(server.BeGranted())
	}, check.Sends("An honest ID-JAG of the first user, presented by the first client"))

	server.It("again", "grants a second ID-JAG of the same user", func(t *server.T) {
		for range 2 {
			Expect(t.Redeem(t.Grant())).To(server.BeGranted(), "each has a jti of its own: only the same jti is a replay")
		}
	}, check.Sends("Two honest ID-JAGs of the same user, one after the other"))

	server.It("second-user", "grants an honest ID-JAG of another user", func(t *server.T) {
		Expect(t.Redeem(t.GrantFrom(t.IdP, t.Bob()))).To(server.BeGranted())
	}, check.With(server.NeedsSecondUser), check.Sends("An honest ID-JAG of the second user"))

	server.It("second-idp", "grants an honest ID-JAG of another trusted IdP", func(t *server.T) {
		Expect(t.Redeem(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0]))).To(server.BeGranted())
	}, check.With(server.NeedsSecondIdP), check.Sends("An honest ID-JAG of the second IdP"))

	for _, method := range []string{target.ClientSecretBasic, target.ClientSecretPost, target.PrivateKeyJWT} {
		server.It(method, "grants an honest ID-JAG to a client that authenticates by "+method, func(t *server.T) {
			c := t.ClientBy(method)
			Expect(t.Redeem(server.GrantFor(t, c), server.As(c))).To(server.BeGranted())
		}, check.With(server.NeedsClientAuth(method)),
			check.Sends("An honest ID-JAG by a client that authenticates by "+method))
	}
})

var _ = check.For("RAS-TOKEN-POST-FORM", func() {
	server.Refuses(
		server.Attack{Slug: "name-case", What: "a token request with the names of its parameters in capitals",
			Redeem: []server.RedeemOption{capitals}, Options: []check.Option{check.Should()}},
		server.Attack{Slug: "name-brackets", What: "a token request with brackets behind the names of its parameters",
			Redeem:  []server.RedeemOption{renamed(func(name string) string { return name + "[]" })},
			Options: []check.Option{check.Should()}},
		server.Attack{Slug: "name-space", What: "a token request with a space behind the names of its parameters",
			Redeem:  []server.RedeemOption{renamed(func(name string) string { return name + " " })},
			Options: []check.Option{check.Should()}},
		server.Attack{Slug: "text-plain", What: "a token request whose body is text/plain",
			Redeem:  []server.RedeemOption{server.HeaderField("Content-Type", "text/plain")},
			Options: []check.Option{check.Should()}},
	)
	for _, name := range []string{"client_id", "client_secret"} {
		server.It(strings.ReplaceAll(name, "_", "-")+"-twice", "refuses a token request with "+name+
			" twice", func(t *server.T) {
			c := t.ClientBy(target.ClientSecretPost)
			t.Control(server.GrantFor(t, c), server.As(c))
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, c), func(r *server.Redemption) {
				r.Client = nil
				r.SetField("client_id", c.ID)
				r.SetField("client_secret", c.Secret)
				twice(name)(r)
			}), server.InvalidRequest, server.InvalidClient)
		}, check.Should(), check.With(needsPost), server.Refusal(server.InvalidRequest, server.InvalidClient),
			check.Sends("A token request with the client's credentials in the form as control, then one with "+name+" twice"))
	}
})

var needsPost = server.NeedsClientAuth(target.ClientSecretPost)

var capitals = renamed(strings.ToUpper)

// renamed changes the names of all parameters.
func renamed(change func(string) string) server.RedeemOption {
	return func(r *server.Redemption) {
		for i := range r.Form {
			r.Form[i].Name = change(r.Form[i].Name)
		}
	}
}
