package mockidp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Exchange is one request to an endpoint and its answer, without secrets: a JWT is there without its signature, any other
// credential as its length.
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
func (e Exchange) Tokens() map[string]DecodedToken {
	out := map[string]DecodedToken{}
	for name, values := range e.Request {
		for _, v := range values {
			if t, ok := Decode(v); ok {
				out[name] = t
			}
		}
	}
	for name, value := range e.Response {
		if s, ok := value.(string); ok {
			if t, ok := Decode(s); ok {
				out[name] = t
			}
		}
	}
	return out
}

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

// secretParameters are redacted wherever they come.
var secretParameters = []string{"client_secret", "code", "code_verifier", "refresh_token", "access_token", "id_token", "token",
	"subject_token", "actor_token", "client_assertion", "assertion", "id_token_hint", "password", "SAMLResponse", "sessionToken"}

func redactForm(form url.Values) map[string][]string {
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

func redactBody(body map[string]any) map[string]any {
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

// exchangeLog keeps the last exchanges.
type exchangeLog struct {
	mu   sync.Mutex
	ring []Exchange
	next int
}

const maxExchanges = 1000

func (l *exchangeLog) add(e Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < maxExchanges {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % maxExchanges
}

func (l *exchangeLog) list() []Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Exchange, 0, len(l.ring))
	out = append(out, l.ring[l.next:]...)
	return append(out, l.ring[:l.next]...)
}

func (l *exchangeLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next = nil, 0
}
