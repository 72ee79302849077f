package rs

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// publishedKeys are the keys with which the RAS says that its access tokens are verified.
func publishedKeys(t *server.T) []jose.JSONWebKey {
	uri, _ := t.Target.ServerMetadata["jwks_uri"].(string)
	if uri == "" {
		t.Skipf("the RAS publishes no keys (jwks_uri)")
	}
	a := t.Send(&wire.Request{URL: uri}, reports.Setup, "the keys of the RAS")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(a.Body, &set); err != nil || len(set.Keys) == 0 {
		t.Skipf("the key set of the RAS cannot be read: %s", a.Summary())
	}
	return set.Keys
}

// pointed is a copy of a good token by a stranger, whose header says where the stranger's key is.
func pointed(member string) func(t *server.T, good string) string {
	return func(t *server.T, good string) string {
		token := withAlg(copyOf(t, good, t.Attacker))
		token.Header["kid"] = t.Attacker.KeyID
		token.Header[member] = t.Canary + "/" + rand.Text() + "/jwks"
		return hostile.Sign(token)
	}
}

var pointers = []impostor{
	{"jku", "a copy of a good token whose jku points at the key to verify it", pointed("jku"),
		[]check.Option{check.With(server.NeedsCanary)}},
	{"kid-url", "a copy of a good token whose kid is the URL of the key to verify it", pointed("kid"),
		[]check.Option{check.With(server.NeedsCanary)}},
	{"x5c", "a copy of a good token with a certificate that it brings along " +
		"(x5c header)", func(t *server.T, good string) string {
		return hostile.WithX5C(withAlg(copyOf(t, good, t.Attacker)), t.Attacker)
	}, nil},
}

var _ = check.For("RS-TOKEN-AUD", func() {
	server.It("hmac", "refuses an HMAC under a public key of the RAS", server.InEach(func(t *server.T) {
		good := t.AccessToken()
		t.Use(good)
		for _, key := range publishedKeys(t) {
			for _, form := range hostile.PublicKeyForms(&mockidp.Key{JSONWebKey: key}) {
				forged := copyOf(t, good, t.Attacker)
				forged.Header["kid"] = key.KeyID
				Expect(t.Break(t.Knock(hostile.HMAC(forged, form.Bytes)))).To(server.BeUnauthorized(),
					"everybody has the public key, and can make such tokens (RFC 8725 2.1)")
			}
		}
	}), check.Expects("HTTP 401."),
		check.Sends("A request with a good access token as control, then its claims under HS256 with each published "+
			"key as secret"))
})

// noScope is a token without any scope, "" where the RAS grants none.
func noScope(t *server.T) string {
	a := t.Redeem(t.Grant(server.Remove("scope")), server.Without("scope"))
	if !server.Granted(a) {
		return ""
	}
	if claims := copyOf(t, a.String("access_token"), nil).Claims; claims["scope"] != nil || claims["scp"] != nil {
		return "" // the RAS has chosen some
	}
	return a.String("access_token")
}

var _ = check.For("RS-SCOPE-403", func() {
	server.It("no-scope", "lets nobody call the scoped tool with a token that has no "+
		"scope at all", server.InEach(func(t *server.T) {
		t.UseWith(t.Call(t.AccessToken(), t.Config.ScopedTool.Name, nil))
		token := noScope(t)
		if token == "" {
			t.Skipf("the RAS grants no token without a scope")
		}
		Expect(t.Break(t.CallOf(t.AccessToken(), token, t.Config.ScopedTool.Name, nil))).To(server.BeTurnedAway())
	}), needsScopedTool, check.Sends("A call of the scoped tool with a token that has its scope as control, then with "+
		"one without scope"))

	server.It("header", "looks for the tool that is called in the message, not "+
		"in Mcp-Name", server.InEach(func(t *server.T) {
		t.UseWith(t.Call(t.AccessToken(), t.Config.ScopedTool.Name, nil))
		token := lacking(t)
		r := t.CallOf(t.AccessToken(), token, t.Config.ScopedTool.Name, nil)
		r.Header.Set("Mcp-Method", "tools/list")
		r.Header.Set("Mcp-Name", "other")
		if a := t.Break(r); server.LetIn(a) && server.Result(a) != nil {
			t.Failf("the scoped tool ran for a token without its scope, since the headers named something else: " +
				"what is asked for stands in the body")
		}
	}), needsScopedTool, check.Sends("A call of the scoped tool as control, then with a token that lacks its scope "+
		"and headers that name another method and tool"))

	server.It("batch", "looks at the scope of every message of a batch", func(t *server.T) {
		tool := t.Config.ScopedTool.Name
		t.UseWith(t.Call(t.AccessToken(), tool, nil))
		token := lacking(t)
		for _, version := range []string{"", "2025-03-26"} {
			a := t.Break(batch(t, token, version, tool))
			if server.LetIn(a) && ran(a.Body) {
				t.Failf("the scoped tool ran for a token without its scope, in a batch: scopes are looked at for " +
					"single messages alone")
			}
		}
	}, needsScopedTool, check.Sends("A call of the scoped tool as control, then a batch of tools/list and that call, "+
		"with a token that lacks its scope"))
})

// batch is a list of two messages of which the second calls a tool (JSON-RPC 2.0 section 6, MCP 2025-03-26).
func batch(t *server.T, token, version, tool string) *wire.Request {
	call := func(id int, method string, params map[string]any) map[string]any {
		return map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}
	}
	r := server.Message(t.Config.URL, token, nil)
	r.Body, _ = json.Marshal([]any{call(1, "tools/list", map[string]any{}), // our own literal
		call(calledAs, "tools/call", map[string]any{"name": tool, "arguments": map[string]any{}})})
	if t.Revisions().Sessions {
		r = t.Open(token).With(r)
	}
	r.Header.Del("Mcp-Protocol-Version")
	if version != "" {
		r.Header.Set("Mcp-Protocol-Version", version)
	}
	return r
}

// calledAs is the id of the call in a batch.
const calledAs = 2

// ran reports whether an answer to a batch has a result for the call.
func ran(body []byte) bool {
	var answers []struct {
		ID     json.Number     `json:"id"`
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(body, &answers) != nil {
		return false
	}
	for _, a := range answers {
		if a.ID.String() == "2" && len(a.Result) > 0 {
			return true
		}
	}
	return false
}

var _ = check.For("RS-SESSION-NOT-AUTH", func() {
	server.It("expired-token", "refuses an expired token also in the session that it has opened", func(t *server.T) {
		token, expiry := usedWhileItLives(t)
		s := t.Open(token)
		if s.ID == "" {
			t.Skipf("the server keeps no sessions: it answers initialize without Mcp-Session-Id")
		}
		Eventually(t.Context, func() *wire.Answer { return t.Break(s.Request(token, "tools/list", nil)) }).
			WithTimeout(time.Until(expiry)+t.Config.Timing.Leeway).WithPolling(patience(t)).
			Should(server.BeStatus(http.StatusUnauthorized, http.StatusNotFound),
				"the token was still taken in its session, long after its expiry")
	}, check.Slow(), check.Sends("A session that a token with a short life opens, used again until it is refused"))

	server.It("revoked-token", "refuses a revoked token also in the session that it has opened", func(t *server.T) {
		s, token := aliceSession(t)
		r := &wire.Request{URL: t.Target.Endpoint("revocation_endpoint")}
		r.AddField("token", token)
		t.Authenticate(r, t.Client(0))
		t.Send(r, reports.Setup, "revoke the token")
		if server.LetIn(t.Send(t.Knock(token), reports.Setup, "is it revoked?")) {
			t.Skipf("revoked tokens go on until they expire, here: see RAS-REVOKE")
		}
		Expect(t.Break(s.Request(token, "tools/list", nil))).To(server.BeTurnedAway(), "the session goes on without "+
			"a valid token")
	}, check.With(server.NeedsEndpoint("revocation_endpoint")),
		check.Sends("A session as control, the revocation of its token, then the session with that token"))
})

// Access tokens that only a careless verifier takes.
var _ = check.For("RS-TOKEN-AUD", func() {
	for _, f := range grammar.Forgeries(grammar.AccessToken) {
		for _, m := range f.Made {
			server.It(f.Slug(m), "refuses the claims of a good token, "+m.What, server.InEach(func(t *server.T) {
				good := copyOf(t, t.AccessToken(), nil)
				forged, ok := m.Of(grammar.Forge{Honest: *good, Stranger: t.Attacker, URL: t.Canary,
					Chain: t.Chain()})
				if !ok {
					t.Skipf("needs a target that can reach us (idp.listen)")
				}
				_, a := t.Beside(knocks(t), func() *wire.Answer { return t.Break(t.Knock(forged)) })
				if server.LetIn(a) {
					t.Failf("expected HTTP 401, but the request was let in: the signature of an access token %s, so "+
						"that anybody makes one", f.Title)
				}
				Expect(a).To(server.BeUnauthorized())
			}), check.Expects("HTTP 401."), check.Sends("A request with a good token as control, then its claims "+m.What))
		}
	}
})
