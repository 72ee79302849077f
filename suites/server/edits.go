package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/emaconform/emaconform/suites/target"
)

// OtherCase is s in another case: upper if that differs, else lower.
func OtherCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// OtherSlash adds a slash at the end, or takes it away.
func OtherSlash(s string) string {
	if cut, ok := strings.CutSuffix(s, "/"); ok {
		return cut
	}
	return s + "/"
}

// A server that nobody here runs (RFC 2606).
const (
	OtherIssuer   = "https://as.other.example"
	OtherResource = "https://mcp.other.example/mcp"
)

// GrantFor is an honest ID-JAG for this client.
func GrantFor(t *T, c *target.Client) *Token {
	return t.Grant(Set("client_id", c.ID))
}

// NoEmail keeps an e-mail address from finding an account, where another identifier is under test.
var NoEmail = Remove("email")

// Ahead gives a claim the time that lies so far ahead.
func Ahead(claim string, d time.Duration) Edit {
	return func(j *Token) { j.Claims[claim] = IssuedAt(j).Add(d).Unix() }
}

// Quoted makes a string of a claim's number.
func Quoted(claim string) Edit {
	return func(j *Token) { j.Claims[claim] = fmt.Sprint(j.Claims[claim]) }
}
