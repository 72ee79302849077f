package tokens

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// described is the answer for a token that is active. A RAS that does not let this client ask leaves nothing to judge.
func described(t *server.T, token string) map[string]any {
	a := server.Introspect(t, token, reports.Control)
	if a.Err == nil && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden) {
		t.Skipf("the RAS does not let the client introspect its own token (%s): only resource servers may", a.Summary())
	}
	seen, err := a.Object()
	if err != nil || a.Status != http.StatusOK {
		t.Failf("expected 200 with a JSON object (RFC 7662 2.2), but saw %s", a.Summary())
	}
	switch active, ok := seen["active"].(bool); {
	case !ok:
		t.Failf(`expected active to be true or false (RFC 7662 2.2), but saw %v`, seen["active"])
	case !active && server.LetIn(t.Try(t.Knock(token))):
		t.Skipf("the RAS calls a token inactive that the MCP server takes: RFC 7662 2.2 lets the answer depend on " +
			"who asks, and its JWTs need not be known to introspection")
	case !active:
		t.Inconclusivef("the RAS calls a token inactive that was just issued, and the MCP server does not take it, either")
	}
	return seen
}

// expectInactive judges the answer for a token that is not active: that, and nothing else about it (RFC 7662 2.2).
func expectInactive(t *server.T, a *wire.Answer) {
	seen, err := a.Object()
	if err != nil || a.Status != http.StatusOK {
		t.Failf("expected 200 with a JSON object (RFC 7662 2.2), but saw %s", a.Summary())
	}
	if active, ok := seen["active"].(bool); !ok || active {
		t.Failf(`expected "active": false, but saw %v`, seen["active"])
	}
	if len(seen) > 1 {
		t.Warnf("nothing should be told about a token that is not active, but there are %d more members", len(seen)-1)
	}
}

var _ = check.For("RAS-INTROSPECT", func() {
	endpoint := check.With(server.NeedsEndpoint("introspection_endpoint"))

	server.It("truthful", "tells who, for whom, what for and how long about an active token", func(t *server.T) {
		seen := described(t, t.AccessToken())
		var missing []string
		for _, member := range []string{"scope", "client_id", "aud", "exp", "sub"} {
			if _, ok := seen[member]; !ok {
				missing = append(missing, member)
			}
		}
		if len(missing) > 0 {
			t.Warnf("the answer lacks %s: an MCP server that introspects tokens cannot check it", strings.Join(missing, ", "))
		}
		if id, ok := seen["client_id"].(string); ok {
			Expect(id).To(Equal(t.Client(0).ID), "client_id is not the client that the token was issued to")
		}
		if audience := server.AudienceOf(seen); len(audience) > 0 && !slices.Contains(audience, t.Resource()) {
			t.Failf("expected aud to name the MCP server %s, but saw %q", t.Resource(),
				wire.Printable(strings.Join(audience, " "), 200))
		}
		if exp, ok := seen["exp"].(json.Number); ok {
			if seconds, err := exp.Int64(); err != nil || seconds <= t.Now().Unix() {
				t.Failf("the token is active, but its exp does not lie ahead: %s", wire.Printable(exp.String(), 40))
			}
		}
	}, endpoint, check.Sends("An access token that was just issued, to the introspection endpoint"))

	server.It("unauthenticated", "tells nothing to somebody who does not authenticate", func(t *server.T) {
		token := t.AccessToken()
		described(t, token)
		a := t.Send(server.IntrospectionRequest(t, token, nil), reports.Attack, "must be refused")
		if active, _ := a.Object(); active["active"] == true {
			t.Failf("expected a refusal (RFC 7662 2.1), but a request without any credentials was told about the token")
		}
		Expect(a).To(server.BeStatus(http.StatusUnauthorized, http.StatusBadRequest, http.StatusForbidden))
	}, endpoint, check.Sends("An active token by the client as control, then by nobody"))

	server.It("unknown-token", "calls an unknown token inactive", func(t *server.T) {
		described(t, t.AccessToken())
		expectInactive(t, server.Introspect(t, rand.Text(), reports.Attack))
	}, endpoint, check.Sends("An active token as control, then a token that does not exist"))

	server.It("id-jag", "calls an ID-JAG inactive", func(t *server.T) {
		described(t, t.AccessToken())
		expectInactive(t, server.Introspect(t, hostile.Sign(t.Grant()), reports.Attack))
	}, endpoint, check.Sends("An active access token as control, then an honest ID-JAG that was not redeemed"))

	server.It("revoked", "calls a revoked token inactive", func(t *server.T) {
		token := t.AccessToken()
		described(t, token)
		server.MustRevoke(t, token)
		expectInactive(t, server.Introspect(t, token, reports.Attack))
	}, endpoint, check.With(server.NeedsEndpoint("revocation_endpoint")),
		check.Sends("An active token as control, its revocation, then the same token"))
})
