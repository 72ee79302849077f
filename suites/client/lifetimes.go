package client

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
)

// brief is how long a token lives that ends within the run, in whole seconds as JWTs count.
const brief = 2 * time.Second

// outlive lets the MCP server take longer for its first answer about tools than a brief token lives, and then calls
// also, whose answer is given in place of the server's unless it is nil.
func outlive(w *world.World, also func() *world.Reply) func(*world.Call, world.Message) *world.Reply {
	w.RequestTimeout += 2 * brief // what the client waits for is no hour
	var once sync.Once
	return func(c *world.Call, m world.Message) (reply *world.Reply) {
		if strings.HasPrefix(m.Method, "tools/") || w.ConnectsOnly {
			once.Do(func() {
				w.MCP.Rest(c, brief+brief/10)
				reply = also()
			})
		}
		return reply
	}
}

var _ = check.For("CL-EXPIRED-AT", func() {
	for _, revision := range byEachRevision {
		It("renewed-"+revision.slug, "gets a new token when its own has expired ("+revision.slug+")",
			revision.in.but("A 401 invalid_token behind the first request about tools",
				func(w *world.World) { w.MCP.Before = expireOnce(w, func() {}) }).from(refused),
			func(t *T) {
				t.MustSpare(t.World.Consent, "the token is renewed without the user")
				t.MustSucceed("an expired token is renewed with a new ID-JAG (ID-JAG draft-04 4.4.3)")
			})
		It("short-lived-"+revision.slug, "goes on when its token ends within the run ("+revision.slug+")",
			revision.in.but("Access tokens that live for 2 s, as expires_in says, and an MCP server that takes longer "+
				"for its first answer about tools", func(w *world.World) {
				w.RAS.Lifetime = brief
				w.MCP.Before = outlive(w, func() *world.Reply { return nil })
			}).from(ended),
			func(t *T) {
				if t.Through() && !ended.seen(t.Attempt) {
					t.Skipf("the client sends nothing after the first answer about tools: it needs no second token")
				}
				t.MustSpare(t.World.Consent, "the token is renewed without the user")
				if !afterEnd(t.Attempt) {
					t.mustBeTempted()
					t.Failf("expected the client to go on with a new token when its own had ended (ID-JAG draft-04 4.4.3), but %s",
						t.Summary())
				}
			}, check.Slow())
	}
})

// afterEnd reports whether the MCP server answered a request that carries another access token than the first one did.
func afterEnd(a *program.Attempt) bool {
	first := ""
	for _, s := range a.Calls() {
		given := s.Header.Get("Authorization")
		switch {
		case s.Status/100 != 2 || given == "":
		case first == "":
			first = given
		case given != first:
			return true
		}
	}
	return false
}

var _ = check.For("CL-EXPIRED-IDTOKEN", func() {
	It("ends-first", "replaces an ID token that ends before the access token that came with it",
		login.but("A login whose ID token lives for 2 s and whose access token, as expires_in says, for an hour; then a 401 "+
			"invalid_token", func(w *world.World) {
			w.IdP.EditIDToken = func(t *mockidp.Token) { t.Claims["exp"] = time.Now().Add(brief).Unix() }
			w.MCP.Before = outlive(w, func() *world.Reply {
				w.Revoke()
				return w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
			})
		}).from(refused),
		succeeds("expires_in is not the end of the ID token: that is its exp (OpenID Connect Core 2)"), check.Slow())
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
			loginConfidential.but("An IdP whose metadata lists "+method+" alone", oneMethodAtIdP(method)).from(readIdP),
			func(t *T) {
				if !readIdP.seen(t.Attempt) {
					t.Skipf("the client does not read the IdP's metadata")
				}
				t.MustSucceed("the metadata says how clients authenticate (RFC 8414 2, OpenID Connect Discovery 3)")
			}, check.Should())
	}
})

var _ = check.For("CL-REDEEM-REQ", func() {
	It("one-method", "authenticates to the RAS by one method in a request",
		given.honest(meetsHonest).from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				if _, _, basic := world.Basic(s.Header); basic && s.Form.Has("client_secret") {
					t.Failf("expected one way of client authentication, but the token request has Basic credentials and a " +
						"client_secret")
				}
			}
		}, check.By("RFC 6749 §2.3"))
	It("published", "names the client id that it publishes, and shows no secret",
		published.honest(meetsPublished).
			from(redeemed),
		func(t *T) {
			for _, s := range t.redemptions() {
				id, _, basic := world.Basic(s.Header)
				if !basic {
					id = s.Form.Get("client_id")
				}
				if id != t.World.Published {
					t.Failf("expected client_id %s, but it is %q", t.World.Published, id)
				}
				if s.Form.Get("client_secret") != "" {
					t.Failf("expected no secret beside a client id that is published, but the token request has one")
				}
			}
			t.MustSucceed("the metadata lists none as the way to authenticate")
		})
})
