package inspect

import (
	"strings"

	"github.com/emaconform/emaconform/mockidp"
)

// kind says what the token looks like. It is what the token says of itself: nothing is verified here.
func (t *token) kind() (name, about string) {
	switch mediaType(t.header.text("typ")) {
	case mockidp.TypeIDJAG:
		return "ID-JAG", "An Identity Assertion Authorization Grant: the client presents it to the RAS named in aud, as " +
			"assertion of the jwt-bearer grant, and gets an access token for the MCP server named in resource."
	case "at+jwt":
		return "Access token", "For a resource server alone (RFC 9068). As a grant it is to be refused."
	case "dpop+jwt":
		return "DPoP proof", "Shows that its sender has a key (RFC 9449). As a grant it is to be refused."
	case "logout+jwt":
		return "Logout token", "Tells a client that a session has ended. As a grant it is to be refused."
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, found := t.claims.get(n); found {
				return true
			}
		}
		return false
	}
	switch {
	case has("scp", "cid"):
		return "Access token", "The layout of Okta's custom authorization servers: for the API named in aud. As a grant " +
			"it is to be refused."
	case has("nonce", "at_hash", "amr", "auth_time", "preferred_username", "email"):
		return "ID token", "Tells the client named in aud who has signed in. The client exchanges it at the token " +
			"endpoint for an ID-JAG, as subject token. At a RAS it is to be refused."
	case t.claims.text("iss") != "" && t.claims.text("iss") == t.claims.text("sub"):
		return "Client assertion", "A client authenticates with it (RFC 7523 section 2.2). As a grant it is to be refused."
	}
	return "JWT of no known kind", "Neither its typ nor its claims say what it is for. As a grant it is to be refused."
}

// mediaType is a typ as it is to be compared: without the prefix that may be left out, in lower case (RFC 7515 section
// 4.1.9).
func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}
