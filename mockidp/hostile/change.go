package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// FlipSignature returns the token with one bit of its signature changed.
func FlipSignature(compact string) string {
	header, payload, signature := split(compact)
	raw := must(base64.RawURLEncoding.DecodeString(signature))
	raw[len(raw)/2] ^= 1
	return header + "." + payload + "." + encode(raw)
}

// WithPayload returns the token with other claims under the signature that it has.
func WithPayload(compact string, claims map[string]any) string {
	header, _, signature := split(compact)
	return header + "." + encode(object(claims)) + "." + signature
}

// WithoutSignature returns the token with an empty signature: "header.payload.".
func WithoutSignature(compact string) string { return CutSignature(compact) + "." }

// CutSignature returns the token without its third part: "header.payload".
func CutSignature(compact string) string {
	header, payload, _ := split(compact)
	return header + "." + payload
}

// WithSignatureOf returns the token with the signature of another one.
func WithSignatureOf(compact, other string) string {
	_, _, signature := split(other)
	return CutSignature(compact) + "." + signature
}

func split(compact string) (header, payload, signature string) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		panic(fmt.Sprintf("hostile: a signed token in compact form has 3 parts, this one has %d", len(parts)))
	}
	return parts[0], parts[1], parts[2]
}

// Segments returns n short base64url segments with dots between them. A JWS has 3, a JWE 5.
func Segments(n int) string {
	return strings.TrimSuffix(strings.Repeat(encode([]byte("{}"))+".", n), ".")
}

// Nested returns a JSON object that holds an object that holds an object, depth of them.
func Nested(depth int) []byte {
	return []byte(strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1))
}
