// Package signin holds the scenarios about logins at the IdP and what comes of them: ID tokens and SAML assertions.
package signin

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

// loginHas fails when an authorization request lacks what good says.
func loginHas(what string, good func(q url.Values, w *world.World) bool) func(*T) {
	return func(t *T) {
		for _, s := range t.NeedLogins() {
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
		for _, s := range t.To(t.World.IdP.Party, "/token") {
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
		for _, s := range t.NeedLogins() {
			if s.Query.Get(parameter) == "" {
				t.Skipf("the client sends no %s: see CL-OIDC/%s", parameter, parameter)
			}
		}
		judge(t)
	}
}

// sameRedirect compares redirect URIs as they are registered: exactly, but for the port on loopback (RFC 8252 7.3).
func sameRedirect(sent, registered string) bool {
	a, errA := url.Parse(sent)
	b, errB := url.Parse(registered)
	if errA != nil || errB != nil {
		return false
	}
	ip := net.ParseIP(a.Hostname())
	loopback := ip != nil && ip.IsLoopback() || a.Hostname() == "localhost"
	if loopback && a.Scheme == "http" && a.Hostname() == b.Hostname() {
		a.Host, b.Host = "", ""
		return a.String() == b.String()
	}
	return sent == registered
}

const meetsLogin = "An honest world in which the client logs in"

var _ = check.For("CL-OIDC", func() {
	It("pkce", "uses PKCE with S256",
		Login.Honest(meetsLogin).From(LoggedIn),
		loginHas("a code_challenge and code_challenge_method S256", func(q url.Values, _ *world.World) bool {
			return len(q.Get("code_challenge")) == 43 && q.Get("code_challenge_method") == "S256"
		}), check.Should())
	It("state", "sends a state",
		Login.Honest(meetsLogin).From(LoggedIn),
		loginHas("a state", func(q url.Values, _ *world.World) bool { return len(q.Get("state")) >= 8 }), check.Should())
	It("nonce", "sends a nonce",
		Login.Honest(meetsLogin).From(LoggedIn),
		loginHas("a nonce", func(q url.Values, _ *world.World) bool { return len(q.Get("nonce")) >= 8 }), check.Should())
	It("redirect-uri", "sends the redirect URI exactly as it is registered",
		Login.Honest(meetsLogin).From(LoggedIn),
		loginHas("redirect_uri exactly as in idp_redirect_uri", func(q url.Values, w *world.World) bool {
			return slices.ContainsFunc(w.IdP.RedirectURIs, func(Registered string) bool {
				return sameRedirect(q.Get("redirect_uri"), Registered)
			})
		}))
	It("wrong-state", "drops an answer with another state",
		Login.But("An answer to the login whose state is another",
			answersOf(func(_ *world.World, a url.Values) { a.Set("state", "of-somebody-else") })).From(LoggedIn),
		when("state", codeUnused("its state is not the one that was sent (EMA 7.5.2)")))
	It("missing-state", "drops an answer without state",
		Login.But("An answer to the login without state",
			answersOf(func(_ *world.World, a url.Values) { a.Del("state") })).From(LoggedIn),
		when("state", codeUnused("it has no state although one was sent (EMA 7.5.2)")))
	It("wrong-nonce", "does not use an ID token with another nonce",
		Login.But("An ID token whose nonce is another",
			editIDToken(func(t *mockidp.Token) { t.Claims["nonce"] = "of-somebody-else" })).From(GotIDToken),
		when("nonce", func(t *T) {
			t.MustNotExchange("the nonce in the ID token is not the one that was sent (OpenID Connect Core 3.1.3.7)")
		}))
	It("foreign-code", "does not accept the code of another session",
		Login.But("An answer to the login with a code that was made for an attacker's session",
			func(w *world.World) {
				w.IdP.EditLogin = func(_, answer url.Values) { answer.Set("code", w.IdP.StrangersCode()) }
			}).From(LoggedIn),
		func(t *T) {
			t.MustNotExchange("the code belongs to another session, as PKCE and nonce tell (EMA 7.5.2, 7.5.3)")
		}, check.Should())
	It("other-iss", "drops an answer of another identity provider",
		Login.But("An answer to the login whose iss is another identity provider",
			answersOf(func(w *world.World, a url.Values) { a.Set("iss", w.Attacker.URL) })).From(LoggedIn),
		issChecked("it names another issuer"))
	It("missing-iss", "drops an answer without iss from an identity provider that announces it",
		Login.But("An answer to the login without iss, while the metadata announces it",
			answersOf(func(_ *world.World, a url.Values) { a.Del("iss") })).From(LoggedIn),
		issChecked("the identity provider announces iss and the answer has none"))
	It("iss-slash", "drops an answer whose iss has a slash more",
		Login.But("An answer to the login whose iss is the issuer with a slash behind it",
			answersOf(func(_ *world.World, a url.Values) { a.Set("iss", a.Get("iss")+"/") })).From(LoggedIn),
		issChecked("iss is compared as it stands, without normalization"))
	It("iss-case", "drops an answer whose iss differs in case",
		Login.But("An answer to the login whose iss is the issuer in capital letters",
			answersOf(func(_ *world.World, a url.Values) { a.Set("iss", strings.ToUpper(a.Get("iss"))) })).From(LoggedIn),
		issChecked("iss is compared as it stands, without normalization"))
	It("error-iss", "does not show its user an error of another identity provider",
		Login.But("An error as answer to the login, with a text for the user, whose iss is another identity provider",
			answersOf(func(w *world.World, a url.Values) {
				a.Del("code")
				a.Set("iss", w.Attacker.URL)
				a.Set("error", "access_denied")
				a.Set("error_description", strangersWords)
			})).From(LoggedIn),
		func(t *T) {
			t.NeedLogins()
			if bytes.Contains(t.Stdout, []byte(strangersWords)) || bytes.Contains(t.Stderr, []byte(strangersWords)) {
				t.ByRevision(world.Revision2026, "expected an error of another issuer to be dropped (RFC 9207 2.4), but the "+
					"client shows its words to the user")
			}
			t.MustNotGetThrough("there is no code")
		})
	again := func(name, parameter, why string) {
		It(name, "makes the "+why+" anew for each login",
			Login.But("A second login, in another run of the client", func(*world.World) {}).From(LoggedIn),
			func(t *T) {
				first, second := t.Honest.To(t.Honest.World.IdP.Party, "/authorize"), t.NeedLogins()
				if len(first) == 0 || first[0].Query.Get(parameter) == "" {
					t.Skipf("the client sends no %s", parameter)
				}
				if first[0].Query.Get(parameter) == second[0].Query.Get(parameter) {
					t.Failf("expected another %s in another login, but %s is the same: who has seen one knows the next", why,
						parameter)
				}
			})
	}
	again("state-anew", "state", "state")
	again("nonce-anew", "nonce", "nonce")
	again("pkce-anew", "code_challenge", "code verifier")
})

// strangersWords is what an attacker would have the client tell its user.
const strangersWords = "call the helpdesk at 555 0100"

// issChecked fails when the client sent on the code of an answer whose iss is not the issuer's (RFC 9207 2.4).
func issChecked(why string) func(*T) {
	return func(t *T) {
		t.NeedLogins()
		for _, s := range t.To(t.World.IdP.Party, "/token") {
			if s.Form.Get("grant_type") == "authorization_code" {
				t.ByRevision(world.Revision2026, "expected the client to drop the answer: %s (RFC 9207 2.4). But it "+
					"redeemed the code", why)
				return
			}
		}
		t.MustNotExchange(why)
	}
}
