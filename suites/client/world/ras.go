package world

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
)

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}

// RAS is a Resource Authorization Server.
type RAS struct {
	*Party
	Issuer   string
	Metadata map[string]any // what it publishes, at its well-known locations
	// RequireAuth is the one client authentication method that is taken; "" takes any, and none.
	RequireAuth string
	// Machines lets the client get a token for itself, without a user (client_credentials).
	Machines bool
	// Lifetime is how long access tokens are good; 0 is an hour.
	Lifetime time.Duration

	redeemed map[string]bool // jti
	tokens   map[string]*grant
}

// grant is an access token.
type grant struct {
	server *Party // the MCP server that it is for
	scope  string
	gone   bool // revoked
	ends   time.Time
}

// good reports whether the token is good for this server. The world's lock is held.
func (g *grant) good(server *Party) bool {
	return g != nil && g.server == server && !g.gone && time.Now().Before(g.ends)
}

// location is the path of a well-known location (MCP, authorization server metadata discovery): "oauth", "oidc" (before
// the issuer's path) or "oidc-appended" (behind it).
func (r *RAS) location(name string) string {
	path := strings.TrimSuffix(strings.TrimPrefix(r.Issuer, r.URL), "/") // RFC 8414 3.1
	switch name {
	case "oauth":
		return "/.well-known/oauth-authorization-server" + path
	case "oidc":
		return "/.well-known/openid-configuration" + path
	default:
		return path + "/.well-known/openid-configuration"
	}
}

// PublishOnly leaves the metadata at this location alone.
func (r *RAS) PublishOnly(location string) {
	for _, other := range []string{"oauth", "oidc", "oidc-appended"} {
		r.Withdraw(r.location(other))
	}
	if location != "oauth" { // what OpenID Connect Discovery 3 requires besides
		r.Metadata["jwks_uri"] = r.world.IdP.URL + "/jwks"
		r.Metadata["subject_types_supported"] = []string{"public"}
		r.Metadata["id_token_signing_alg_values_supported"] = []string{"ES256"}
	}
	r.Publish(r.location(location), r.Metadata)
}

func (w *World) makeRAS(party *Party) *RAS {
	r := &RAS{Party: party, Issuer: party.URL, redeemed: map[string]bool{}, tokens: map[string]*grant{}}
	r.Metadata = map[string]any{
		"issuer":                                 r.Issuer,
		"authorization_endpoint":                 w.Consent.URL + "/authorize",
		"registration_endpoint":                  w.Consent.URL + "/register",
		"token_endpoint":                         r.URL + "/token",
		"response_types_supported":               []string{"code"},
		"grant_types_supported":                  []string{"authorization_code", GrantJWTBearer},
		"authorization_grant_profiles_supported": []string{ProfileIDJAG},
		"token_endpoint_auth_methods_supported":  []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":       []string{"S256"},
	}
	r.PublishOnly("oauth")
	if w.Published != "" {
		delete(r.Metadata, "registration_endpoint")
		r.Metadata["client_id_metadata_document_supported"] = true
		r.Metadata["token_endpoint_auth_methods_supported"] = []string{"none"}
	}
	if w.Unregistered {
		r.Metadata["registration_endpoint"] = r.URL + "/register"
		r.endpoints["/register"] = &Endpoint{Step: "client registration", honest: r.register}
	}
	r.endpoints["/token"] = &Endpoint{Step: "access token request", honest: r.token}
	return r
}

// Move gives the RAS an issuer identifier with this path, with its metadata at one location: see PublishOnly.
func (w *World) Move(path, location string) {
	r := w.RAS
	r.Withdraw(r.location("oauth"))
	r.Issuer = r.URL + path
	r.Metadata["issuer"] = r.Issuer
	w.MCP.Metadata["authorization_servers"] = []string{r.Issuer}
	r.PublishOnly(location)
}

// register gives every client that asks the same credentials (RFC 7591 3.2.1).
func (r *RAS) register(c *Call) *Reply {
	answer := map[string]any{}
	if json.Unmarshal(c.Body, &answer) != nil {
		return oauthError(http.StatusBadRequest, "invalid_client_metadata", "expected a JSON object")
	}
	answer["client_id"], answer["client_secret"], answer["client_secret_expires_at"] = ClientID, r.world.ClientSecret, 0
	return &Reply{Status: http.StatusCreated, JSON: answer}
}

// rasOf are the parties that an ID-JAG for this audience is for.
func (w *World) rasOf(audience string) []*Party {
	for _, r := range []*RAS{w.RAS, w.OtherRAS} {
		if r != nil && strings.TrimSuffix(r.Issuer, "/") == strings.TrimSuffix(audience, "/") {
			return []*Party{r.Party}
		}
	}
	return nil
}

// Credentials returns how a client authenticated to a token endpoint, and whether it did so with this secret.
func Credentials(c *Call, secret string) (method string, ok bool) {
	return CredentialsOf(c.Request.Header, c.Form, secret)
}

// CredentialsOf is Credentials for a request that was seen (RFC 6749 2.3.1).
func CredentialsOf(header http.Header, form url.Values, secret string) (method string, ok bool) {
	if _, escaped, basic := Basic(header); basic {
		given, err := url.QueryUnescape(escaped)
		return "client_secret_basic", err == nil && given == secret
	}
	if given := form.Get("client_secret"); given != "" {
		return "client_secret_post", given == secret
	}
	return "none", false
}

// Basic are the two parts of Basic credentials as they stand in the header, form-encoded if they are right (RFC 6749
// 2.3.1), and whether that is the scheme. Both are empty when the header cannot be decoded.
func Basic(header http.Header) (id, secret string, basic bool) {
	scheme, encoded, _ := strings.Cut(header.Get("Authorization"), " ")
	if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil {
		id, secret, _ = strings.Cut(string(raw), ":")
	}
	return id, secret, strings.EqualFold(scheme, "basic")
}

func (r *RAS) token(c *Call) *Reply {
	if r.Machines && c.Form.Get("grant_type") == "client_credentials" {
		return r.grant(r.serverOf(c.Form.Get("resource")), c.Form.Get("scope"))
	}
	if c.Form.Get("grant_type") != GrantJWTBearer {
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "expected "+GrantJWTBearer)
	}
	if method, ok := Credentials(c, r.world.ClientSecret); r.RequireAuth != "" && (!ok || method != r.RequireAuth) {
		return &Reply{Status: http.StatusUnauthorized, Header: map[string]string{"WWW-Authenticate": "Basic"},
			JSON: map[string]any{
				"error":             "invalid_client",
				"error_description": "this client authenticates by " + r.RequireAuth,
			}}
	}
	if p := r.world.Published; p != "" && c.Form.Get("client_id") != p {
		return oauthError(http.StatusUnauthorized, "invalid_client", "the only client here is "+p)
	}
	claims, err := r.check(c)
	if err != nil {
		return oauthError(http.StatusBadRequest, "invalid_grant", err.Error())
	}
	server := r.serverOf(claims.Resource)
	if server == nil {
		return oauthError(http.StatusBadRequest, "invalid_grant", "the resource is none of this authorization server's")
	}
	return r.grant(server, claims.Scope)
}

// grant is the answer with a new access token.
func (r *RAS) grant(server *Party, scope string) *Reply {
	token := r.world.issue(AccessToken, "access-"+rand.Text(), server)
	lifetime := cmp.Or(r.Lifetime, time.Hour)
	r.world.mu.Lock()
	r.tokens[token] = &grant{server: server, scope: scope, ends: time.Now().Add(lifetime)}
	r.world.mu.Unlock()
	answer := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime.Seconds())}
	if scope != "" {
		answer["scope"] = scope
	}
	return &Reply{JSON: answer}
}

// jagClaims are the claims of an ID-JAG that count here.
type jagClaims struct {
	jwt.Claims
	Resource string `json:"resource"`
	Scope    string `json:"scope"`
	CNF      struct {
		JKT string `json:"jkt"`
	} `json:"cnf"`
}

// check judges an ID-JAG (ID-JAG draft-04 4.4.1, EMA 5.1 and 7.4.2).
func (r *RAS) check(c *Call) (*jagClaims, error) {
	var claims jagClaims
	token, err := jwt.ParseSigned(c.Form.Get("assertion"), algorithms)
	if err != nil || token.Claims(r.world.IdP.Issuer.Keys.Signing().Public(), &claims) != nil {
		return nil, errors.New("the assertion is no JWT that the identity provider signed")
	}
	if typ, _ := token.Headers[0].ExtraHeaders[jose.HeaderType].(string); typ != mockidp.TypeIDJAG {
		return nil, fmt.Errorf("the assertion is no ID-JAG: its typ is not %s", mockidp.TypeIDJAG)
	}
	if len(claims.Audience) != 1 || strings.TrimSuffix(claims.Audience[0], "/") != strings.TrimSuffix(r.Issuer, "/") {
		return nil, errors.New("the assertion is for another authorization server")
	}
	if claims.Expiry == nil || claims.Expiry.Time().Before(time.Now()) {
		return nil, errors.New("the assertion has expired")
	}
	if jkt, _ := thumbprint(c, r.URL+"/token"); claims.CNF.JKT != "" && jkt != claims.CNF.JKT {
		return nil, errors.New("the assertion is bound to a key of which there is no proof")
	}
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if r.redeemed[claims.ID] {
		return nil, errors.New("the assertion was redeemed before")
	}
	r.redeemed[claims.ID] = true
	return &claims, nil
}

// serverOf is the MCP server of this RAS that a resource names; without a resource it is the only one.
func (r *RAS) serverOf(resource string) *Party {
	for _, s := range []*Server{r.world.MCP, r.world.OtherMCP} {
		if s == nil || s.RAS != r {
			continue
		}
		if resource == "" || resource == s.Resource || strings.TrimSuffix(resource, "/") == s.URL {
			return s.Party
		}
	}
	return nil
}

// Revoke makes every access token that was issued so far one that has expired.
func (w *World) Revoke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range []*RAS{w.RAS, w.OtherRAS} {
		if r != nil {
			for _, t := range r.tokens {
				t.gone = true
			}
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
