package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
)

// What a record keeps of one exchange, in bytes.
const (
	keptBody   = 4 << 10 // of a body, and of a form field
	keptHeader = 8 << 10 // of all headers together
	keptValue  = 2000    // of one header, in characters
)

// Recorder keeps the exchanges of one check, redacted as they come in: tokens are decoded and replaced by references,
// secrets by their names. It is safe for concurrent use.
type Recorder struct {
	secrets *redact.Set

	mu        sync.Mutex
	exchanges []*reports.Exchange
	named     map[*redact.Secret]string // reference of a token or name of a secret
	tokens    map[string]reports.Token
	counts    map[string]int
}

// NewRecorder makes a recorder that hides these secrets wherever they turn up, and adds to them what it sees. One set
// serves all recorders of a run: what one check was given may turn up in another. nil is a set of its own.
func NewRecorder(secrets *redact.Set) *Recorder {
	if secrets == nil {
		secrets = redact.New()
	}
	return &Recorder{
		secrets: secrets, named: map[*redact.Secret]string{}, tokens: map[string]reports.Token{}, counts: map[string]int{},
	}
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

// Observe records an exchange that somebody else had with a server of ours.
func (r *Recorder) Observe(req *Request, a *Answer, part reports.Part, note string, took time.Duration) {
	r.learnRequest(req)
	r.add(req, a, part, note, took)
}

// Borrow records an exchange that another recorder has recorded, as it stands there.
func (r *Recorder) Borrow(e reports.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, &e)
}

// Know makes the recorder recognise a token wherever it stands: it is decoded, and replaced by a reference such as
// "‹id-jag 1›".
func (r *Recorder) Know(kind, token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name(kind, token)
}

// Hide makes the recorder hide a secret under this name wherever it stands.
func (r *Recorder) Hide(value, name string) { r.secrets.Hide(name, value) }

// Scrub hides in s every token and secret of the run, in any encoding, and everything else that looks like a JWT.
func (r *Recorder) Scrub(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scrub(s)
}

func (r *Recorder) scrub(s string) string { return ScrubJWTs(r.secrets.Scrub(s, r.called)) }

// glance is scrub for what the report's own redaction looks at again.
func (r *Recorder) glance(s string) string { return ScrubJWTs(r.secrets.Glance(s, r.called)) }

// called is what stands for a secret.
func (r *Recorder) called(secret *redact.Secret) string {
	if name, ok := r.named[secret]; ok {
		return "‹" + name + "›"
	}
	return "‹" + secret.Kind + "›"
}

func (r *Recorder) add(req *Request, a *Answer, part reports.Part, note string, took time.Duration) *reports.Exchange {
	if r == nil {
		return &reports.Exchange{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()

	r.learnAnswer(a)
	e := &reports.Exchange{Part: part, Note: note, Seconds: took.Seconds()}
	e.Request = reports.Request{Method: req.Method, URL: r.kept(req.URL), Header: r.header(req.Header)}
	if e.Request.Method == "" {
		e.Request.Method = map[bool]string{true: http.MethodPost, false: http.MethodGet}[req.Form != nil || req.Body != nil]
	}
	for _, f := range req.Form {
		e.Request.Form = append(e.Request.Form, reports.Field{Name: r.kept(f.Name), Value: r.kept(f.Value)})
	}
	e.Request.Body, _ = r.body(req.Body)
	if a.Status != 0 {
		e.Response = &reports.Response{Status: a.Status, Header: r.header(a.Header)}
		e.Response.Body, e.Response.Cut = r.body(a.Body)
	}
	if a.Err != nil {
		e.Error = r.kept(a.Err.Error())
	}
	e.Tokens = r.mentioned(e)
	r.exchanges = append(r.exchanges, e)
	return e
}

// kept is a text of an exchange as it is recorded. A token that is longer than what is kept still has its reference.
func (r *Recorder) kept(s string) string {
	clean, cut := r.body([]byte(s))
	if cut {
		clean += fmt.Sprintf("… (%d bytes in all)", len(s))
	}
	return clean
}

// body is the beginning of a body as it is recorded, and whether there was more of it.
func (r *Recorder) body(b []byte) (string, bool) {
	const enough = 8 * keptBody // tokens in it become shorter
	s := r.glance(strings.ToValidUTF8(string(b[:min(len(b), enough)]), "�"))
	if len(s) <= keptBody {
		return s, len(b) > enough
	}
	return string(bytes.ToValidUTF8([]byte(s[:keptBody]), nil)), true
}

func (r *Recorder) header(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	clean, room, dropped := http.Header{}, keptHeader, 0
	for _, name := range names {
		for _, v := range h[name] {
			if name == "Set-Cookie" || name == "Cookie" {
				v, _, _ = strings.Cut(v, "=")
				v += "=‹cookie›"
			}
			if room < 0 {
				dropped++
				continue
			}
			v = Printable(r.glance(v[:min(len(v), 2*keptHeader)]), keptValue)
			shown := Printable(r.glance(name[:min(len(name), keptHeader)]), 200)
			if room -= len(v) + len(shown); room < 0 {
				dropped++
				continue
			}
			clean[shown] = append(clean[shown], v)
		}
	}
	if dropped > 0 {
		clean.Set("…", fmt.Sprintf("%d more are not kept", dropped))
	}
	return clean
}

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
