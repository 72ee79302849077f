package idp

import (
	"crypto/rand"
	"errors"
	"net/url"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// login is a sign-in that came to its end, and whose code nobody has redeemed yet.
type login struct {
	signin.Authorization
	end  *url.URL
	last *wire.Answer
}

// logIn signs Alice in to the end; part is what its pages are in the record. Unless the request is changed, it is the
// same each time, so that attacks differ from the sign-ins beside them in one thing alone.
func logIn(t *T, part reports.Part, changes ...func(*signin.Authorization)) *login {
	l := &login{Authorization: signin.Authorization{Redirect: t.A().RedirectURI, State: usual(t, "state"),
		Nonce: usual(t, "nonce"), Verifier: usual(t, "code_verifier")}}
	for _, change := range changes {
		change(&l.Authorization)
	}
	l.end, l.last = walkWith(t, part, l.Authorization)
	return l
}

// usual is the value of a parameter in sign-ins of the run.
func usual(t *T, parameter string) string {
	return t.Facts.Find("usual "+parameter, func() string { return rand.Text() + rand.Text() })
}

// code is the authorization code, "" when the sign-in was refused.
func (l *login) code() string {
	if l.end == nil {
		return ""
	}
	return l.end.Query().Get("code")
}

// redemption is the token request for the code of a sign-in by the first client, with changes.
func (l *login) redemption(t *T, changes ...func(*wire.Request)) *wire.Request {
	r := post(t, "grant_type", "authorization_code", "code", l.code(), "redirect_uri", l.Redirect,
		"code_verifier", l.Verifier)
	for _, change := range changes {
		change(r)
	}
	return r
}

// besideCode has an attack made between two honest sign-ins whose codes are redeemed.
func besideCode(t *T, attack func() *wire.Answer) *wire.Answer {
	_, attacked := t.BesideKind("code", Granted, func(t *T) *wire.Answer {
		l := logIn(t, reports.Setup)
		if l.code() == "" {
			return &wire.Answer{Err: errors.New("the sign-in did not end with a code")}
		}
		return t.Send(l.redemption(t), reports.Control, "the honest twin of many attacks: must be granted")
	}, attack)
	return attacked
}

// attackCode redeems the code of an honest sign-in in another way.
func attackCode(t *T, changes ...func(*wire.Request)) *wire.Answer {
	return besideCode(t, func() *wire.Answer {
		l := logIn(t, reports.Setup)
		if l.code() == "" {
			t.Inconclusivef("the sign-in did not end with a code")
		}
		return t.AttackWith(l.redemption(t, changes...))
	})
}

func setting(name, value string) func(*wire.Request) {
	return func(r *wire.Request) { r.SetField(name, value) }
}

func dropping(name string) func(*wire.Request) { return func(r *wire.Request) { r.DropField(name) } }

// tryCode sends a redemption with another value of a parameter, for the grammar.
func tryCode(parameter string) try {
	return func(t *T, given any) string { return refusal(attackCode(t, setting(parameter, given.(string)))) }
}

// tryState signs in with a state, which has to come back to the letter.
func tryState(t *T, given any) (problem string) {
	besideCode(t, func() *wire.Answer {
		l := logIn(t, reports.Attack, func(r *signin.Authorization) { r.State = given.(string) })
		if l.code() != "" && l.end.Query().Get("state") != given {
			problem = "the sign-in was answered with another state than it was begun with"
		}
		return l.last
	})
	return problem
}

// tryNonce signs in with a nonce, which has to be in the ID token to the letter.
func tryNonce(t *T, given any) (problem string) {
	besideCode(t, func() *wire.Answer {
		l := logIn(t, reports.Attack, func(r *signin.Authorization) { r.Nonce = given.(string) })
		if l.code() == "" {
			return l.last
		}
		a := t.Send(l.redemption(t), reports.Attack, "its nonce is to be that of the sign-in")
		if token, ok := mockidp.Decode(a.String("id_token")); ok && Granted(a) && token.Claims["nonce"] != given {
			problem = "the ID token has another nonce than the sign-in was begun with"
		}
		return a
	})
	return problem
}

var needsPKCE = NeedsMetadata("code_challenge_methods_supported")

var _ = check.For("IDP-CODE", func() {
	refuses := func(slug, what string, change func(*T) func(*wire.Request), options ...check.Option) {
		It(slug, "refuses a code "+what, func(t *T) {
			Expect(attackCode(t, change(t))).To(server.BeRefused())
		}, append([]check.Option{check.With(NeedsWalk),
			check.Sends("A sign-in whose code is redeemed, then one whose code is redeemed " + what + ".")}, options...)...)
	}
	always := func(change func(*wire.Request)) func(*T) func(*wire.Request) {
		return func(*T) func(*wire.Request) { return change }
	}
	refuses("other-redirect", "with another redirect_uri than that of the sign-in",
		always(setting("redirect_uri", "https://evil.example/cb")))
	refuses("no-redirect", "without the redirect_uri of the sign-in", always(dropping("redirect_uri")), check.Should())
	refuses("other-verifier", "with another code_verifier than that of the sign-in", func(*T) func(*wire.Request) {
		return setting("code_verifier", rand.Text()+rand.Text())
	}, check.With(needsPKCE))
	refuses("no-verifier", "without the code_verifier of the sign-in", always(dropping("code_verifier")),
		check.With(needsPKCE))
	refuses("garbage", "that was never issued", func(*T) func(*wire.Request) { return setting("code", rand.Text()) })
	refuses("other-client", "that was issued to another client", func(t *T) func(*wire.Request) {
		t.Control(By(t.B())) // its credentials are good
		return func(r *wire.Request) { asClient(t, r, t.B()) }
	}, check.With(NeedsB))
	It("twice", "refuses a code that was redeemed before", func(t *T) {
		l := logIn(t, reports.Setup)
		if a := t.Send(l.redemption(t), reports.Control, "the first time: must be granted"); !Granted(a) {
			t.Inconclusivef("the code was not redeemed: %s", a.Summary())
		}
		Expect(t.AttackWith(l.redemption(t))).To(server.BeRefused(), "RFC 6749 4.1.2")
	}, check.With(NeedsWalk), check.Sends("The code of a sign-in, twice."))
	echo := func(slug, title string, problem try, sends string) {
		It(slug, title, func(t *T) {
			if p := problem(t, "a+b c%20&=/?#"+rand.Text()); p != "" {
				t.Failf("%s", p)
			}
		}, check.With(NeedsWalk), check.Sends(sends))
	}
	echo("state", "gives state back as it was sent", tryState, "A sign-in whose state has reserved characters.")
	echo("nonce", "puts the nonce into the ID token as it was sent", tryNonce,
		"A sign-in whose nonce has reserved characters.")
})

// asClient has another client send a token request.
func asClient(t *T, r *wire.Request, k *config.Client) {
	r.Header.Del("Authorization")
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"} {
		r.DropField(name)
	}
	signin.Authenticate(r, k, t.Provider.Token, t.Now())
}
