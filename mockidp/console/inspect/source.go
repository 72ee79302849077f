package inspect

import "strings"

// Source is the section of a specification, as in "RFC 8725 §3.11".
type Source string

// URL is where the document is, at the section where its address can say so.
func (s Source) URL() string {
	document, section, _ := strings.Cut(string(s), " §")
	switch {
	case strings.HasPrefix(document, "RFC "):
		return "https://www.rfc-editor.org/rfc/rfc" + document[len("RFC "):] + ".html#section-" + section
	case document == "ID-JAG draft-04":
		return "https://www.ietf.org/archive/id/draft-ietf-oauth-identity-assertion-authz-grant-04.html#section-" + section
	case document == "EMA":
		return "https://github.com/modelcontextprotocol/ext-auth/blob/main/specification/stable/" +
			"enterprise-managed-authorization.mdx"
	case document == "OpenID Connect Core":
		return "https://openid.net/specs/openid-connect-core-1_0.html"
	case document == "Okta":
		return "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/"
	}
	return ""
}
