package conduct

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// traces are what gives a token away where it is found: the payload, the signature, and all but the end of the whole.
func traces(compact string) map[string]string {
	found := map[string]string{"all but its last characters": compact[:max(0, len(compact)-8)]}
	if parts := strings.Split(compact, "."); len(parts) == 3 && len(parts[2]) > 8 {
		found["its payload"], found["its signature"] = parts[1], parts[2]
	}
	return found
}

// traceIn says what of a token stands in a text, "" when that is nothing.
func traceIn(text, compact string) string {
	for what, trace := range traces(compact) {
		if len(trace) > 16 && strings.Contains(text, trace) {
			return what
		}
	}
	return ""
}

var _ = check.For("RAS-RESP-SHAPE", func() {
	server.It("no-assertion", "gives the ID-JAG back in no form", func(t *server.T) {
		assertion := hostile.Sign(t.Grant())
		a := t.Control(assertion)
		object, err := a.Object()
		Expect(err).NotTo(HaveOccurred())
		for name, value := range object {
			if name != "access_token" && traceIn(fmt.Sprint(value), assertion) != "" {
				t.Failf("the member %s of the token response holds the ID-JAG: whatever keeps or logs responses keeps a credential",
					wire.Printable(name, 40))
			}
		}
	}, check.Sends("An honest ID-JAG; the answer is searched for it"))
})

var _ = check.For("RAS-UNTRUSTED-CLAIMS", func() {
	server.It("token-assertion", "puts the ID-JAG into no access token", func(t *server.T) {
		assertion := hostile.Sign(t.Grant())
		claims := server.TokenClaims(t, t.Control(assertion))
		if claims == nil {
			t.Skipf("access tokens are opaque and introspection tells the client nothing")
		}
		if what := traceIn(fmt.Sprint(claims), assertion); what != "" {
			t.Failf("the access token holds the ID-JAG (%s): every MCP server that sees the token has the grant", what)
		}
	}, check.Sends("An honest ID-JAG; the access token is searched for it"))

	server.It("token-claims", "copies what it does not know into no access token, at any depth", func(t *server.T) {
		mark := "emaconform-mark-7f3a"
		claims := server.TokenClaims(t, t.Control(t.Grant(server.Set("emaconform_unknown", mark))))
		if claims == nil {
			t.Skipf("access tokens are opaque and introspection tells the client nothing")
		}
		if strings.Contains(fmt.Sprint(claims), mark) {
			t.Failf("the access token holds a claim that only the IdP and this server have a use for: with it goes " +
				"everything that the IdP says of the user, e-mail address included")
		}
	}, check.Sends("An ID-JAG with a claim that no specification defines; the access token is searched for its value"))

	server.It("token-jti", "gives the access token an id of its own", func(t *server.T) {
		grant := t.Grant()
		claims := server.TokenClaims(t, t.Control(grant))
		if claims["jti"] == grant.Claims["jti"] && claims["jti"] != nil {
			t.Failf("the access token has the jti of the ID-JAG: the two cannot be told apart in logs and lists of " +
				"revoked tokens")
		}
	}, check.Should(), check.Sends("An honest ID-JAG; the jti of the access token is compared with its own"))
})

// secretMembers are the members of a JWK that only its owner may know (RFC 7518 section 6).
var secretMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

var _ = check.For("RAS-META-DISCOVERY", func() {
	server.It("jwks-public", "publishes public keys alone, and strong ones", func(t *server.T) {
		uri, _ := t.Target.ServerMetadata["jwks_uri"].(string)
		if uri == "" {
			t.Skipf("it publishes no keys (jwks_uri)")
		}
		a := t.Send(&wire.Request{URL: uri}, reports.Setup, "the keys that it publishes")
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		if err := json.Unmarshal(a.Body, &set); err != nil || len(set.Keys) == 0 {
			t.Failf("expected a JWK set at jwks_uri (RFC 7517 5), but saw %s", a.Summary())
		}
		for _, key := range set.Keys {
			for _, name := range secretMembers {
				if key[name] != nil {
					t.Failf("the published key set holds the member %s, which is private: everybody can make access tokens", name)
				}
			}
			expectStrong(t, key)
		}
	}, check.Open(), check.By("RFC 7517 §9.2"), check.With(server.NeedsMetadata("jwks_uri")),
		check.Sends("A GET for jwks_uri"))
})

func expectStrong(t *server.T, members map[string]any) {
	raw, err := json.Marshal(members)
	if err != nil {
		panic(err) // was JSON
	}
	var key jose.JSONWebKey
	if key.UnmarshalJSON(raw) != nil {
		return // of a kind that is not known here
	}
	if n, ok := members["n"].(string); ok && len(n) < 2048*4/3/8 {
		t.Failf("the published key set holds an RSA key of less than 2048 bits (RFC 7518 3.3)")
	}
}

var _ = check.For("RAS-ERR-SHAPE", func() {
	rejected("quotes-no-claim", "repeats no claim of "+
		"what it refuses", func(t *server.T, a *wire.Answer, assertion string) {
		claims := server.JWTClaims(assertion)
		for _, name := range []string{"sub", "email", "jti"} {
			if value, _ := claims[name].(string); value != "" && strings.Contains(string(a.Body), value) {
				t.Failf("the error repeats %s of the ID-JAG: what a client logs of an error must not say who the user is", name)
			}
		}
	}, check.Should())
})

var _ = check.For("RAS-NO-LOG", func() {
	server.It("parts", "writes no part of an ID-JAG to its log that gives it away", func(t *server.T) {
		granted, refused := hostile.Sign(t.Grant()), hostile.FlipSignature(hostile.Sign(t.Grant()))
		written := string(logged(t, func() {
			t.Control(granted)
			t.Attack(refused)
		}))
		for what, assertion := range map[string]string{"that was granted": granted, "that was refused": refused} {
			if trace := traceIn(written, assertion); trace != "" {
				t.Failf("%s holds an ID-JAG %s: %s", t.Config.LogFile, what, trace)
			}
		}
	}, check.Serial(), check.With(server.NeedsLog),
		check.Sends("An honest ID-JAG and one with a spoiled signature; the target's log is searched for their parts"))

	server.It("encoded", "writes no credential to its log in another spelling", func(t *server.T) {
		c := t.Client(0)
		if basic := t.ClientBy(target.ClientSecretBasic); basic != nil {
			c = basic
		}
		var token string
		written := string(logged(t, func() { token = t.Control(server.GrantFor(t, c), server.As(c)).String("access_token") }))
		secrets := map[string]string{"most of the access token": token[:max(0, len(token)-8)]}
		if c.Secret != "" {
			secrets["the client's secret, in base64"] = strings.TrimPrefix(server.Basic(c.ID, c.Secret), "Basic ")
			secrets["the client's secret, backwards"] = backwards(c.Secret)
		}
		for what, secret := range secrets {
			if len(secret) > 8 && strings.Contains(written, secret) {
				t.Failf("%s holds %s", t.Config.LogFile, what)
			}
		}
		mustHoldNone(t, written, map[string]string{"the access token": proof(token), "the client's secret": c.Secret})
	}, check.Serial(), check.With(server.NeedsLog),
		check.Sends("An honest ID-JAG; the target's log is searched for the secrets that came and went, in other spellings"))

	server.It("assertion-encoded", "writes no ID-JAG to its log in another spelling", func(t *server.T) {
		granted, refused := hostile.Sign(t.Grant()), hostile.FlipSignature(hostile.Sign(t.Grant()))
		written := string(logged(t, func() {
			t.Control(granted)
			t.Attack(refused)
		}))
		mustHoldNone(t, written, map[string]string{"an ID-JAG that was granted": proof(granted),
			"an ID-JAG that was refused": proof(refused)})
	}, check.Serial(), check.With(server.NeedsLog),
		check.Sends("An honest ID-JAG and one with a spoiled signature; the target's log is searched for both, "+
			"whatever they are encoded in"))

	server.It("client-assertion", "writes no client assertion to its log that gives it away", func(t *server.T) {
		c := t.ClientBy(target.PrivateKeyJWT)
		assertion := t.ClientAssertion(c, nil)
		written := string(logged(t, func() { t.Control(server.GrantFor(t, c), server.Asserting(c, assertion)) }))
		if trace := traceIn(written, assertion); trace != "" {
			t.Failf("%s holds a client assertion: %s", t.Config.LogFile, trace)
		}
		mustHoldNone(t, written, map[string]string{"a client assertion": proof(assertion)})
	}, check.Serial(), check.With(server.NeedsLog, server.NeedsClientAuth(target.PrivateKeyJWT)),
		check.Sends("A client that authenticates with its key; the target's log is searched for the client assertion"))

	server.It("personal", "writes no e-mail address of a user to its log", func(t *server.T) {
		email := t.Alice().Email
		written := string(logged(t, func() {
			t.Control(t.Grant())
			t.Attack(hostile.FlipSignature(hostile.Sign(t.Grant())))
		}))
		for what, spelt := range map[string]string{"": email, ", percent-encoded": url.QueryEscape(email)} {
			if strings.Contains(strings.ToLower(written), strings.ToLower(spelt)) {
				t.Failf("%s holds the e-mail address of a user%s: who reads logs need not know who signs in; sub says it to who "+
					"has to know", t.Config.LogFile, what)
			}
		}
	}, check.Should(), check.Serial(), check.With(server.NeedsLog, server.NeedsEmail),
		check.Sends("An honest ID-JAG and one with a spoiled signature; the target's log is searched for the user's "+
			"e-mail address"))
})

// proof is what makes a credential of a token: its signature, for JWTs of one issuer begin alike, or all of it.
func proof(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }

// mustHoldNone fails when a log shows one of these secrets in any encoding: percent, JSON, base64, hex, another case,
// backwards, or taken apart.
func mustHoldNone(t *server.T, written string, secrets map[string]string) {
	public := []string{t.Issuer(), t.Resource(), t.IdP.URL, t.Config.UserAgent, "emaconform"}
	for n := range t.Config.Clients {
		public = append(public, t.Client(n).ID)
	}
	for what, secret := range secrets {
		found := redact.New(public...)
		if secret != "" && found.Hide(what, secret) != nil && len(found.Find(written)) > 0 {
			t.Failf("%s holds %s, or a part of it, in some encoding: everybody who reads logs can decode it", t.Config.LogFile,
				what)
		}
	}
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
