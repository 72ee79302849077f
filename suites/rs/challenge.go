package rs

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var malformed = []struct {
	slug, what string
	header     func(token string) string
}{
	{"empty-bearer", "the word Bearer alone", func(string) string { return "Bearer" }},
	{"no-scheme", "the token but no scheme", func(token string) string { return token }},
	{"basic", "the token as Basic credentials", func(token string) string { return server.Basic("token", token) }},
	{"other-scheme", "the token under another scheme", func(token string) string { return "Token " + token }},
}

var _ = check.For("RS-401", func() {
	server.It("no-token", "answers 401 with a Bearer challenge when there is no token", server.InEach(func(t *server.T) {
		mustLetIn(t)
		a := t.Break(t.Knock(""))
		Expect(a).To(server.BeUnauthorized())
		mustChallenge(t, a)
	}), check.Open(), check.Sends("A request with a token as control, then the same without the Authorization header"))

	server.It("no-token-session", "answers 401 to an initialize without a token", func(t *server.T) {
		if !t.Look {
			t.Open(t.AccessToken())
		}
		a := t.Break(t.Initialize(t.Config.URL, ""))
		Expect(a).To(server.BeUnauthorized())
		mustChallenge(t, a)
	}, check.Open(), check.Sends("An initialize (2025-11-25) with a token as control, then one without"))

	server.It("no-token-error", "leaves error out of the challenge when no "+
		"token was sent", server.InEach(func(t *server.T) {
		a := t.Break(t.Knock(""))
		if code := mustChallenge(t, a)["error"]; code != "" {
			t.Failf(
				"expected no error code, for the request carried no authentication at all (RFC 6750 3.1), but saw %q",
				wire.Printable(code, 40),
			)
		}
	}), check.Open(), check.Should(), check.Sends("A request without the Authorization header"))

	server.It("bad-token", "answers 401 with a Bearer challenge to a token that "+
		"nobody issued", server.InEach(func(t *server.T) {
		mustLetIn(t)
		a := t.Break(t.Knock(rand.Text()))
		Expect(a).To(server.BeUnauthorized())
		mustChallenge(t, a)
	}), check.Open(), check.Sends("A request with a random token, after one with a good token as control"))

	server.It("bad-token-error", "says invalid_token when the token is bad", server.InEach(func(t *server.T) {
		expectParam(t, mustChallenge(t, t.Break(t.Knock(rand.Text()))), "error", "invalid_token",
			"clients tell by it that a new token may help (RFC 6750 3.1)")
	}), check.Open(), check.Should(), check.Sends("A request with a random token"))

	for _, m := range malformed {
		server.It(m.slug, "refuses an Authorization header with "+m.what, server.InEach(func(t *server.T) {
			token := t.AccessToken()
			t.Use(token)
			r := t.Knock("")
			r.Header.Set("Authorization", m.header(token))
			Expect(t.Break(r)).To(server.BeStatus(http.StatusUnauthorized, http.StatusBadRequest))
		}), check.Sends("A request with an Authorization header that has "+m.what+", after a good one as control"))
	}

	server.It(
		"resource-metadata",
		"names its metadata in the challenge when that is not at a well-known location",
		func(t *server.T) {
			if pointedTo(t, t.Config.URL) == nil && wellKnown(t, t.Config.URL) == nil {
				t.Failf(
					"the challenge has no resource_metadata, and no well-known location has the metadata either: clients cannot " +
						"find the authorization server",
				)
			}
		},
		check.Open(), check.Sends("A request without a token, then a GET request for what the challenge names"),
	)

	server.It("resource-metadata-always", "names its metadata in the challenge", server.InEach(func(t *server.T) {
		expectParam(t, mustChallenge(t, t.Break(t.Knock(""))), "resource_metadata", "",
			"with it clients need not guess (RFC 9728 5.1)")
	}), check.Open(), check.Should(), check.Sends("A request without a token"))
})

// mustLetIn lets an honest request in as the control, where there is a token for one.
func mustLetIn(t *server.T) {
	if !t.Look {
		t.Use(t.AccessToken())
	}
}

var scopeSyntax = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$`)

var _ = check.For("RS-401-SCOPE", func() {
	server.It("named", "names the scopes that are needed in its challenge", server.InEach(func(t *server.T) {
		a := t.Send(t.Knock(""), reports.Attack, "no token: which scopes does the challenge name?")
		scope := mustChallenge(t, a)["scope"]
		if scope == "" {
			t.Failf(
				"expected a scope parameter in the challenge: clients ask for what it names, and for everything without it " +
					"(MCP 2026-07-28, Scope Selection Strategy)",
			)
		}
		if !scopeSyntax.MatchString(scope) {
			t.Failf("scope %q is no list of scope tokens separated by one space (RFC 6749 3.3)", wire.Printable(scope, 80))
		}
	}), check.Open(), check.With(server.NeedsScope), check.Sends("A request without a token"))
})

var _ = check.For("RS-NO-OFFLINE-ACCESS", func() {
	server.It("challenge", "does not ask for offline_access in its challenge", server.InEach(func(t *server.T) {
		a := t.Send(t.Knock(""), reports.Attack, "no token: which scopes does the challenge name?")
		expectOnline(t, "the challenge", strings.Fields(mustChallenge(t, a)["scope"]))
	}), check.Open(), check.Sends("A request without a token"))

	server.It("metadata", "does not list offline_access in its metadata", func(t *server.T) {
		expectOnline(t, "scopes_supported", server.Texts(metadata(t).members["scopes_supported"]))
	}, check.Open(), check.Sends("A GET request for the metadata"))
})

func expectOnline(t *server.T, place string, scopes []string) {
	if slices.Contains(scopes, "offline_access") {
		t.Failf("%s names offline_access: whether a client gets a refresh token is not the MCP server's business "+
			"(MCP 2026-07-28, Refresh Tokens)", place)
	}
}
