// Package oauth has the words of OAuth's token endpoint: identifiers, requests and errors.
package oauth

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// Grant types (RFC 6749 section 4, RFC 8693 section 2.1, RFC 7523 section 2.1).
const (
	AuthorizationCode = "authorization_code"
	RefreshToken      = "refresh_token"
	TokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
	JWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// Token types (RFC 8693 section 3, ID-JAG draft-04 section 4.3).
const (
	TypeIDToken = "urn:ietf:params:oauth:token-type:id_token"
	TypeRefresh = "urn:ietf:params:oauth:token-type:refresh_token"
	TypeAccess  = "urn:ietf:params:oauth:token-type:access_token"
	TypeSAML2   = "urn:ietf:params:oauth:token-type:saml2"
	TypeJWT     = "urn:ietf:params:oauth:token-type:jwt"
	TypeIDJAG   = "urn:ietf:params:oauth:token-type:id-jag"
)

// ProfileIDJAG is the grant profile of ID-JAGs (ID-JAG draft-04 section 7.2).
const ProfileIDJAG = "urn:ietf:params:oauth:grant-profile:id-jag"

// AssertionType is the client_assertion_type of private_key_jwt (RFC 7523 section 2.2).
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Error is an OAuth error response (RFC 6749 section 5.2). ID is for the log alone.
type Error struct {
	Status      int
	Code        string
	Description string
	ID          string
	Extra       map[string]any
}

// Fail makes an error of status 400.
func Fail(code, id, description string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, ID: id, Description: description}
}

// Invalid is invalid_request.
func Invalid(description string) *Error {
	return Fail("invalid_request", "invalid_request", description)
}

// InvalidClient is a failed client authentication.
func InvalidClient(id, description string) *Error {
	return &Error{Status: http.StatusUnauthorized, Code: "invalid_client", ID: id, Description: description}
}

// Body returns the members of the error's JSON.
func (e *Error) Body() map[string]any {
	body := map[string]any{"error": e.Code, "error_description": e.Description}
	for k, v := range e.Extra {
		body[k] = v
	}
	return body
}

// MaxForm bounds the body of a form, in bytes: room for a SAML assertion, and none for mischief.
const MaxForm = 1 << 20

// maxParameters bounds the parameters of a form.
const maxParameters = 1000

// Form reads a urlencoded body. Parameters come once, but for those named; those in the query do not count
// (RFC 6749 section 3.2).
func Form(w http.ResponseWriter, r *http.Request, repeatable ...string) (url.Values, *Error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, Invalid("send parameters as application/x-www-form-urlencoded")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxForm))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", ID: "request_too_large",
			Description: "the request is larger than 1 MiB"}
	}
	if errors.Is(err, web.ErrBusy) {
		return nil, &Error{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", ID: "busy",
			Description: err.Error()}
	}
	if err != nil {
		return nil, Invalid("the body could not be read")
	}
	if bytes.Count(raw, []byte("&")) >= maxParameters {
		return nil, Invalid("the form has more parameters than anybody needs")
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, Invalid("the body is not urlencoded")
	}
	for name, values := range form {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return nil, Invalid("a parameter is given twice: " + Printable(name))
		}
	}
	return form, nil
}

// Scopes splits a scope parameter (RFC 6749 section 3.3).
func Scopes(s string) []string { return strings.Fields(s) }

// Printable makes text from outside fit for error_description: ASCII without quotes and backslashes, and not long
// (RFC 6749 section 5.2).
func Printable(s string) string {
	const limit = 60
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}
