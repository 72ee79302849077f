package server

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// TokenClaims is what can be seen of the access token in an answer: its claims when it is a JWT (RFC 9068), else what
// introspection tells the client about it (RFC 7662). It is nil when the token cannot be looked into.
func TokenClaims(t *T, a *wire.Answer) map[string]any {
	token := a.String("access_token")
	if claims := JWTClaims(token); claims != nil || token == "" {
		return claims
	}
	if t.Target.Endpoint("introspection_endpoint") == "" {
		return nil
	}
	seen, err := Introspect(t, token, reports.Setup).Object()
	if err != nil || seen["active"] != true {
		return nil
	}
	return seen
}

// Opaque reports whether the access token in an answer is no JWT: then what introspection leaves out proves nothing.
func Opaque(a *wire.Answer) bool { return JWTClaims(a.String("access_token")) == nil }

// JWTClaims are the claims of a JWT, unverified; nil when the token is none.
func JWTClaims(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	return claims
}

// AudienceOf is aud as a list: a string is a list of one.
func AudienceOf(claims map[string]any) []string {
	if aud, ok := claims["aud"].(string); ok {
		return []string{aud}
	}
	return Texts(claims["aud"])
}

// IntrospectionRequest asks about a token as this client or, when it is nil, as nobody (RFC 7662 2.1).
func IntrospectionRequest(t *T, token string, c *target.Client) *wire.Request {
	r := &wire.Request{URL: t.Target.Endpoint("introspection_endpoint")}
	r.AddField("token", token)
	t.Authenticate(r, c)
	return r
}

// Introspect is what the RAS tells the first client about a token.
func Introspect(t *T, token string, part reports.Part) *wire.Answer {
	return t.Send(IntrospectionRequest(t, token, t.Client(0)), part, "what does the RAS tell about the token?")
}

// RevocationRequest is a request to revoke a token, by this client or, when it is nil, by nobody (RFC 7009 2.1).
func RevocationRequest(t *T, token string, c *target.Client) *wire.Request {
	r := &wire.Request{URL: t.Target.Endpoint("revocation_endpoint")}
	r.AddField("token", token)
	r.AddField("token_type_hint", "access_token")
	t.Authenticate(r, c)
	return r
}

// MustRevoke revokes a token of the first client, for checks of what follows from that.
func MustRevoke(t *T, token string) {
	a := t.Send(RevocationRequest(t, token, t.Client(0)), reports.Setup, "revoke the access token")
	if a.Err != nil || a.Status != http.StatusOK {
		t.Inconclusivef("the client could not revoke its own token (%s): see RAS-REVOKE", a.Summary())
	}
}

// GrantedScope is every scope that an answer grants: what the response says and what the token holds, where some write
// scp. When the response says nothing and the token cannot be looked into, it is what was asked for (RFC 6749 5.1).
func GrantedScope(t *T, a *wire.Answer, asked string) []string {
	response, _ := a.Object()
	claims := TokenClaims(t, a)
	said, stated := response["scope"].(string)
	if !stated && claims == nil {
		return strings.Fields(asked)
	}
	held, _ := claims["scope"].(string)
	scp, _ := claims["scp"].(string)
	return append(strings.Fields(said+" "+held+" "+scp), Texts(claims["scp"])...)
}

// Details is the name of authorization details in requests, responses and tokens (RFC 9396).
const Details = "authorization_details"

// Detail reads an authorization detail of the configuration.
func Detail(t *T, configured string) map[string]any {
	var d map[string]any
	if err := json.Unmarshal([]byte(configured), &d); err != nil {
		t.Inconclusivef("rar: %v: expected one JSON object", err)
	}
	return d
}

// GrantedDetails is authorization_details of a token response, or of the token when the response has none.
func GrantedDetails(t *T, a *wire.Answer) any {
	if object, err := a.Object(); err == nil && object[Details] != nil {
		return object[Details]
	}
	return TokenClaims(t, a)[Details]
}
