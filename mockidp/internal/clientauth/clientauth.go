// Package clientauth authenticates clients at the endpoints of an identity provider: client_secret_basic,
// client_secret_post, private_key_jwt, and public clients by their id.
package clientauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
)

// Seen remembers identifiers until ends; before says that they were there already.
type Seen func(ends, now time.Time, parts ...string) (before bool, err error)

// Verifier authenticates clients.
type Verifier struct {
	Seen      Seen
	Audiences []string // what a client assertion's aud may be
	Now       time.Time
}

// Algorithms that client assertions may be signed with.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.ES256, jose.ES384,
	jose.ES512, jose.EdDSA}

// Limits of a client assertion: Okta takes none that ends in more than an hour
// (https://developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/).
const (
	maxLifetime = time.Hour
	leeway      = 30 * time.Second
)

// credentials are what a request authenticates with.
type credentials struct {
	id, secret, assertion string
	basic                 bool
}

// Authenticate returns the client of a request. Its error is invalid_client, or invalid_request when there are two
// credentials (RFC 6749 section 2.3).
func (v *Verifier) Authenticate(r *http.Request, form url.Values,
	d *directory.Directory) (*directory.Client, *oauth.Error) {
	c, failed := read(r, form)
	if failed != nil {
		return nil, failed
	}
	if c.assertion != "" {
		return v.assertion(c, d)
	}
	client := d.Client(c.id)
	if client == nil {
		return nil, oauth.InvalidClient("invalid_client_id", "the client is not known")
	}
	if client.Auth == directory.Public && c.secret == "" && !c.basic {
		return client, nil
	}
	if !c.fits(client.Auth) {
		return nil, oauth.InvalidClient("client_auth_method_not_allowed", "the client is to authenticate by "+
			string(client.Auth))
	}
	if c.secret == "" {
		return nil, oauth.InvalidClient("missing_client_credentials", "the client has not authenticated")
	}
	if !equal(c.secret, client.Secret) {
		return nil, oauth.InvalidClient("invalid_client_secret", "the client secret is wrong")
	}
	return client, active(client)
}

func active(client *directory.Client) *oauth.Error {
	if !client.Status.OK() {
		return oauth.InvalidClient("client_inactive", "the client is not active")
	}
	return nil
}

func (c credentials) fits(method directory.AuthMethod) bool {
	switch method {
	case directory.Secret:
		return true
	case directory.SecretBasic:
		return c.basic || c.secret == ""
	case directory.SecretPost:
		return !c.basic
	}
	return false
}

func read(r *http.Request, form url.Values) (credentials, *oauth.Error) {
	c := credentials{id: form.Get("client_id"), secret: form.Get("client_secret"), assertion: form.Get("client_assertion")}
	several := &oauth.Error{Status: http.StatusUnauthorized, Code: "invalid_request", ID: "multiple_client_credentials",
		Description: "the client authenticates in two ways at once"}
	if c.secret != "" && c.assertion != "" {
		return c, several
	}
	if values := r.Header.Values("Authorization"); len(values) > 0 {
		id, secret, ok := r.BasicAuth()
		id, errID := url.QueryUnescape(id) // RFC 6749 section 2.3.1
		secret, errSecret := url.QueryUnescape(secret)
		switch {
		case !ok || len(values) > 1 || errID != nil || errSecret != nil:
			return c, oauth.InvalidClient("invalid_client_credentials", "the Authorization header is not Basic credentials")
		case c.secret != "" || c.assertion != "":
			return c, several
		case c.id != "" && c.id != id:
			return c, oauth.InvalidClient("client_id_mismatch", "client_id is not that of the Authorization header")
		}
		c.id, c.secret, c.basic = id, secret, true
	}
	if c.assertion != "" && form.Get("client_assertion_type") != oauth.AssertionType {
		return c, oauth.InvalidClient("client_assertion_type_invalid", "client_assertion_type is to be "+oauth.AssertionType)
	}
	if c.id == "" && c.assertion == "" {
		return c, oauth.InvalidClient("missing_client_credentials", "the client has not authenticated")
	}
	return c, nil
}

// assertion verifies private_key_jwt (RFC 7523 section 3): iss and sub name the client, aud is this endpoint, it ends
// soon, and its jti comes once.
func (v *Verifier) assertion(c credentials, d *directory.Directory) (*directory.Client, *oauth.Error) {
	refuse := func(id, description string) (*directory.Client, *oauth.Error) {
		return nil, oauth.InvalidClient("client_assertion_"+id, "client assertion: "+description)
	}
	token, err := jwt.ParseSigned(c.assertion, algorithms)
	if err != nil {
		return refuse("invalid", "expected a JWT signed with an asymmetric algorithm")
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return refuse("claims_invalid", "the claims are malformed")
	}
	if c.id != "" && c.id != claims.Subject {
		return refuse("sub_mismatch", "sub is not client_id")
	}
	client := d.Client(claims.Subject)
	if client == nil {
		return refuse("unknown_client", "the client is not known")
	}
	if client.Auth != directory.PrivateKeyJWT {
		return refuse("not_allowed", "the client is to authenticate by "+string(client.Auth))
	}
	if !verified(token, client.JWKS, &claims) {
		return refuse("signature_invalid", "the signature is not by a key of the client")
	}
	if id, description := v.claims(&claims); id != "" {
		return refuse(id, description)
	}
	if claims.ID != "" {
		before, err := v.Seen(claims.Expiry.Time().Add(leeway), v.Now, "client_assertion", client.ID, claims.ID)
		if err != nil {
			return refuse("not_remembered", "too many assertions at a time, try again later")
		}
		if before {
			return refuse("replayed", "the jti has been used before")
		}
	}
	return client, active(client)
}

// verified checks the signature with a key of the client, by kid when the header has one, and fills in the claims.
func verified(token *jwt.JSONWebToken, set *directory.JWKS, claims *jwt.Claims) bool {
	header := token.Headers[0]
	for _, k := range set.Keys {
		fits := (header.KeyID == "" || k.KeyID == header.KeyID) && k.Use != "enc" &&
			(k.Algorithm == "" || k.Algorithm == header.Algorithm)
		if fits && token.Claims(k.Key, claims) == nil {
			return true
		}
	}
	return false
}

func (v *Verifier) claims(c *jwt.Claims) (id, description string) {
	switch {
	case c.Issuer != c.Subject:
		return "iss_mismatch", "iss and sub are to be the client's id"
	case len(c.Audience) != 1 || !slices.Contains(v.Audiences, c.Audience[0]):
		return "aud_invalid", "aud is to be the URL of this endpoint"
	case c.Expiry == nil:
		return "exp_missing", "exp is missing"
	case v.Now.After(c.Expiry.Time().Add(leeway)):
		return "expired", "it has expired"
	case c.Expiry.Time().After(v.Now.Add(maxLifetime + leeway)):
		return "exp_too_far", "exp is more than an hour ahead"
	case c.IssuedAt != nil && c.IssuedAt.Time().After(v.Now.Add(leeway)):
		return "iat_in_future", "iat is in the future"
	case c.NotBefore != nil && c.NotBefore.Time().After(v.Now.Add(leeway)):
		return "nbf_in_future", "nbf is in the future"
	}
	return "", ""
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
