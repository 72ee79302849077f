package world

import (
	"crypto"
	"encoding/base64"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// thumbprint is that of the key in a request's DPoP proof (RFC 9449 4.3); ok is false without a good proof for this
// URL.
func thumbprint(c *Call, url string) (jkt string, ok bool) {
	token, err := jwt.ParseSigned(c.Request.Header.Get("DPoP"), algorithms)
	if err != nil {
		return "", false
	}
	key := token.Headers[0].JSONWebKey
	typ, _ := token.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	if key == nil || !key.IsPublic() || typ != "dpop+jwt" {
		return "", false
	}
	var claims struct {
		HTM string `json:"htm"`
		HTU string `json:"htu"`
		JTI string `json:"jti"`
	}
	if token.Claims(key, &claims) != nil || claims.HTM != "POST" || claims.HTU != url || claims.JTI == "" {
		return "", false
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(sum), true
}
