// Package idjag holds the checks of an ID-JAG's header and claims: from whom, for whom, when, how often.
package idjag

import (
	"bytes"
	"reflect"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// power is what a careless server might take a claim for.
func power(t *server.T) string {
	if t.Config.ForbiddenScope != "" {
		return t.Config.ForbiddenScope
	}
	return "admin"
}

// boasts are claims that no specification gives a meaning in an ID-JAG. They must grant nothing.
var boasts = []struct {
	name  string
	value func(*server.T) any
}{
	{"admin", func(*server.T) any { return true }},
	{"roles", func(t *server.T) any { return []string{"admin", power(t)} }},
	{"groups", func(t *server.T) any { return []string{"admin", power(t)} }},
	{"permissions", func(t *server.T) any { return []string{power(t)} }},
	{"scp", func(t *server.T) any { return []string{power(t)} }},
	{"act", func(t *server.T) any {
		return map[string]any{"sub": t.Client(0).ID, "sub_profile": "ai_agent web_app", "client_id": "admin"}
	}},
}

var _ = check.For("RAS-UNTRUSTED-CLAIMS", func() {
	server.It("ignored", "grants an ID-JAG with a claim that it does not know", func(t *server.T) {
		Expect(t.Redeem(t.Grant(server.Set("emaconform_unknown", map[string]any{"a": []any{1, nil}})))).To(server.BeGranted(),
			"claims that are not understood MUST be ignored (RFC 7519 4)")
	}, check.Sends("An ID-JAG with a claim that no specification defines"))

	for _, b := range boasts {
		server.It("claim-"+b.name, "grants nothing for the claim "+b.name, func(t *server.T) {
			plain := t.Control(t.Grant())
			boast := t.Redeem(t.Grant(server.Set(b.name, b.value(t))))
			Expect(boast).To(server.BeGranted(), "with the claim %s: claims that are not understood MUST be ignored "+
				"(RFC 7519 4)", b.name)
			expectSamePower(t, plain, boast, b.name)
		}, check.Sends("An honest ID-JAG as control, then one with a claim "+b.name+"; answers and tokens are compared"))
	}

	server.Refuses(
		server.Attack{Slug: "twice-aud", What: "an ID-JAG with aud twice, the last one another server",
			Craft: lastOne("aud", func(*server.Token) string { return server.OtherIssuer })},
		server.Attack{Slug: "twice-client-id", What: "an ID-JAG with client_id twice, the last one another client",
			Craft: lastOne("client_id", nobody("client_id"))},
		server.Attack{Slug: "twice-escaped", What: "an ID-JAG with aud twice, the last one another server and its " +
			"name escaped",
			Craft: func(_ *server.T, honest *server.Token) string {
				open := bytes.TrimSuffix(server.JSONOf(honest.Claims), []byte("}"))
				return hostile.SignBytes(honest.Key, server.JSONOf(honest.Header),
					append(open, `,"\u0061ud":"`+server.OtherIssuer+`"}`...))
			}},
		server.Attack{Slug: "case-sub", What: "an ID-JAG that has SUB in place of sub", Craft: renamed("sub")},
		server.Attack{Slug: "case-aud", What: "an ID-JAG that has AUD in place of aud", Craft: renamed("aud")},
		server.Attack{Slug: "case-client-id", What: "an ID-JAG that has CLIENT_ID in place of client_id",
			Craft: renamed("client_id")},
		server.Attack{Slug: "case-exp", What: "an ID-JAG that has EXP in place of exp", Craft: renamed("exp")},
	)
})

var _ = check.For("RAS-UNTRUSTED-CLAIMS", func() {
	server.It("twice-sub", "takes an ID-JAG with sub twice for the last one, if at all", func(t *server.T) {
		alice := t.Control(t.Grant())
		twice := lastOne("sub", nobody("sub"))(t, t.Grant(server.Remove("email")))
		server.ExpectNobodyElse(t, t.Attack(twice), alice)
	}, check.Sends("An ID-JAG with sub twice, the last one a stranger, after an honest one as control"))
})

// lastOne is an ID-JAG with the honest claim first and this one, which is what counts, behind it (RFC 7519 4).
func lastOne(name string, value func(honest *server.Token) string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		return hostile.Duplicate(honest, name, honest.Claims[name], value(honest))
	}
}

// nobody is the name of nobody, of the form that an honest one has in this claim.
func nobody(claim string) func(*server.Token) string {
	return func(honest *server.Token) string {
		name, _ := honest.Claims[claim].(string)
		return server.Like(name)
	}
}

// renamed is an ID-JAG with a claim's name in upper case: names are compared exactly, so the claim is missing.
func renamed(name string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		honest.Claims[strings.ToUpper(name)] = honest.Claims[name]
		delete(honest.Claims, name)
		return hostile.Sign(honest)
	}
}

// expectSamePower compares what was granted with a claim and without it.
func expectSamePower(t *server.T, plain, boast *wire.Answer, claim string) {
	if with, without := boast.String("scope"), plain.String("scope"); with != without {
		t.Failf("with the claim %s the scope %q was granted, and %q without it", claim, wire.Printable(with, 200), without)
	}
	without, with := server.TokenClaims(t, plain), server.TokenClaims(t, boast)
	for _, name := range []string{"sub", "scope", "aud", "client_id"} {
		if !reflect.DeepEqual(with[name], without[name]) {
			t.Failf("with the claim %s the access token has %s %s, and %s without it",
				claim, name, server.Describe(with[name]), server.Describe(without[name]))
		}
	}
	if _, copied := with[claim]; copied && without[claim] == nil {
		if claim == "act" { // says who acts for the user, and gives nothing (RFC 8693 4.1)
			t.Notef("the access token carries act")
			return
		}
		t.Warnf("the access token carries the claim %s as it stood in the ID-JAG: an MCP server may take it for the word of "+
			"its own authorization server", claim)
	}
}

// nested claims are where a careless reader finds what the top level lacks.
var _ = check.For("RAS-UNTRUSTED-CLAIMS", func() {
	for _, inside := range []string{"claims", "payload"} {
		for _, name := range []string{"sub", "aud", "client_id", "exp"} {
			server.Refuses(server.Attack{Slug: "in-" + inside + "-" + strings.ReplaceAll(name, "_", "-"),
				What: "an ID-JAG with its " + name + " in a member " + inside,
				Edit: func(j *server.Token) {
					j.Claims[inside] = map[string]any{name: j.Claims[name]}
					delete(j.Claims, name)
					delete(j.Claims, "email")
				}})
		}
	}

	for slug, wrap := range map[string]func(map[string]any) (string, any){
		"proto":       func(m map[string]any) (string, any) { return "__proto__", m },
		"constructor": func(m map[string]any) (string, any) { return "constructor", map[string]any{"prototype": m} },
	} {
		server.It("polluted-"+slug, "lets no ID-JAG change how the next ones are read", func(t *server.T) {
			t.Control(t.Grant())
			name, value := wrap(map[string]any{"aud": t.Issuer(), "role": "any"})
			t.Attack(t.Grant(server.Set(name, value)))
			a := t.Attack(t.Grant(server.Remove("aud")))
			if server.Granted(a) {
				t.Failf("an ID-JAG without aud is granted after one with aud in %s: claims are merged into an object "+
					"without care, and one ID-JAG changes every later one. Start the target anew before you go on", name)
			}
			server.ExpectRefused(t, a)
			t.Control(t.Grant())
		}, check.Serial(), check.Intrusive(),
			check.Sends("An ID-JAG that has aud in "+slug+", then one without aud, between honest ones"))
	}
})
