package scenario

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/client/world"
)

// Decoy makes the attacker an authorization server with metadata of its own.
func Decoy(w *world.World) map[string]any {
	metadata := map[string]any{
		"issuer":         w.Attacker.URL,
		"token_endpoint": w.Attacker.URL + "/token", "authorization_endpoint": w.Attacker.URL + "/authorize",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{world.GrantJWTBearer},
		"authorization_grant_profiles_supported": []string{world.ProfileIDJAG},
		"token_endpoint_auth_methods_supported":  []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":       []string{"S256"},
	}
	w.Attacker.Publish("/.well-known/oauth-authorization-server", metadata)
	return metadata
}

// DecoyResource is metadata of the MCP server that names the attacker as authorization server.
func DecoyResource(w *world.World, resource string) map[string]any {
	Decoy(w)
	return map[string]any{"resource": resource, "authorization_servers": []string{w.Attacker.URL}}
}

// Enough is the number of attempts beyond which a client counts as going on for ever.
const Enough = 10

// ExpireOnce lets every token expire when the client first works with the tools, and then calls also.
func ExpireOnce(w *world.World, also func()) func(*world.Call, world.Message) *world.Reply {
	var once sync.Once
	return func(_ *world.Call, m world.Message) (reply *world.Reply) {
		if strings.HasPrefix(m.Method, "tools/") {
			once.Do(func() {
				w.Revoke()
				also()
				reply = w.MCP.Challenge(http.StatusUnauthorized, "invalid_token", "notes.read")
			})
		}
		return reply
	}
}

// Expire lets an ID token end an hour ago.
func Expire(t *mockidp.Token) {
	past := time.Now().Add(-time.Hour).Unix()
	t.Claims["exp"], t.Claims["iat"] = past, past-3600
}

// Succeeds is the body of a check that wants the client to get through.
func Succeeds(why string) func(*T) {
	return func(t *T) { t.MustSucceed(why) }
}
