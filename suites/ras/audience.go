package ras

import (
	"reflect"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// claim makes an attack by giving one claim of an honest ID-JAG a value that depends on the target. Where that is the
// honest value already, the check has nothing to say and is skipped.
func claim(name string, value func(*server.T) any) func(*server.T, *server.Token) string {
	return func(t *server.T, honest *server.Token) string {
		v := value(t)
		if reflect.DeepEqual(v, honest.Claims[name]) {
			t.Skipf("this variant of %s is the same as the right value here", name)
		}
		honest.Claims[name] = v
		return hostile.Sign(honest)
	}
}

// honestly redeems an honest ID-JAG as control: with this edit where the target grants that, else a plain one. It
// returns what the attack has to have in common with it.
func honestly(t *server.T, edit server.Edit, note string) server.Edit {
	if server.Granted(t.Send(t.TokenRequest(t.Grant(edit)), reports.Control, note)) {
		return edit
	}
	t.Control(t.Grant())
	return func(*server.Token) {}
}

// otherCase is s in another case: upper if that differs, else lower.
func otherCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// otherSlash adds a slash at the end, or takes it away.
func otherSlash(s string) string {
	if cut, ok := strings.CutSuffix(s, "/"); ok {
		return cut
	}
	return s + "/"
}

// invalidGrant is for where a specification fixes this code.
var invalidGrant = []string{server.InvalidGrant}

// A server that nobody here runs (RFC 2606).
const (
	otherIssuer   = "https://as.other.example"
	otherResource = "https://mcp.other.example/mcp"
)

// audiences are values of aud that are not this server alone. Draft-04 4.4.1 and EMA 7.6.2 fix the error code.
var audiences = []struct {
	slug, what string
	value      func(*server.T) any
}{
	{"null", "null", func(*server.T) any { return nil }},
	{"empty", "the empty string", func(*server.T) any { return "" }},
	{"number", "a number", func(*server.T) any { return 1 }},
	{"object", "an object that holds the issuer", func(t *server.T) any { return map[string]any{"issuer": t.Issuer()} }},
	{"array-empty", "an empty array", func(*server.T) any { return []string{} }},
	{"array-own-first", "an array of this server and another one", func(t *server.T) any {
		return []string{t.Issuer(), otherIssuer}
	}},
	{"array-own-last", "an array of another server and this one", func(t *server.T) any {
		return []string{otherIssuer, t.Issuer()}
	}},
	{"array-twice", "an array that names this server twice", func(t *server.T) any {
		return []string{t.Issuer(), t.Issuer()}
	}},
	{"other", "another server", func(*server.T) any { return otherIssuer }},
	{"token-endpoint", "the token endpoint instead of the issuer", func(t *server.T) any { return t.Target.TokenEndpoint }},
	{"mcp-server", "the MCP server instead of its authorization server", func(t *server.T) any { return t.Resource() }},
	{"client-id", "the client's id", func(t *server.T) any { return t.Client(0).ID }},
	{"prefix", "the issuer without its last character", func(t *server.T) any { return t.Issuer()[:len(t.Issuer())-1] }},
	{"suffix", "the issuer followed by .evil", func(t *server.T) any { return t.Issuer() + ".evil" }},
	{"subpath", "a path below the issuer", func(t *server.T) any { return strings.TrimSuffix(t.Issuer(), "/") + "/evil" }},
	{"slash", "the issuer with the slash at its end added or taken away", func(t *server.T) any {
		return otherSlash(t.Issuer())
	}},
	{"case", "the issuer in another case", func(t *server.T) any { return otherCase(t.Issuer()) }},
}

var _ = check.For("RAS-AUD-EXACT", func() {
	refuses(attack{slug: "missing", what: "an ID-JAG without aud", edit: server.Remove("aud"), codes: invalidGrant})
	for _, a := range audiences {
		refuses(attack{slug: a.slug, what: "an ID-JAG whose aud is " + a.what,
			craft: claim("aud", a.value), codes: invalidGrant})
	}

	server.It("array-of-one", "grants an ID-JAG whose aud is an array of this server's issuer alone", func(t *server.T) {
		t.Control(t.Grant())
		Expect(t.Redeem(t.Grant(server.Set("aud", []string{t.Issuer()})))).To(server.BeGranted())
	}, check.Sends("An ID-JAG whose aud is a one-element array, after one with a string as control"))
})
