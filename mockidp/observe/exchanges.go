// Package observe keeps what was seen: the requests to an identity provider with their answers, and the visitors of a
// canary. What was decided is in package audit.
package observe

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/mint"
)

// Exchange is one request to an endpoint and its answer, without secrets: a JWT is there without its signature, any
// other credential as its length.
type Exchange struct {
	ID       string              `json:"id"` // X-Okta-Request-Id of the response
	Time     time.Time           `json:"time"`
	Took     time.Duration       `json:"took_ns"`
	Endpoint string              `json:"endpoint"`
	Method   string              `json:"method"`
	Path     string              `json:"path"`
	Client   string              `json:"client,omitempty"` // authenticated
	Status   int                 `json:"status"`
	Error    string              `json:"error,omitempty"` // OAuth error code
	Fault    bool                `json:"fault,omitempty"` // the answer was a fault's
	Request  map[string][]string `json:"request,omitempty"`
	Response map[string]any      `json:"response,omitempty"`
}

// Tokens are the JWTs of the exchange, decoded, by parameter or member: for people to read.
func (e Exchange) Tokens() map[string]mint.DecodedToken {
	out := map[string]mint.DecodedToken{}
	for name, values := range e.Request {
		for _, v := range values {
			if t, ok := mint.Decode(v); ok {
				out[name] = t
			}
		}
	}
	for name, value := range e.Response {
		if s, ok := value.(string); ok {
			if t, ok := mint.Decode(s); ok {
				out[name] = t
			}
		}
	}
	return out
}

// secretParameters are redacted wherever they come.
var secretParameters = []string{"client_secret", "code", "code_verifier", "refresh_token", "access_token", "id_token",
	"token",
	"subject_token", "actor_token", "client_assertion", "assertion", "id_token_hint", "password", "SAMLResponse",
	"sessionToken"}

// RedactForm is a form without its secrets.
func RedactForm(form url.Values) map[string][]string {
	if form == nil {
		return nil
	}
	out := make(map[string][]string, len(form))
	for name, values := range form {
		if slices.Contains(secretParameters, name) {
			values = slices.Clone(values)
			for i, v := range values {
				values[i] = redact(v)
			}
		}
		out[name] = values
	}
	return out
}

// RedactBody is an answer without its secrets.
func RedactBody(body map[string]any) map[string]any {
	out := make(map[string]any, len(body))
	for name, value := range body {
		if s, ok := value.(string); ok && slices.Contains(secretParameters, name) {
			value = redact(s)
		}
		out[name] = value
	}
	return out
}

// redact cuts a JWT's signature off, and tells of anything else only how long it is.
func redact(s string) string {
	if last := strings.LastIndexByte(s, '.'); strings.Count(s, ".") == 2 && strings.HasPrefix(s, "eyJ") {
		return s[:last] + ".[signature]"
	}
	return fmt.Sprintf("[%d characters]", len(s))
}
