package endpoint_test

import (
	"crypto/rand"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// An actor token is proof of the client, and makes an act claim; anything else is refused, not ignored.
func TestActorTokens(t *testing.T) {
	key, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	d := directory.Default().Clone()
	d.Clients[0].Auth, d.Clients[0].Secret = directory.PrivateKeyJWT, ""
	d.Clients[0].JWKS = &directory.JWKS{JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}
	d.Settings.Flavour = "okta-mcp" // whose ID-JAGs have no act of themselves
	idp := mockidp.New(t, mockidp.WithDirectory(d), mockidp.WithAlgorithm("RS256"))
	subject, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	assertion := func() string {
		now := time.Now().Unix()
		compact, err := mockidp.NewToken(key, "", map[string]any{"iss": agent, "sub": agent, "aud": idp.TokenURL(),
			"jti": rand.Text(), "iat": now, "exp": now + 60}).Sign()
		harness.Must(t, err)
		return compact
	}
	const jwt = "urn:ietf:params:oauth:token-type:jwt"
	with := func(token, kind string) []string { return []string{"actor_token", token, "actor_token_type", kind} }
	type parameters = func(own string) []string
	for name, c := range map[string]struct {
		actor  parameters
		act    any
		reason string
	}{
		"none":         {func(string) []string { return nil }, nil, ""},
		"the client":   {func(own string) []string { return with(own, jwt) }, map[string]any{"sub": agent}, ""},
		"without type": {func(own string) []string { return with(own, jwt)[:2] }, nil, "invalid_actor_token_type"},
		"type alone":   {func(own string) []string { return with(own, jwt)[2:] }, nil, "invalid_actor_token_type"},
		"another type": {func(own string) []string { return with(own, jwt+"x") }, nil, "invalid_actor_token_type"},
		"another JWT":  {func(string) []string { return with(assertion(), jwt) }, nil, "invalid_actor_token"},
		"the ID token": {func(string) []string { return with(subject, jwt) }, nil, "invalid_actor_token"},
		"no JWT":       {func(string) []string { return with("x", jwt) }, nil, "invalid_actor_token"},
	} {
		own := assertion()
		status, answer := idp.TokenRequest(agent, exchange(subject, append([]string{"client_assertion", own,
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, c.actor(own)...)...))
		entries := idp.Audit().Entries()
		if c.reason != "" {
			reason := entries[len(entries)-1].Reason
			if status != http.StatusBadRequest || answer["error"] != "invalid_request" || reason != c.reason {
				t.Errorf("%s: %d %v, %q", name, status, answer["error"], reason)
			}
			continue
		}
		if status != http.StatusOK {
			t.Errorf("%s: %d %v", name, status, answer["error"])
		} else if act := claimsOf(t, answer["access_token"])["act"]; !reflect.DeepEqual(act, c.act) {
			t.Errorf("%s: act %v", name, act)
		}
	}
}
