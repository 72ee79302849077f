// Package tokens holds the checks of what is granted: response, access token, scope, resource, and how it ends.
package tokens

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// answered declares a check that looks at the answer to an honest ID-JAG.
func answered(slug, title string, judge func(*server.T, *wire.Answer)) {
	server.It(slug, title, func(t *server.T) { judge(t, t.Control(t.Grant())) },
		check.Sends("An honest ID-JAG; the answer is looked at"))
}

var _ = check.For("RAS-RESP-SHAPE", func() {
	answered("status", "answers a granted request with status 200", func(_ *server.T, a *wire.Answer) {
		Expect(a).To(server.BeStatus(http.StatusOK), "RFC 6749 5.1")
	})
	answered("media-type", "answers with application/json", func(_ *server.T, a *wire.Answer) {
		Expect(a.MediaType()).To(Equal("application/json"), "the media type of a token response (RFC 6749 5.1)")
	})
	answered("token-type", "says what type its access token has", func(t *server.T, a *wire.Answer) {
		if t.Prover != nil {
			Expect(strings.ToLower(a.String("token_type"))).To(Equal("dpop"),
				"the token is bound to the key of the proof (RFC 9449 5)")
			return
		}
		if kind := a.String("token_type"); !strings.EqualFold(kind, "Bearer") {
			t.Failf("expected token_type Bearer, for no proof of a key was sent, but saw %s",
				server.DescribeMember(a, "token_type"))
		}
	})
	answered("no-store", "forbids caches to keep the access token", func(t *server.T, a *wire.Answer) {
		if !server.NoStore(a) {
			t.Failf("expected Cache-Control: no-store (RFC 6749 5.1), but saw %q",
				strings.Join(a.Header.Values("Cache-Control"), ", "))
		}
	})
	answered("expires-in", "says in a positive number how long the access token lives", func(t *server.T, a *wire.Answer) {
		object, err := a.Object()
		Expect(err).NotTo(HaveOccurred())
		value, present := object["expires_in"]
		if !present {
			t.Warnf("expected expires_in, which RFC 6749 5.1 recommends: without it clients find out by being refused")
			return
		}
		number, _ := value.(json.Number)
		if seconds, err := number.Float64(); err != nil || seconds <= 0 {
			t.Failf("expected expires_in to be a positive number (RFC 6749 5.1), but saw %s",
				server.DescribeMember(a, "expires_in"))
		}
	})
})

var _ = check.For("RAS-RESP-SCOPE", func() {
	server.It("unasked", "names the granted scope when the request asked for none", func(t *server.T) {
		a := t.Control(t.Grant(), server.Without("scope"))
		if scopes := strings.Fields(a.String("scope")); len(scopes) == 0 {
			t.Failf("expected scope in the response as a space-separated string, for the request named none and %q stood in "+
				"the ID-JAG (RFC 6749 5.1), but saw %s", strings.Join(t.Config.Scopes, " "), server.DescribeMember(a, "scope"))
		}
	}, check.With(server.NeedsScope), check.Sends("An honest ID-JAG with scopes, in a request without scope"))

	server.It("narrowed", "names the granted scope when it is less than what was asked", func(t *server.T) {
		first := t.Config.Scopes[0]
		a := t.Redeem(t.Grant(server.Set("scope", first)), server.Param("scope", strings.Join(t.Config.Scopes, " ")))
		if !server.Granted(a) {
			t.Skipf("the server refuses a request for more than the ID-JAG carries instead of granting less: %s", a.Summary())
		}
		if got := strings.Fields(a.String("scope")); len(got) == 0 || len(got) == len(t.Config.Scopes) {
			t.Failf("expected scope %q in the response, for %q was asked and the ID-JAG carries no more (RFC 6749 5.1), "+
				"but saw %s", first, strings.Join(t.Config.Scopes, " "), server.DescribeMember(a, "scope"))
		}
	}, check.With(server.NeedsTwoScopes), check.Sends("An ID-JAG with the first scope, in a request for all of them"))

	server.It("as-asked", "names the granted scope when it is what was asked", func(t *server.T) {
		scope := strings.Join(t.Config.Scopes, " ")
		a := t.Control(t.Grant(), server.Param("scope", scope))
		if a.String("scope") == "" {
			t.Failf("expected scope in the response, as ID-JAG draft-04 4.4.1 wants it always (RFC 6749 5.1 does not), "+
				"but saw %s", server.DescribeMember(a, "scope"))
		}
	}, check.Level("SHOULD", catalogue.ProfileEMA), check.By("ID-JAG draft-04 §4.4.1"), check.With(server.NeedsScope),
		check.Sends("An honest ID-JAG, in a request for the same scopes"))
})

var _ = check.For("RAS-RESP-NO-REFRESH", func() {
	answered("plain", "returns no refresh token", func(t *server.T, a *wire.Answer) { expectNoRefreshToken(t, a) })

	server.It("offline-access", "returns no refresh token for an ID-JAG with the scope offline_access", func(t *server.T) {
		t.Control(t.Grant())
		scopes := append(slices.Clone(t.Config.Scopes), "offline_access")
		expectNoRefreshToken(t, t.Attack(t.Grant(server.Set("scope", strings.Join(scopes, " ")))))
	}, check.Sends("An ID-JAG that carries offline_access among its scopes, after an honest one as control"),
		check.Expects("The target refuses the scope, or grants without a refresh token."))
})

func expectNoRefreshToken(t *server.T, a *wire.Answer) {
	if a.String("refresh_token") != "" {
		t.Failf("expected no refresh token (ID-JAG draft-04 4.4.3), but the response has one: access would outlive the " +
			"IdP's word. A client gets a new ID-JAG instead.")
	}
}

var _ = check.For("RAS-RESP-RESOURCE", func() {
	answered("named", "names the MCP server that the access token is for", func(t *server.T, a *wire.Answer) {
		object, err := a.Object()
		Expect(err).NotTo(HaveOccurred())
		switch resource := object["resource"]; {
		case resource == nil:
			t.Failf("expected resource in the response (ID-JAG draft-04 4.4.1): without it clients cannot tell what it is for")
		case resource != t.Resource() && !reflect.DeepEqual(resource, []any{t.Resource()}):
			t.Failf("expected resource to be %s, or an array of that alone, but saw %s", t.Resource(), server.Describe(resource))
		}
	})
})
