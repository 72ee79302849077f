package idp

import (
	"crypto/rand"
	"net/http"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var needsSecret = Need("clients[0].auth", "needs a first client with a secret", func(w *World) bool {
	return w.A().Secret != ""
})

// withSecret authenticates as a client is registered, with another secret.
func withSecret(k *config.Client, secret string) Option {
	return Authenticating(func(r *wire.Request) { present(r, k.Auth, k.ID, secret) })
}

func present(r *wire.Request, method, id, secret string) {
	if method == "client_secret_post" {
		r.SetField("client_id", id)
		r.SetField("client_secret", secret)
		return
	}
	r.Header.Set("Authorization", server.Basic(id, secret))
}

var _ = check.For("IDP-CLIENT-AUTH", func() {
	refuses("none", "no client at all", one(Authenticating(func(*wire.Request) {})))
	refuses("id-alone", "a client id and no credentials", func(t *T) []Option {
		return []Option{Authenticating(func(r *wire.Request) { r.SetField("client_id", t.A().ID) })}
	})
	refuses("wrong-secret", "a wrong secret", func(t *T) []Option { return []Option{withSecret(t.A(), rand.Text())} },
		check.With(needsSecret))
	refuses("empty-secret", "an empty secret", func(t *T) []Option { return []Option{withSecret(t.A(), "")} },
		check.With(needsSecret))
	refuses("others-secret", "the secret of another client", func(t *T) []Option {
		return []Option{withSecret(t.A(), t.B().Secret)}
	},
		check.With(needsSecret, NeedsB, Need("clients[1].auth", "needs a second client with a secret",
			func(w *World) bool { return w.B() != nil && w.B().Secret != "" })))
	refuses("unknown-client", "a client that nobody knows", one(Authenticating(func(r *wire.Request) {
		r.Header.Set("Authorization", server.Basic("nobody-"+rand.Text(), rand.Text()))
	})))
	refuses("two-ids", "credentials of one client and the id of another", func(t *T) []Option {
		return []Option{Authenticating(func(r *wire.Request) {
			signin.Authenticate(r, t.A(), t.Provider.Token, t.Now())
			r.SetField("client_id", t.B().ID)
		}), Subject(t.Subject(t.Alice(), t.B()))}
	}, check.With(NeedsB))
	It("two-methods", "refuses two ways of authentication at once", func(t *T) {
		_, a := t.Beside(func() *wire.Answer {
			return t.Attack(Authenticating(func(r *wire.Request) {
				r.Header.Set("Authorization", server.Basic(t.A().ID, t.A().Secret))
				r.SetField("client_id", t.A().ID)
				r.SetField("client_secret", t.A().Secret)
			}))
		})
		Expect(a).To(server.BeRefused(), "RFC 6749 2.3: not more than one method in each request")
	}, check.With(needsSecret),
		check.Should(), check.Sends("An exchange with the right secret in the header and in the form."))
	It("status", "answers 401 invalid_client to a wrong secret", func(t *T) {
		_, a := t.Beside(func() *wire.Answer { return t.Attack(withSecret(t.A(), rand.Text())) })
		if Granted(a) {
			t.Skipf("a wrong secret is not refused: see IDP-CLIENT-AUTH/wrong-secret")
		}
		Expect(a.String("error")).To(Equal("invalid_client"), "error (RFC 6749 5.2)")
		Expect(a.Status).To(BeElementOf(http.StatusUnauthorized, http.StatusBadRequest), "status")
	}, check.With(needsSecret), check.Sends("An exchange with a wrong secret."))

	assertions()
})

// assertions declares the checks of private_key_jwt (RFC 7523 section 3).
func assertions() {
	needs := check.With(NeedsClientAuth("private_key_jwt"))
	forged := func(slug, what string, forge func(*T, *mockidp.Token) string) {
		It(slug, "refuses a client assertion "+what, func(t *T) {
			k := t.ClientBy("private_key_jwt")
			_, a := t.Beside(func() *wire.Answer {
				return t.Attack(By(k), Authenticating(func(r *wire.Request) {
					assert(r, k, forge(t, signin.ClientAssertion(k, t.Provider.Token, t.Now())))
				}))
			}, By(k))
			Expect(a).To(server.BeRefused())
		}, needs, check.Sends("An exchange with an honest client assertion, then one "+what+"."))
	}
	set := func(claim string, value func(*T) any) func(*T, *mockidp.Token) string {
		return func(t *T, token *mockidp.Token) string {
			token.Claims[claim] = value(t)
			return hostile.Sign(token)
		}
	}
	forged("assertion-audience", "for somebody else", set("aud", func(*T) any { return "https://other.example/token" }))
	forged("assertion-expired", "that has expired", set("exp", func(t *T) any {
		return t.Now().Add(-10 * time.Minute).Unix()
	}))
	forged("assertion-issuer", "of another issuer", set("iss", func(*T) any { return "somebody-else" }))
	forged("assertion-subject", "about another client", set("sub", func(*T) any { return "somebody-else" }))
	forged("assertion-stranger", "by a stranger's key", func(t *T, token *mockidp.Token) string {
		token.Key = t.Stranger
		return hostile.Sign(token)
	})
	forged("assertion-unsigned", "that nobody signed", func(_ *T, token *mockidp.Token) string {
		return hostile.None(token, "none")
	})
	It("assertion-replayed", "refuses a client assertion that it has seen before", func(t *T) {
		k := t.ClientBy("private_key_jwt")
		assertion := hostile.Sign(signin.ClientAssertion(k, t.Provider.Token, t.Now()))
		same := Authenticating(func(r *wire.Request) { assert(r, k, assertion) })
		t.Control(By(k), same)
		Expect(t.Attack(By(k), same)).To(server.BeRefused(), "RFC 7523 3: may remember jti")
	}, needs, check.Should(), check.Sends("The same client assertion, twice."))
}

func assert(r *wire.Request, k *config.Client, assertion string) {
	r.SetField("client_id", k.ID)
	r.SetField("client_assertion_type", server.ClientAssertionType)
	r.SetField("client_assertion", assertion)
}
