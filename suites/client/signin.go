package client

import (
	"net"
	"net/url"
	"time"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/client/world"
)

// logins are the authorization requests; a client that sends none does not log in.
func (t *T) logins() []world.Seen {
	list := t.to(t.World.IdP.Party, "/authorize")
	if len(list) == 0 {
		t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
	}
	return list
}

// loginHas fails when an authorization request lacks what good says.
func loginHas(what string, good func(q url.Values, w *world.World) bool) func(*T) {
	return func(t *T) {
		for _, s := range t.logins() {
			if !good(s.Query, t.World) {
				t.Failf("expected the authorization request to have %s, but it has not", what)
			}
		}
	}
}

// answersOf changes what the IdP answers to a login.
func answersOf(edit func(w *world.World, answer url.Values)) func(*world.World) {
	return func(w *world.World) { w.IdP.EditLogin = func(_, answer url.Values) { edit(w, answer) } }
}

// codeUnused fails when the client sent the code of a login on.
func codeUnused(why string) func(*T) {
	return func(t *T) {
		for _, s := range t.to(t.World.IdP.Party, "/token") {
			if s.Form.Get("grant_type") == "authorization_code" {
				t.Failf("expected the client to drop the answer: %s. But it redeemed the code", why)
			}
		}
		t.MustNotExchange(why)
	}
}

// when judges only a client that sent this parameter with its login.
func when(parameter string, judge func(*T)) func(*T) {
	return func(t *T) {
		for _, s := range t.logins() {
			if s.Query.Get(parameter) == "" {
				t.Skipf("the client sends no %s: see CL-OIDC/%s", parameter, parameter)
			}
		}
		judge(t)
	}
}

// sameRedirect compares redirect URIs as they are registered: exactly, but for the port of a loopback address (RFC 8252 7.3).
func sameRedirect(sent, registered string) bool {
	a, errA := url.Parse(sent)
	b, errB := url.Parse(registered)
	if errA != nil || errB != nil {
		return false
	}
	ip := net.ParseIP(a.Hostname())
	if ip != nil && ip.IsLoopback() && a.Scheme == "http" && a.Hostname() == b.Hostname() {
		a.Host, b.Host = "", ""
		return a.String() == b.String()
	}
	return sent == registered
}

const meetsLogin = "An honest world in which the client logs in"

var _ = check.For("CL-OIDC", func() {
	It("pkce", "uses PKCE with S256",
		login.honest(meetsLogin),
		loginHas("a code_challenge and code_challenge_method S256", func(q url.Values, _ *world.World) bool {
			return len(q.Get("code_challenge")) == 43 && q.Get("code_challenge_method") == "S256"
		}), check.Should())
	It("state", "sends a state",
		login.honest(meetsLogin),
		loginHas("a state", func(q url.Values, _ *world.World) bool { return len(q.Get("state")) >= 8 }), check.Should())
	It("nonce", "sends a nonce",
		login.honest(meetsLogin),
		loginHas("a nonce", func(q url.Values, _ *world.World) bool { return len(q.Get("nonce")) >= 8 }), check.Should())
	It("redirect-uri", "sends the redirect URI exactly as it is registered",
		login.honest(meetsLogin),
		loginHas("redirect_uri exactly as in idp_redirect_uri", func(q url.Values, w *world.World) bool {
			return sameRedirect(q.Get("redirect_uri"), w.IdP.RedirectURI)
		}))
	It("wrong-state", "drops an answer with another state",
		login.but("An answer to the login whose state is another",
			answersOf(func(_ *world.World, a url.Values) { a.Set("state", "of-somebody-else") })),
		when("state", codeUnused("its state is not the one that was sent (EMA 7.5.2)")))
	It("missing-state", "drops an answer without state",
		login.but("An answer to the login without state",
			answersOf(func(_ *world.World, a url.Values) { a.Del("state") })),
		when("state", codeUnused("it has no state although one was sent (EMA 7.5.2)")))
	It("wrong-nonce", "does not use an ID token with another nonce",
		login.but("An ID token whose nonce is another",
			editIDToken(func(t *mockidp.Token) { t.Claims["nonce"] = "of-somebody-else" })),
		when("nonce", func(t *T) {
			t.MustNotExchange("the nonce in the ID token is not the one that was sent (OpenID Connect Core 3.1.3.7)")
		}))
	It("foreign-code", "does not accept the code of another session",
		login.but("An answer to the login with a code that was made for an attacker's session",
			func(w *world.World) {
				w.IdP.EditLogin = func(_, answer url.Values) { answer.Set("code", w.IdP.StrangersCode()) }
			}),
		func(t *T) {
			t.MustNotExchange("the code belongs to another session, as PKCE and nonce tell (EMA 7.5.2, 7.5.3)")
		}, check.Should())
	It("other-iss", "drops an answer of another identity provider",
		login.but("An answer to the login whose iss is another identity provider",
			answersOf(func(w *world.World, a url.Values) { a.Set("iss", w.Attacker.URL) })),
		codeUnused("it names another issuer (RFC 9207 2.4)"), check.Should())
	It("missing-iss", "drops an answer without iss from an identity provider that announces it",
		login.but("An answer to the login without iss, while the metadata announces it",
			answersOf(func(_ *world.World, a url.Values) { a.Del("iss") })),
		codeUnused("the identity provider announces iss and the answer has none (RFC 9207 2.4)"), check.Should())
})

func editIDToken(edit func(*mockidp.Token)) func(*world.World) {
	return func(w *world.World) { w.IdP.EditIDToken = edit }
}

func idTokenUnused(why string) func(*T) {
	return func(t *T) { t.MustNotExchange(why + " (OpenID Connect Core 3.1.3.7)") }
}

var _ = check.For("CL-IDTOKEN-VALIDATE", func() {
	It("audience", "does not use an ID token for another client",
		login.but("An ID token whose aud is another client",
			editIDToken(
				func(t *mockidp.Token) { t.Claims["aud"] = "another-client" },
			)),
		idTokenUnused("aud is another client"))
	It("issuer", "does not use an ID token of another issuer",
		login.but("An ID token whose iss is another identity provider",
			editIDToken(
				func(t *mockidp.Token) { t.Claims["iss"] = "https://idp.attacker.example" },
			)),
		idTokenUnused("iss is another issuer"))
	It("expired", "does not use an ID token that has expired",
		login.but("An ID token that expired an hour ago",
			editIDToken(expire)),
		idTokenUnused("exp is over"))
	It("authorized-party", "does not use an ID token that was issued to another client",
		login.but("An ID token whose azp is another client",
			editIDToken(func(t *mockidp.Token) {
				t.Claims["aud"] = []string{world.IdPClientID, "another-client"}
				t.Claims["azp"] = "another-client"
			})),
		idTokenUnused("azp is another client"))
	It("signature", "does not use an ID token whose signature is bad",
		login.but("An ID token with one bit of its signature changed",
			func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.FlipSignature(hostile.Sign(t)) }
			}),
		idTokenUnused("its signature is not the issuer's, and no TLS stands in for it"), check.Should())
	It("unsigned", "does not use an unsigned ID token",
		login.but("An ID token with alg none",
			func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.None(t, "none") }
			}),
		idTokenUnused("it is not signed, and no TLS stands in for it"), check.Should())
})

func expire(t *mockidp.Token) {
	past := time.Now().Add(-time.Hour).Unix()
	t.Claims["exp"], t.Claims["iat"] = past, past-3600
}

var _ = check.For("CL-SAML", func() {
	It("refresh-token", "trades the SAML assertion for a refresh token, and uses that as subject token",
		saml.honest("An honest world in which the client has a SAML assertion"),
		func(t *T) {
			if len(t.samlExchanges()) == 0 {
				for _, s := range t.Exchanges() {
					if s.Form.Get("subject_token_type") == world.TypeSAML2 {
						t.Failf(
							"expected the SAML assertion to be traded for a refresh token first (ID-JAG draft-04 4.5), but it was the " +
								"subject token for the ID-JAG",
						)
					}
				}
				t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
			}
			for _, s := range t.Exchanges() {
				if kind := s.Form.Get("subject_token_type"); kind != world.TypeRefreshToken {
					t.Failf("expected the refresh token as subject token, but subject_token_type is %q", kind)
				}
			}
			t.MustSucceed("the refresh token stands for the user")
		}, check.Should())
	It("scope", "asks for openid and offline_access in that trade",
		saml.honest("An honest world in which the client has a SAML assertion"),
		func(t *T) {
			if len(t.samlExchanges()) == 0 {
				t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
			}
			for _, s := range t.samlExchanges() {
				if !hasAll(s.Form.Get("scope"), "openid", "offline_access") {
					t.Failf(
						"expected scope to have openid and offline_access (ID-JAG draft-04 4.5), but it is %q",
						s.Form.Get("scope"),
					)
				}
			}
		}, check.Should())
})

// samlExchanges are the trades of a SAML assertion for a refresh token.
func (a *attempt) samlExchanges() []world.Seen {
	var list []world.Seen
	for _, s := range a.to(a.World.IdP.Party, "/token") {
		if s.Form.Get("requested_token_type") == world.TypeRefreshToken &&
			s.Form.Get("subject_token_type") == world.TypeSAML2 {
			list = append(list, s)
		}
	}
	return list
}
