package rs

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// challenge is the Bearer challenge of an answer, with its parameters (RFC 6750 3); ok is false when there is none.
func challenge(a *wire.Answer) (params map[string]string, ok bool) {
	all, err := oauthex.ParseWWWAuthenticate(a.Header.Values("WWW-Authenticate"))
	if err != nil {
		return nil, false
	}
	for _, c := range all {
		if strings.EqualFold(c.Scheme, "bearer") {
			return c.Params, true
		}
	}
	return nil, false
}

// mustChallenge is challenge for a check that cannot go on without one.
func mustChallenge(t *server.T, a *wire.Answer) map[string]string {
	params, ok := challenge(a)
	if !ok {
		t.Failf("expected a WWW-Authenticate header with a well-formed Bearer challenge beside HTTP %d, but saw %s",
			a.Status, seen(a))
	}
	return params
}

// expectParam fails unless a challenge has this parameter, with this value unless it is "". Why says what it is for.
func expectParam(t *server.T, challenge map[string]string, name, value, why string) {
	got, present := challenge[name]
	if present && (value == "" || got == value) {
		return
	}
	wanted, saw := name, "no such parameter"
	if value != "" {
		wanted += "=" + value
	}
	if present {
		saw = wire.Printable(got, 80)
	}
	t.Failf("expected %s in the challenge, but saw %s: %s", wanted, saw, why)
}

func seen(a *wire.Answer) string {
	if v := a.Header.Values("WWW-Authenticate"); len(v) > 0 {
		return wire.Printable(strings.Join(v, ", "), 200)
	}
	return "no such header"
}

// copyOf decodes a JWT access token to a token that can be changed and signed with another key; opaque tokens end the
// check, since there is nothing in them to change.
func copyOf(t *server.T, compact string, key *mockidp.Key) *server.Token {
	parts := strings.Split(compact, ".")
	token := &server.Token{Key: key}
	if len(parts) != 3 || !decode(parts[0], &token.Header) || !decode(parts[1], &token.Claims) {
		t.Skipf("the RAS issues opaque access tokens: there are no claims to forge")
	}
	return token
}

func decode(part string, into *map[string]any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil && *into != nil
}

// secure reports whether a URL may be used with tokens: https, or http on this machine.
func secure(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && target.Loopback(rawURL)
}
