package rs

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// impostor is a token that was not issued for the MCP server under test, or not issued at all.
type impostor struct {
	slug    string
	what    string // continues "refuses …"
	make    func(t *server.T, good string) string
	options []check.Option
}

var impostors = []impostor{
	{"id-jag", "an ID-JAG in place of an access token", func(t *server.T, _ string) string {
		return signed(t, t.Grant())
	}, nil},
	{"id-token", "an ID token in place of an access token", func(t *server.T, _ string) string {
		return signed(t, t.IdP.IDToken(t.Alice().Sub, t.Client(0).ID))
	}, nil},
	{"idp-access-token", "an access token of the IdP", func(t *server.T, _ string) string {
		return signed(t, accessToken(t, t.IdP.URL, t.IdP.URL+"/api", t.IdP.Keys.Signing()))
	}, nil},
	{"signed-by-idp", "a token with the right audience that the IdP " +
		"issued and signed", func(t *server.T, _ string) string {
		return signed(t, accessToken(t, t.IdP.URL, t.Resource(), t.IdP.Keys.Signing()))
	}, nil},
	{"signed-by-idp-for-ras", "a token in the RAS's name that the IdP signed", func(t *server.T, _ string) string {
		return signed(t, accessToken(t, t.Issuer(), t.Resource(), t.IdP.Keys.Signing()))
	}, nil},
	{"signed-by-stranger", "a copy of a good token that a stranger signed", func(t *server.T, good string) string {
		return hostile.Sign(withAlg(copyOf(t, good, t.Attacker)))
	}, nil},
	{
		"embedded-key",
		"a copy of a good token signed with a key that it brings along (jwk header)",
		func(t *server.T, good string) string {
			return hostile.WithJWK(withAlg(copyOf(t, good, t.Attacker)), t.Attacker)
		},
		nil,
	},
	{"unsigned", "an unsigned token with the claims of an access token", func(t *server.T, _ string) string {
		return hostile.None(accessToken(t, t.Issuer(), t.Resource(), t.Attacker), "none")
	}, nil},
	{"none-copy", "an alg none copy of a good token", func(t *server.T, good string) string {
		return hostile.None(copyOf(t, good, t.Attacker), "none")
	}, nil},
	{"no-signature", "a good token with its signature cut off", func(t *server.T, good string) string {
		copyOf(t, good, nil)
		return hostile.WithoutSignature(good)
	}, nil},
	{"changed", "a good token with one character changed", func(_ *server.T, good string) string {
		return changed(good)
	}, nil},
	{
		"changed-scope",
		"a good token whose payload was exchanged for one with another scope",
		func(t *server.T, good string) string {
			token := copyOf(t, good, nil)
			token.Claims["scope"] = "everything"
			return hostile.WithPayload(good, token.Claims)
		},
		nil,
	},
}

var _ = check.For("RS-TOKEN-AUD", func() {
	for _, i := range slices.Concat(impostors, pointers) {
		server.It(i.slug, "refuses "+i.what, server.InEach(func(t *server.T) {
			good := t.AccessToken()
			t.Use(good)
			Expect(t.Break(t.Knock(i.make(t, good)))).To(server.BeUnauthorized())
		}), append(i.options, check.Expects("HTTP 401."),
			check.Sends("A request with a good access token as control, then one with "+i.what))...)
	}

	server.It("other-clients", "refuses the same tokens from other clients", server.InEach(fromOthers),
		check.Late(),
		check.Expects("HTTP 401."), check.Sends("As other clients, which call themselves something else in header and "+
			"message, between requests of theirs with a good access token: "+repeated[0].what+"; "+repeated[1].what+"; "+
			repeated[2].what))

	server.It("other-resource", "refuses a token that the same RAS issued for "+
		"another MCP server", server.InEach(func(t *server.T) {
		t.Use(t.AccessToken())
		other := t.AccessToken(server.Set("resource", t.Config.SecondServer))
		t.UseWith(t.KnockAt(t.Config.SecondServer, other))
		Expect(t.Break(t.Knock(other))).To(server.BeUnauthorized())
	}), check.With(server.NeedsSecondServer), check.Sends("A token for the second MCP server, first there as control, "+
		"then to the server under test"))

	server.It("expired", "refuses an expired token", func(t *server.T) {
		token, expiry := usedWhileItLives(t)
		// Before its expiry the token may be taken, and a server may allow for clocks that differ, so only its end is judged.
		t.InEach(func(t *server.T) {
			var last *wire.Answer
			Eventually(t.Context, func() bool {
				last = t.Break(t.Knock(token))
				return server.LetIn(last)
			}).WithTimeout(time.Until(expiry)+t.Config.Timing.Leeway).WithPolling(patience(t)).Should(BeFalse(),
				fmt.Sprintf("the token was still taken %s after its expiry (timing.leeway)", t.Config.Timing.Leeway))
			Expect(last).To(server.BeUnauthorized())
			if late := time.Since(expiry); late > 5*time.Second {
				t.Notef("refused %d s after its expiry only: the server allows for clocks that differ", int(late.Seconds()))
			}
		})
	}, check.Slow(), check.Sends("A token with a short life, as control while it lives, then again until it is refused"))
})

// repeated are those that are tried once more at the end of a run.
var repeated = []impostor{named("id-jag"), named("signed-by-idp-for-ras"), named("changed")}

func named(slug string) impostor {
	return impostors[slices.IndexFunc(impostors, func(i impostor) bool { return i.slug == slug })]
}

// fromOthers repeats attacks as other clients than this suite would send them: a target that recognises the suite may
// be strict with it alone.
func fromOthers(t *server.T) {
	good, clients := t.AccessToken(), t.Disguises(len(repeated)+1)
	for n, i := range repeated {
		t.UseWith(clients[n].Calls(t.Knock(good)))
		a := t.Break(clients[n].Calls(t.Knock(i.make(t, good))))
		if server.LetIn(a) {
			t.Failf("expected %s to be refused from a client that calls itself %q, too, but it was let in: whether a token is "+
				"good does not depend on who asks", i.what, clients[n].Agent)
		}
		Expect(a).To(server.BeUnauthorized())
	}
	t.UseWith(clients[len(repeated)].Calls(t.Knock(good))) // nothing was refused since it came from them
}

// patience is how often a token is tried: seldom enough not to trouble a target that is not on this machine.
func patience(t *server.T) time.Duration {
	if target.Loopback(t.Config.URL) {
		return 50 * time.Millisecond
	}
	return time.Second
}

// usedWhileItLives obtains a short-lived token and uses it. Many servers count in whole seconds, so that a life of one
// may be over at once: then another token is tried.
func usedWhileItLives(t *server.T) (token string, expiry time.Time) {
	t.Revisions() // or they would be found out while the token's time runs
	for range 5 {
		token, expiry = shortLived(t)
		if server.LetIn(t.Try(t.Knock(token))) {
			return token, expiry
		}
	}
	t.Use(token)
	return token, expiry
}

// shortLived obtains an access token that lives a few seconds, by whichever registered client gets such ones.
func shortLived(t *server.T) (token string, expiry time.Time) {
	const short = 5
	for n := range t.Config.Clients {
		c := t.Client(n)
		asked := time.Now()
		a := t.Control(t.Grant(server.Set("client_id", c.ID)), server.As(c))
		object, _ := a.Object()
		var seconds int
		if _, err := fmt.Sscan(fmt.Sprint(object["expires_in"]), &seconds); err == nil && seconds <= short {
			return a.String("access_token"), asked.Add(time.Duration(seconds) * time.Second)
		}
	}
	t.Skipf("needs a client whose access tokens live %d seconds at most, to see one expire (clients)", short)
	return "", time.Time{}
}

func signed(t *server.T, token *server.Token) string {
	compact, err := token.Sign()
	if err != nil {
		t.Inconclusivef("our own error: cannot sign the token: %v", err)
	}
	return compact
}

// accessToken has the claims of a JWT access token (RFC 9068 2.2) for the user and client of an honest grant.
func accessToken(t *server.T, issuer, audience string, key *mockidp.Key) *server.Token {
	now := t.Now()
	return mockidp.NewToken(key, "at+jwt", map[string]any{
		"iss": issuer, "aud": audience, "sub": t.Alice().Sub, "client_id": t.Client(0).ID, "jti": rand.Text(),
		"scope": strings.Join(t.Config.Scopes, " "), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
}

// withAlg makes the header say the algorithm of the token's key; the kid stays the one of the original.
func withAlg(token *server.Token) *server.Token {
	token.Header["alg"] = token.Key.Algorithm
	return token
}

// changed exchanges one character in the middle of the last part: of the signature of a JWT, of the text of any other.
func changed(token string) string {
	if strings.Count(token, ".") == 2 {
		return hostile.FlipSignature(token)
	}
	middle := len(token) / 2
	with := "x"
	if token[middle] == 'x' {
		with = "y"
	}
	return token[:middle] + with + token[middle+1:]
}
