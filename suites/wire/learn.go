package wire

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// The places where a token or a secret stands by definition: form fields and members of JSON.
var (
	tokenFields = map[string]string{"assertion": "id-jag", "client_assertion": "client assertion", "token": "access token",
		"access_token": "access token", "subject_token": "subject token", "id_token": "id token",
		"refresh_token": "refresh token", "id_token_hint": "id token"}
	answeredFields = map[string]string{"access_token": "access token", "id_token": "id token",
		"refresh_token":             "refresh token",
		"registration_access_token": "registration access token"}
	secretFields = map[string]string{"client_secret": "client secret", "code": "authorization code",
		"code_verifier": "code verifier", "password": "password"}
)

// learnRequest finds the tokens of a request by the places where they stand. It is called before the request is sent:
// the target may show it in the answer to another one.
func (r *Recorder) learnRequest(req *Request) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range req.Form {
		if kind, ok := tokenFields[f.Name]; ok {
			r.name(kind, f.Value)
		} else if kind, ok := secretFields[f.Name]; ok {
			r.secrets.Know(kind, f.Value)
		}
	}
	for _, v := range req.Header.Values("Authorization") {
		scheme, value, _ := strings.Cut(v, " ")
		switch strings.ToLower(scheme) {
		case "bearer", "dpop":
			r.name("access token", value)
		case "basic":
			r.learnBasic(value)
		}
	}
	for _, v := range req.Header.Values("Dpop") {
		r.name("dpop proof", v)
	}
	r.learnCookies(req.Header.Values("Cookie"))
	r.learnJWTs(req.URL, string(req.Body[:min(len(req.Body), searched)]))
}

// learnBasic takes Basic credentials for a secret, and the password in them for one of its own.
func (r *Recorder) learnBasic(value string) {
	r.secrets.Know("client id:client secret", value)
	if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
		if _, password, ok := strings.Cut(string(raw), ":"); ok {
			if plain, err := url.QueryUnescape(password); err == nil {
				r.secrets.Know("client secret", plain)
			}
		}
	}
}

// learnCookies takes the values of cookies that are long enough to be a session for secrets.
func (r *Recorder) learnCookies(headers []string) {
	const session = 16 // characters
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ";") {
			if _, value, _ := strings.Cut(part, "="); len(value) >= session && !strings.ContainsAny(value, " ,") {
				r.secrets.Know("cookie", value)
			}
		}
	}
}

// searched is how much of a body is searched for tokens that stand where none belongs, in bytes.
const searched = 32 << 10

// learnJWTs finds the tokens in texts by their form.
func (r *Recorder) learnJWTs(texts ...string) {
	for _, text := range texts {
		for _, token := range jwtPattern.FindAllString(text, 16) {
			r.name("jwt", token)
		}
	}
}

func (r *Recorder) learnAnswer(a *Answer) {
	for _, v := range a.Header.Values("Set-Cookie") {
		value, _, _ := strings.Cut(v, ";")
		r.learnCookies([]string{value})
	}
	r.learnLocation(a.Header.Get("Location"))
	object, err := a.Object()
	if err != nil {
		r.learnInputs(string(a.Body[:min(len(a.Body), searched)]))
		r.learnJWTs(string(a.Body[:min(len(a.Body), searched)]))
		return
	}
	if s, ok := object["access_token"].(string); ok &&
		object["issued_token_type"] == "urn:ietf:params:oauth:token-type:id-jag" {
		r.name("id-jag", s)
	}
	for member, kind := range answeredFields {
		if s, ok := object[member].(string); ok {
			r.name(kind, s)
		}
	}
	if s, ok := object["client_secret"].(string); ok {
		r.secrets.Know("client secret", s)
	}
	r.learnJWTs(string(a.Body[:min(len(a.Body), searched)]))
}

// learnLocation finds what an authorization response carries in a URL (RFC 6749 section 4.1.2, OpenID Connect Core
// 3.3.2.5).
func (r *Recorder) learnLocation(location string) {
	before, fragment, _ := strings.Cut(location, "#") // it need not be a URL
	_, query, _ := strings.Cut(before, "?")
	for _, part := range []string{query, fragment} {
		q, _ := url.ParseQuery(part) // what can be read of it
		for _, code := range q["code"] {
			r.secrets.Know("authorization code", code)
		}
		for _, name := range []string{"access_token", "id_token"} {
			if v := q.Get(name); v != "" {
				r.name(answeredFields[name], v)
			}
		}
	}
}

var (
	inputPattern = regexp.MustCompile(`(?i)<input\b[^>]*>`)
	namePattern  = regexp.MustCompile(`(?i)\bname\s*=\s*["']?(code|id_token|access_token|SAMLResponse)\b`)
	valuePattern = regexp.MustCompile(`(?i)\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))`)
)

// learnInputs finds what an authorization response carries in a form that posts itself (OAuth 2.0 Form Post Response
// Mode).
func (r *Recorder) learnInputs(page string) {
	for _, tag := range inputPattern.FindAllString(page, 64) {
		if name := namePattern.FindStringSubmatch(tag); name != nil {
			if v := valuePattern.FindStringSubmatch(tag); v != nil {
				r.secrets.Know("authorization response", v[1]+v[2]+v[3])
			}
		}
	}
}

// name gives a token a reference; the same token keeps its first one. Values too short to be a token stay as they are.
func (r *Recorder) name(kind, token string) {
	secret := r.secrets.Know(kind, token)
	if secret == nil || r.named[secret] != "" {
		return
	}
	r.counts[kind]++
	ref := fmt.Sprintf("%s %d", kind, r.counts[kind])
	r.named[secret] = ref
	decoded := Decode(token)
	decoded.Header, decoded.Claims = r.glance(decoded.Header), r.glance(decoded.Claims)
	decoded.Ref = ref
	r.tokens[ref] = decoded
}

var jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*`)

// ScrubJWTs hides everything that looks like a JWT.
func ScrubJWTs(s string) string { return jwtPattern.ReplaceAllString(s, "‹jwt›") }
