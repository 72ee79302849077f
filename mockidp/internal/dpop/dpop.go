// Package dpop checks DPoP proofs at a token endpoint (RFC 9449 section 4.3).
package dpop

import (
	"crypto"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Window is how far a proof's iat may be from now.
const Window = 5 * time.Minute

// Algorithms that proofs may be signed with.
var Algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.RS256, jose.PS256, jose.EdDSA}

type claims struct {
	Method string           `json:"htm"`
	URL    string           `json:"htu"`
	ID     string           `json:"jti"`
	Issued *jwt.NumericDate `json:"iat"`
}

// Verify checks the values of a request's DPoP headers, of which there must be exactly one, for a request of this
// method to this URL. seen remembers a proof's jti. It returns the thumbprint of the proof's key (RFC 7638), base64url.
func Verify(headers []string, method, target string, now time.Time,
	seen func(ends, now time.Time, parts ...string) (bool, error)) (jkt string, err error) {
	if len(headers) != 1 {
		return "", errors.New("expected one DPoP header")
	}
	token, err := jwt.ParseSigned(headers[0], Algorithms)
	if err != nil {
		return "", errors.New("the proof is no JWT signed with an asymmetric algorithm")
	}
	header := token.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); !strings.EqualFold(typ, "dpop+jwt") {
		return "", errors.New("the proof's typ is not dpop+jwt")
	}
	key := header.JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() {
		return "", errors.New("the proof's header has no public jwk")
	}
	var c claims
	if err := token.Claims(key.Key, &c); err != nil {
		return "", errors.New("the proof's signature is not by its jwk")
	}
	switch {
	case c.Method != method:
		return "", errors.New("htm is not the request's method")
	case !sameURL(c.URL, target):
		return "", errors.New("htu is not this endpoint")
	case c.Issued == nil || c.Issued.Time().Sub(now).Abs() > Window:
		return "", errors.New("iat is missing, or too far from now")
	case c.ID == "":
		return "", errors.New("jti is missing")
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", errors.New("the proof's key has no thumbprint")
	}
	jkt = base64.RawURLEncoding.EncodeToString(thumbprint)
	before, err := seen(c.Issued.Time().Add(Window), now, "dpop", jkt, c.ID)
	if err != nil {
		return "", err
	}
	if before {
		return "", errors.New("the proof has been used before")
	}
	return jkt, nil
}

// sameURL compares as RFC 9449 section 4.3 does: without query and fragment, scheme and host in any case.
func sameURL(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && strings.EqualFold(x.Scheme, y.Scheme) && strings.EqualFold(x.Host, y.Host) &&
		x.Path == y.Path
}
