package client

import (
	"net"
	"net/url"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/client/world"
)

// logins are the authorization requests; a client that sends none does not log in.
func (j *judgement) logins() []world.Seen {
	list := j.to(j.World.IdP.Party, "/authorize")
	if len(list) == 0 {
		j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
	}
	return list
}

// loginHas fails when an authorization request lacks what good says.
func loginHas(what string, good func(q url.Values, w *world.World) bool) func(*judgement) {
	return func(j *judgement) {
		for _, s := range j.logins() {
			if !good(s.Query, j.World) {
				j.Failf("expected the authorization request to have %s, but it has not", what)
			}
		}
	}
}

// answersOf changes what the IdP answers to a login.
func answersOf(edit func(w *world.World, answer url.Values)) func(*world.World) {
	return func(w *world.World) { w.IdP.EditLogin = func(_, answer url.Values) { edit(w, answer) } }
}

// codeUnused fails when the client sent the code of a login on.
func codeUnused(why string) func(*judgement) {
	return func(j *judgement) {
		for _, s := range j.to(j.World.IdP.Party, "/token") {
			if s.Form.Get("grant_type") == "authorization_code" {
				j.Failf("expected the client to drop the answer: %s. But it redeemed the code", why)
			}
		}
		j.MustNotExchange(why)
	}
}

// when judges only a client that sent this parameter with its login.
func when(parameter string, judge func(*judgement)) func(*judgement) {
	return func(j *judgement) {
		for _, s := range j.logins() {
			if s.Query.Get(parameter) == "" {
				j.Skipf("the client sends no %s: see CL-OIDC/%s", parameter, parameter)
			}
		}
		judge(j)
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

func init() {
	scenarios(
		"CL-OIDC",
		scenario{slug: "pkce", title: "uses PKCE with S256", in: login, meets: meetsLogin, should: true,
			judge: loginHas("a code_challenge and code_challenge_method S256", func(q url.Values, _ *world.World) bool {
				return len(q.Get("code_challenge")) == 43 && q.Get("code_challenge_method") == "S256"
			})},
		scenario{slug: "state", title: "sends a state", in: login, meets: meetsLogin, should: true,
			judge: loginHas("a state", func(q url.Values, _ *world.World) bool { return len(q.Get("state")) >= 8 })},
		scenario{slug: "nonce", title: "sends a nonce", in: login, meets: meetsLogin, should: true,
			judge: loginHas("a nonce", func(q url.Values, _ *world.World) bool { return len(q.Get("nonce")) >= 8 })},
		scenario{
			slug:  "redirect-uri",
			title: "sends the redirect URI exactly as it is registered",
			in:    login,
			meets: meetsLogin,
			judge: loginHas("redirect_uri exactly as in idp_redirect_uri", func(q url.Values, w *world.World) bool {
				return sameRedirect(q.Get("redirect_uri"), w.IdP.RedirectURI)
			}),
		},
		scenario{slug: "wrong-state", title: "drops an answer with another state", in: login,
			meets:   "An answer to the login whose state is another",
			hostile: answersOf(func(_ *world.World, a url.Values) { a.Set("state", "of-somebody-else") }),
			judge:   when("state", codeUnused("its state is not the one that was sent (EMA 7.5.2)"))},
		scenario{slug: "missing-state", title: "drops an answer without state", in: login,
			meets:   "An answer to the login without state",
			hostile: answersOf(func(_ *world.World, a url.Values) { a.Del("state") }),
			judge:   when("state", codeUnused("it has no state although one was sent (EMA 7.5.2)"))},
		scenario{slug: "wrong-nonce", title: "does not use an ID token with another nonce", in: login,
			meets:   "An ID token whose nonce is another",
			hostile: editIDToken(func(t *mockidp.Token) { t.Claims["nonce"] = "of-somebody-else" }),
			judge: when("nonce", func(j *judgement) {
				j.MustNotExchange("the nonce in the ID token is not the one that was sent (OpenID Connect Core 3.1.3.7)")
			})},
		scenario{slug: "foreign-code", title: "does not accept the code of another session", in: login,
			meets: "An answer to the login with a code that was made for an attacker's session",
			hostile: func(w *world.World) {
				w.IdP.EditLogin = func(_, answer url.Values) { answer.Set("code", w.IdP.StrangersCode()) }
			},
			judge: func(j *judgement) {
				j.MustNotExchange("the code belongs to another session, as PKCE and nonce tell (EMA 7.5.2, 7.5.3)")
			}, should: true},
		scenario{slug: "other-iss", title: "drops an answer of another identity provider", in: login, should: true,
			meets:   "An answer to the login whose iss is another identity provider",
			hostile: answersOf(func(w *world.World, a url.Values) { a.Set("iss", w.Attacker.URL) }),
			judge:   codeUnused("it names another issuer (RFC 9207 2.4)")},
		scenario{
			slug:    "missing-iss",
			title:   "drops an answer without iss from an identity provider that announces it",
			in:      login,
			meets:   "An answer to the login without iss, while the metadata announces it",
			hostile: answersOf(func(_ *world.World, a url.Values) { a.Del("iss") }),
			should:  true,
			judge:   codeUnused("the identity provider announces iss and the answer has none (RFC 9207 2.4)"),
		},
	)
}

func editIDToken(edit func(*mockidp.Token)) func(*world.World) {
	return func(w *world.World) { w.IdP.EditIDToken = edit }
}

func idTokenUnused(why string) func(*judgement) {
	return func(j *judgement) { j.MustNotExchange(why + " (OpenID Connect Core 3.1.3.7)") }
}

func init() {
	scenarios(
		"CL-IDTOKEN-VALIDATE",
		scenario{
			slug:  "audience",
			title: "does not use an ID token for another client",
			in:    login,
			meets: "An ID token whose aud is another client",
			hostile: editIDToken(
				func(t *mockidp.Token) { t.Claims["aud"] = "another-client" },
			),
			judge: idTokenUnused("aud is another client"),
		},
		scenario{
			slug:  "issuer",
			title: "does not use an ID token of another issuer",
			in:    login,
			meets: "An ID token whose iss is another identity provider",
			hostile: editIDToken(
				func(t *mockidp.Token) { t.Claims["iss"] = "https://idp.attacker.example" },
			),
			judge: idTokenUnused("iss is another issuer"),
		},
		scenario{
			slug:    "expired",
			title:   "does not use an ID token that has expired",
			in:      login,
			meets:   "An ID token that expired an hour ago",
			hostile: editIDToken(expire),
			judge:   idTokenUnused("exp is over"),
		},
		scenario{slug: "authorized-party", title: "does not use an ID token that was issued to another client", in: login,
			meets: "An ID token whose azp is another client", hostile: editIDToken(func(t *mockidp.Token) {
				t.Claims["aud"] = []string{world.IdPClientID, "another-client"}
				t.Claims["azp"] = "another-client"
			}), judge: idTokenUnused("azp is another client")},
		scenario{
			slug:  "signature",
			title: "does not use an ID token whose signature is bad",
			in:    login,
			meets: "An ID token with one bit of its signature changed",
			hostile: func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.FlipSignature(hostile.Sign(t)) }
			},
			judge:  idTokenUnused("its signature is not the issuer's, and no TLS stands in for it"),
			should: true,
		},
		scenario{slug: "unsigned", title: "does not use an unsigned ID token", in: login, meets: "An ID token with alg none",
			hostile: func(w *world.World) {
				w.IdP.Forge = func(t *mockidp.Token) string { return hostile.None(t, "none") }
			}, judge: idTokenUnused("it is not signed, and no TLS stands in for it"), should: true},
	)
}

func expire(t *mockidp.Token) {
	past := time.Now().Add(-time.Hour).Unix()
	t.Claims["exp"], t.Claims["iat"] = past, past-3600
}

func init() {
	scenarios(
		"CL-SAML",
		scenario{
			slug:  "refresh-token",
			title: "trades the SAML assertion for a refresh token, and uses that as subject token",
			in:    saml, should: true, // the assertion itself may be the subject token, if the IdP takes it
			meets: "An honest world in which the client has a SAML assertion",
			judge: func(j *judgement) {
				if len(j.samlExchanges()) == 0 {
					for _, s := range j.Exchanges() {
						if s.Form.Get("subject_token_type") == world.TypeSAML2 {
							j.Failf(
								"expected the SAML assertion to be traded for a refresh token first (ID-JAG draft-04 4.5), but it was the " +
									"subject token for the ID-JAG",
							)
						}
					}
					j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
				}
				for _, s := range j.Exchanges() {
					if kind := s.Form.Get("subject_token_type"); kind != world.TypeRefreshToken {
						j.Failf("expected the refresh token as subject token, but subject_token_type is %q", kind)
					}
				}
				j.MustSucceed("the refresh token stands for the user")
			},
		},
		scenario{slug: "scope", title: "asks for openid and offline_access in that trade", in: saml, should: true,
			meets: "An honest world in which the client has a SAML assertion", judge: func(j *judgement) {
				if len(j.samlExchanges()) == 0 {
					j.Skipf("the client does not %s: %s", j.shape.offers, j.Summary())
				}
				for _, s := range j.samlExchanges() {
					if !hasAll(s.Form.Get("scope"), "openid", "offline_access") {
						j.Failf(
							"expected scope to have openid and offline_access (ID-JAG draft-04 4.5), but it is %q",
							s.Form.Get("scope"),
						)
					}
				}
			}},
	)
}

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
