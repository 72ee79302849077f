package client

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/client/world"
)

// logins are the authorization requests; a client that sends none, not even in the honest run, does not log in.
func (t *T) logins() []world.Seen {
	list := t.To(t.World.IdP.Party, "/authorize")
	if len(list) > 0 {
		return list
	}
	if t.honest != nil && len(t.honest.To(t.honest.World.IdP.Party, "/authorize")) > 0 {
		t.mustBeTempted()
	}
	t.Skipf("the client does not %s: %s", t.shape.offers, t.Summary())
	return nil
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
		for _, s := range t.logins() {
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
		login.honest(meetsLogin).from(loggedIn),
		loginHas("a code_challenge and code_challenge_method S256", func(q url.Values, _ *world.World) bool {
			return len(q.Get("code_challenge")) == 43 && q.Get("code_challenge_method") == "S256"
		}), check.Should())
	It("state", "sends a state",
		login.honest(meetsLogin).from(loggedIn),
		loginHas("a state", func(q url.Values, _ *world.World) bool { return len(q.Get("state")) >= 8 }), check.Should())
	It("nonce", "sends a nonce",
		login.honest(meetsLogin).from(loggedIn),
		loginHas("a nonce", func(q url.Values, _ *world.World) bool { return len(q.Get("nonce")) >= 8 }), check.Should())
	It("redirect-uri", "sends the redirect URI exactly as it is registered",
		login.honest(meetsLogin).from(loggedIn),
		loginHas("redirect_uri exactly as in idp_redirect_uri", func(q url.Values, w *world.World) bool {
			return slices.ContainsFunc(w.IdP.RedirectURIs, func(registered string) bool {
				return sameRedirect(q.Get("redirect_uri"), registered)
			})
		}))
	It("wrong-state", "drops an answer with another state",
		login.but("An answer to the login whose state is another",
			answersOf(func(_ *world.World, a url.Values) { a.Set("state", "of-somebody-else") })).from(loggedIn),
		when("state", codeUnused("its state is not the one that was sent (EMA 7.5.2)")))
	It("missing-state", "drops an answer without state",
		login.but("An answer to the login without state",
			answersOf(func(_ *world.World, a url.Values) { a.Del("state") })).from(loggedIn),
		when("state", codeUnused("it has no state although one was sent (EMA 7.5.2)")))
	It("wrong-nonce", "does not use an ID token with another nonce",
		login.but("An ID token whose nonce is another",
			editIDToken(func(t *mockidp.Token) { t.Claims["nonce"] = "of-somebody-else" })).from(gotIDToken),
		when("nonce", func(t *T) {
			t.MustNotExchange("the nonce in the ID token is not the one that was sent (OpenID Connect Core 3.1.3.7)")
		}))
	It("foreign-code", "does not accept the code of another session",
		login.but("An answer to the login with a code that was made for an attacker's session",
			func(w *world.World) {
				w.IdP.EditLogin = func(_, answer url.Values) { answer.Set("code", w.IdP.StrangersCode()) }
			}).from(loggedIn),
		func(t *T) {
			t.MustNotExchange("the code belongs to another session, as PKCE and nonce tell (EMA 7.5.2, 7.5.3)")
		}, check.Should())
	It("other-iss", "drops an answer of another identity provider",
		login.but("An answer to the login whose iss is another identity provider",
			answersOf(func(w *world.World, a url.Values) { a.Set("iss", w.Attacker.URL) })).from(loggedIn),
		issChecked("it names another issuer"))
	It("missing-iss", "drops an answer without iss from an identity provider that announces it",
		login.but("An answer to the login without iss, while the metadata announces it",
			answersOf(func(_ *world.World, a url.Values) { a.Del("iss") })).from(loggedIn),
		issChecked("the identity provider announces iss and the answer has none"))
	It("iss-slash", "drops an answer whose iss has a slash more",
		login.but("An answer to the login whose iss is the issuer with a slash behind it",
			answersOf(func(_ *world.World, a url.Values) { a.Set("iss", a.Get("iss")+"/") })).from(loggedIn),
		issChecked("iss is compared as it stands, without normalization"))
	It("iss-case", "drops an answer whose iss differs in case",
		login.but("An answer to the login whose iss is the issuer in capital letters",
			answersOf(func(_ *world.World, a url.Values) { a.Set("iss", strings.ToUpper(a.Get("iss"))) })).from(loggedIn),
		issChecked("iss is compared as it stands, without normalization"))
	It("error-iss", "does not show its user an error of another identity provider",
		login.but("An error as answer to the login, with a text for the user, whose iss is another identity provider",
			answersOf(func(w *world.World, a url.Values) {
				a.Del("code")
				a.Set("iss", w.Attacker.URL)
				a.Set("error", "access_denied")
				a.Set("error_description", strangersWords)
			})).from(loggedIn),
		func(t *T) {
			t.logins()
			if bytes.Contains(t.Stdout, []byte(strangersWords)) || bytes.Contains(t.Stderr, []byte(strangersWords)) {
				t.byRevision(world.Revision2026, "expected an error of another issuer to be dropped (RFC 9207 2.4), but the "+
					"client shows its words to the user")
			}
			t.mustNotGetThrough("there is no code")
		})
	again := func(name, parameter, why string) {
		It(name, "makes the "+why+" anew for each login",
			login.but("A second login, in another run of the client", func(*world.World) {}).from(loggedIn),
			func(t *T) {
				first, second := t.honest.To(t.honest.World.IdP.Party, "/authorize"), t.logins()
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
		t.logins()
		for _, s := range t.To(t.World.IdP.Party, "/token") {
			if s.Form.Get("grant_type") == "authorization_code" {
				t.byRevision(world.Revision2026, "expected the client to drop the answer: %s (RFC 9207 2.4). But it "+
					"redeemed the code", why)
				return
			}
		}
		t.MustNotExchange(why)
	}
}
