package mint

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// DecodedToken is the header and the claims of a JWT, its signature not looked at.
type DecodedToken struct {
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

// Decode reads a JWT in compact form without verifying it.
func Decode(compact string) (t DecodedToken, ok bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return t, false
	}
	return t, decodePart(parts[0], &t.Header) && decodePart(parts[1], &t.Claims)
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}
