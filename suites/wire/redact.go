package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/emaconform/emaconform/reports"
)

const keptBody = 4 << 10 // bytes of a body that the record keeps

// Recorder keeps the exchanges of one check, redacted as they come in: tokens are decoded and replaced by references,
// secrets by their names. It is safe for concurrent use.
type Recorder struct {
	mu        sync.Mutex
	exchanges []*reports.Exchange
	named     map[string]string // secret or token → what stands in its place
	tokens    map[string]reports.Token
	counts    map[string]int
}

// NewRecorder makes a recorder that hides these secrets (value → name) wherever they turn up.
func NewRecorder(secrets map[string]string) *Recorder {
	r := &Recorder{named: map[string]string{}, tokens: map[string]reports.Token{}, counts: map[string]int{}}
	for value, name := range secrets {
		if value != "" {
			r.named[value] = "‹" + name + "›"
		}
	}
	return r
}

// Exchanges returns what was recorded so far, in order.
func (r *Recorder) Exchanges() []reports.Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]reports.Exchange, len(r.exchanges))
	for i, e := range r.exchanges {
		list[i] = *e
	}
	return list
}

// Len is the number of exchanges recorded.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.exchanges)
}

// The places where a token or a secret stands by definition.
var (
	tokenFields = map[string]string{"assertion": "id-jag", "client_assertion": "client assertion", "token": "access token",
		"access_token": "access token", "subject_token": "subject token", "id_token": "id token", "refresh_token": "refresh token"}
	secretFields = map[string]string{"client_secret": "client secret"}
)

func (r *Recorder) add(req *Request, a *Answer, part reports.Part, note string, took time.Duration) *reports.Exchange {
	if r == nil {
		return &reports.Exchange{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()

	r.learn(req, a)
	e := &reports.Exchange{Part: part, Note: note, Seconds: took.Seconds()}
	e.Request = reports.Request{Method: req.Method, URL: r.scrub(req.URL), Header: r.header(req.Header)}
	if e.Request.Method == "" {
		e.Request.Method = map[bool]string{true: http.MethodPost, false: http.MethodGet}[req.Form != nil || req.Body != nil]
	}
	for _, f := range req.Form {
		e.Request.Form = append(e.Request.Form, reports.Field{Name: f.Name, Value: r.field(f)})
	}
	e.Request.Body, _ = r.body(req.Body)
	if a.Status != 0 {
		e.Response = &reports.Response{Status: a.Status, Header: r.header(a.Header)}
		e.Response.Body, e.Response.Cut = r.body(a.Body)
	}
	if a.Err != nil {
		e.Error = r.scrub(a.Err.Error())
	}
	e.Tokens = r.mentioned(e)
	r.exchanges = append(r.exchanges, e)
	return e
}

// learn finds the tokens of an exchange by the places where they stand.
func (r *Recorder) learn(req *Request, a *Answer) {
	for _, f := range req.Form {
		if kind, ok := tokenFields[f.Name]; ok {
			r.name(kind, f.Value)
		}
		if name, ok := secretFields[f.Name]; ok && f.Value != "" {
			r.named[f.Value] = "‹" + name + "›"
		}
	}
	for _, v := range req.Header.Values("Authorization") {
		scheme, value, _ := strings.Cut(v, " ")
		switch strings.ToLower(scheme) {
		case "bearer", "dpop":
			r.name("access token", value)
		case "basic":
			r.named[value] = "‹client id:client secret›"
		}
	}
	for _, v := range req.Header.Values("Dpop") {
		r.name("dpop proof", v)
	}
	if object, err := a.Object(); err == nil {
		for member, kind := range tokenFields {
			if s, ok := object[member].(string); ok {
				r.name(kind, s)
			}
		}
	}
}

// name gives a token a reference; the same token keeps its first one. Values too short to be a token stay as they are.
func (r *Recorder) name(kind, token string) {
	if len(token) < 8 {
		return
	}
	if _, known := r.named[token]; known {
		return
	}
	r.counts[kind]++
	ref := fmt.Sprintf("%s %d", kind, r.counts[kind])
	r.named[token] = "‹" + ref + "›"
	decoded := Decode(token)
	decoded.Ref = ref
	r.tokens[ref] = decoded
}

func (r *Recorder) field(f reports.Field) string {
	if _, secret := secretFields[f.Name]; secret && f.Value == "" {
		return ""
	}
	return r.scrub(f.Value)
}

func (r *Recorder) header(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	clean := http.Header{}
	for name, values := range h {
		for _, v := range values {
			if name == "Set-Cookie" || name == "Cookie" {
				v, _, _ = strings.Cut(v, "=")
				v += "=‹cookie›"
			}
			clean.Add(name, Printable(r.scrub(v), 2000))
		}
	}
	return clean
}

func (r *Recorder) body(b []byte) (string, bool) {
	if len(b) == 0 {
		return "", false
	}
	s := r.scrub(strings.ToValidUTF8(string(b), "�"))
	if len(s) <= keptBody {
		return s, false
	}
	cut := keptBody
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut], true
}

// Scrub hides in s every token and secret that the recorder knows, and everything else that looks like a JWT.
func (r *Recorder) Scrub(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scrub(s)
}

func (r *Recorder) scrub(s string) string {
	known := make([]string, 0, len(r.named))
	for v := range r.named {
		known = append(known, v)
	}
	sort.Slice(known, func(i, j int) bool { return len(known[i]) > len(known[j]) })
	for _, v := range known {
		s = strings.ReplaceAll(s, v, r.named[v])
		if escaped := url.QueryEscape(v); escaped != v {
			s = strings.ReplaceAll(s, escaped, r.named[v])
		}
	}
	return ScrubJWTs(s)
}

var jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*`)

// ScrubJWTs hides everything that looks like a JWT.
func ScrubJWTs(s string) string { return jwtPattern.ReplaceAllString(s, "‹jwt›") }

// mentioned lists the tokens that an exchange refers to.
func (r *Recorder) mentioned(e *reports.Exchange) []reports.Token {
	text, err := json.Marshal(e)
	if err != nil {
		return nil
	}
	var list []reports.Token
	for ref, token := range r.tokens {
		if bytes.Contains(text, []byte("‹"+ref+"›")) {
			list = append(list, token)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Ref < list[j].Ref })
	return list
}

// Decode shows a token without its signature. What cannot be decoded is described, never quoted in full.
func Decode(token string) reports.Token {
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return reports.Token{Note: fmt.Sprintf("opaque, %d characters", len(token))}
	}
	t := reports.Token{Header: decodePart(parts[0])}
	if len(parts) == 5 {
		t.Note = "encrypted (JWE)"
		return t
	}
	t.Claims = decodePart(parts[1])
	switch {
	case len(parts) == 2:
		t.Note = "no signature part"
	case len(parts) > 3:
		t.Note = fmt.Sprintf("%d parts", len(parts))
	case parts[2] == "":
		t.Note = "empty signature"
	default:
		t.Note = fmt.Sprintf("signature cut, %d characters", len(parts[2]))
	}
	return t
}

func decodePart(part string) string {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Sprintf("not base64url, %d characters", len(part))
	}
	if len(raw) > keptBody {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(string(raw[:200]), "�"), len(raw))
	}
	var indented bytes.Buffer
	if json.Indent(&indented, raw, "", "  ") != nil {
		return strings.ToValidUTF8(string(raw), "�")
	}
	return strings.ToValidUTF8(indented.String(), "�")
}
