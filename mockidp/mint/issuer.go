package mint

import (
	"cmp"
	"crypto/rand"
	"strings"
	"time"
)

// Lifetime of an ID-JAG and of an ID token, as Okta has them.
const (
	IDJAGLifetime   = 5 * time.Minute
	IDTokenLifetime = time.Hour
)

// Issuer mints tokens in the name of one identity provider. It is safe for concurrent use as long as its fields are not
// changed.
type Issuer struct {
	URL  string // issuer identifier, as it stands in iss
	Keys *KeySet
	Now  func() time.Time // nil is time.Now
}

// Grant says what an ID-JAG grants. Empty members are left out of the token.
type Grant struct {
	Subject  string // sub: the user as the RAS knows them from single sign-on
	Email    string
	Audience string // issuer identifier of the RAS
	ClientID string // the client's id at the RAS
	Resource string // resource identifier of the MCP server
	Scope    string // space-separated
	Lifetime time.Duration
}

func (i *Issuer) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}

// IDJAG returns an honest Identity Assertion Authorization Grant, not yet signed (ID-JAG draft-04 section 3.1).
func (i *Issuer) IDJAG(g Grant) *Token {
	now := i.now()
	claims := map[string]any{
		"iss": i.URL, "sub": g.Subject, "aud": g.Audience, "client_id": g.ClientID, "jti": NewJTI(),
		"iat": now.Unix(), "exp": now.Add(cmp.Or(g.Lifetime, IDJAGLifetime)).Unix(),
	}
	for name, value := range map[string]string{"email": g.Email, "resource": g.Resource, "scope": g.Scope} {
		if value != "" {
			claims[name] = value
		}
	}
	return NewToken(i.Keys.Signing(), TypeIDJAG, claims)
}

const jtiPrefix = "IDAAG."

// NewJTI is a jti for an ID-JAG that was never used.
func NewJTI() string { return jtiPrefix + rand.Text() }

// OwnJTI reports whether a jti has the form of those that NewJTI makes.
func OwnJTI(jti string) bool {
	return strings.HasPrefix(jti, jtiPrefix) && len(jti) == len(jtiPrefix)+len(rand.Text())
}

// IDToken returns an honest ID token for the client that the user logged in to, not yet signed (OpenID Connect Core 2).
// Like Okta's it has no typ.
func (i *Issuer) IDToken(subject, clientID string) *Token {
	now := i.now()
	return NewToken(i.Keys.Signing(), "", map[string]any{
		"iss": i.URL, "sub": subject, "aud": clientID, "jti": "ID." + rand.Text(), "ver": 1, "amr": []string{"pwd"},
		"iat": now.Unix(), "auth_time": now.Unix(), "exp": now.Add(IDTokenLifetime).Unix(),
	})
}
