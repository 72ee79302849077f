// Package grants holds the scenarios about what is asked of the IdP (the token exchange) and of the RAS (the
// redemption), and about what they answer.
package grants

import (
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

const meetsOrigin = "An MCP server at the root of its origin: its identifier is the origin, without a slash"

// basicUser is the client id of Basic credentials, form-decoded (RFC 6749 2.3.1); ok wants both parts to be
// well-formed.
func basicUser(s world.Seen) (id string, ok bool) {
	user, secret, basic := world.Basic(s.Header)
	if !basic {
		return "", false
	}
	id, errID := url.QueryUnescape(user)
	_, errSecret := url.QueryUnescape(secret)
	return id, errID == nil && errSecret == nil
}

// carries fails when a token exchange has not this value.
func carries(t *T, s world.Seen, name, want string) {
	if got := s.Form[name]; len(got) != 1 || got[0] != want {
		t.Failf("expected the token exchange to carry %s=%s once, but it carries %q", name, want, got)
	}
}

var _ = check.For("CL-EXCHANGE-REQ", func() {
	It("type", "asks for an ID-JAG by token exchange",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.To(t.World.IdP.Party, "/token") {
				if slices.Contains([]string{"authorization_code", "refresh_token"}, s.Form.Get("grant_type")) {
					continue // sign-in is another matter
				}
				carries(t, s, "grant_type", world.GrantExchange)
				carries(t, s, "requested_token_type", world.TypeIDJAG)
				if !strings.HasPrefix(s.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
					t.Failf("expected a form, but the token exchange is %q", s.Header.Get("Content-Type"))
				}
			}
			t.NeedExchanges()
		})
	It("actor", "names the type of an actor token, and none without a token",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if s.Form.Has("actor_token") != s.Form.Has("actor_token_type") {
					t.Failf("expected actor_token and actor_token_type together, or neither, but there is one of them (RFC 8693 2.1)")
				}
			}
		}, check.By("RFC 8693 §2.1", "ID-JAG draft-04 §4.3"))
	It("audience", "names the issuer of the RAS as audience",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				carries(t, s, "audience", t.World.RAS.Issuer)
			}
		})
	It("subject", "sends its ID token as subject token, and says what it is",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				carries(t, s, "subject_token_type", world.TypeIDToken)
				if !t.Issued(world.IDToken, s.Form.Get("subject_token")) {
					t.Failf("expected subject_token to be the ID token of idp_id_token, but it is something else")
				}
			}
		})
	It("resource", "names the MCP server's resource identifier, where it names a resource",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if len(s.Form["resource"]) > 0 {
					carries(t, s, "resource", t.World.MCP.Resource)
				}
			}
		})
	It("audience-slash", "names the issuer of the RAS as audience when it ends in a slash",
		Given.But("A RAS whose issuer ends in a slash", func(w *world.World) { w.Move("/", "oauth") }).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				carries(t, s, "audience", t.World.RAS.Issuer)
			}
		})
	It("resource-origin", "names the MCP server's identifier as it is when that is a bare origin",
		Given.But(meetsOrigin, func(w *world.World) { w.MCP.AtRoot() }).OfHosts().From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if len(s.Form["resource"]) > 0 {
					carries(t, s, "resource", t.World.MCP.Resource)
				}
			}
		})
	It("resource-sent", "names a resource",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if len(s.Form["resource"]) == 0 {
					t.Failf(
						"expected a resource parameter: MCP wants it in token requests, and without it the grant is good for every " +
							"server of the RAS",
					)
				}
			}
		}, check.Should())
})

var _ = check.For("CL-EXCHANGE-AUTH", func() {
	It("client-id", "says who it is in the exchange",
		Given.Honest(MeetsGiven).From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				if user, ok := basicUser(s); s.Form.Get("client_id") != world.IdPClientID && (!ok || user != world.IdPClientID) {
					t.Failf(
						"expected client_id to be the client's id at the IdP (idp_client_id), but it is %q",
						s.Form.Get("client_id"),
					)
				}
			}
		})
	It("secret", "uses its secret at the IdP in the exchange",
		Confidential.Honest("An honest world in which the client has a secret at the IdP").From(Exchanged),
		func(t *T) {
			for _, s := range t.NeedExchanges() {
				switch method, ok := world.CredentialsOf(s.Header, s.Form, t.World.IdPClientSecret); {
				case ok:
				case method == "none" && !t.World.SecretKnown: // the official runner's contract does not know the secret
					t.NotOffered()
				default:
					t.Failf(
						"expected the exchange to carry idp_client_secret, but what it carries (%s) is something else, or is not "+
							"encoded as RFC 6749 2.3.1 has it", method,
					)
				}
			}
		})
	It("as-at-login", "authenticates in the exchange when it authenticates at login",
		LoginConfidential.Honest("An honest world in which the client logs in with a secret at the IdP").From(Exchanged),
		func(t *T) {
			atLogin := ""
			for _, s := range t.To(t.World.IdP.Party, "/token") {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.IdPClientSecret)
				switch {
				case s.Form.Get("grant_type") == "authorization_code":
					atLogin = method
				case atLogin != "" && atLogin != "none" && !ok:
					t.Failf("expected the client to authenticate in the exchange, too (EMA 4): at login it did by %s, now by %s",
						atLogin, method)
				case atLogin != "" && method != atLogin: // both are listed by the IdP
					t.Notef("the client authenticates by %s at login and by %s in the exchange", atLogin, method)
				}
			}
			if atLogin == "" {
				t.Missing("logged in")
			}
			t.NeedExchanges()
		})
})

// oneMethodAtIdP lets the IdP take one method of client authentication, as its metadata says.
func oneMethodAtIdP(method string) func(*world.World) {
	return func(w *world.World) {
		w.IdP.RequireAuth = method
		w.IdP.Metadata["token_endpoint_auth_methods_supported"] = []string{method}
	}
}

var _ = check.For("CL-EXCHANGE-AUTH", func() {
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		It(strings.TrimPrefix(method, "client_secret_")+"-only", "authenticates at the IdP by "+method+
			" where that alone is taken",
			LoginConfidential.But("An IdP whose metadata lists "+method+" alone", oneMethodAtIdP(method)).From(ReadIdP),
			func(t *T) {
				if !ReadIdP.Seen(t.Attempt) {
					t.Skipf("the client does not read the IdP's metadata")
				}
				t.MustSucceed("the metadata says how clients authenticate (RFC 8414 2, OpenID Connect Discovery 3)")
			}, check.Should())
	}
})
