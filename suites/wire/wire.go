// Package wire sends single HTTP requests to a target that may be broken or hostile, within bounds, and records every
// exchange redacted.
//
// Nothing is followed, retried or cached behind the caller's back: a redirect is an answer like any other, so that
// credentials never travel to a host that the caller did not name.
package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emaconform/emaconform/reports"
)

// Bounds of a single exchange; the zero value of each means the default.
type Bounds struct {
	Body    int64         // bytes of a response body that are read; default 1 MiB
	Header  int64         // bytes of response headers; default 64 KiB
	Timeout time.Duration // for the whole exchange, body included; default 10 s
	// RetryAfter is the most that is waited, in one exchange, because the target asks for it; default 20 s.
	RetryAfter time.Duration
}

func (b Bounds) withDefaults() Bounds {
	if b.Body == 0 {
		b.Body = 1 << 20
	}
	if b.Header == 0 {
		b.Header = 64 << 10
	}
	if b.Timeout == 0 {
		b.Timeout = 10 * time.Second
	}
	if b.RetryAfter == 0 {
		b.RetryAfter = 20 * time.Second
	}
	return b
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	// not an http.Client: what that says of a Location that is no URL has the authorization code in it
	http    *http.Transport
	bounds  Bounds
	paces   paces
	waiting time.Duration // most that is spent on obeying Retry-After, per exchange
	hosts   *Hosts        // nil: any
	agent   string        // User-Agent
	shown   sync.Map      // of *http.Transport by the certificate that they show
}

// Agent is what a client calls itself unless it is told otherwise.
const Agent = "emaconform"

// NewClient makes a client. roots are the certificate authorities to trust; nil means the system's.
func NewClient(bounds Bounds, roots *x509.CertPool) *Client {
	bounds = bounds.withDefaults()
	c := &Client{agent: Agent, bounds: bounds, waiting: bounds.RetryAfter}
	dialer := &net.Dialer{Timeout: bounds.Timeout, Control: func(network, address string, raw syscall.RawConn) error {
		if viaProxy() {
			return nil
		}
		return c.hosts.control(network, address, raw)
	}}
	c.http = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: bounds.Header,
		MaxIdleConnsPerHost:    32,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
	}
	return c
}

// Only makes the client keep to these hosts. It is to be called before the first request.
func (c *Client) Only(hosts *Hosts) { c.hosts = hosts }

// Hosts are those that the client keeps to; nil: any.
func (c *Client) Hosts() *Hosts { return c.hosts }

// As makes the client call itself this (User-Agent); "" changes nothing. It is to be called before the first request.
func (c *Client) As(agent string) {
	if agent != "" {
		c.agent = agent
	}
}

// AtMost bounds how many requests a host gets at a time; the default is 64. It is to be called before the first
// request.
func (c *Client) AtMost(n int) { c.paces.most = n }

// Close gives up idle connections.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.shown.Range(func(_, shows any) bool { shows.(*http.Transport).CloseIdleConnections(); return true })
}

// showing is the transport whose connections show this certificate.
func (c *Client) showing(certificate *tls.Certificate) *http.Transport {
	if certificate == nil {
		return c.http
	}
	leaf := string(certificate.Certificate[0])
	if known, ok := c.shown.Load(leaf); ok {
		return known.(*http.Transport)
	}
	transport := c.http.Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{*certificate}
	known, _ := c.shown.LoadOrStore(leaf, transport)
	return known.(*http.Transport)
}

// Request is a request to send. Form and Body exclude each other.
type Request struct {
	Method string // default: POST with a Form or Body, else GET
	URL    string
	Header http.Header
	Form   []reports.Field // sent urlencoded, in this order, duplicates kept
	Body   []byte
	// Impatient takes a 429 for the answer that it is, where it is what a check wants to see.
	Impatient bool
	// Rush sends the request at once, whatever the host's pace: one of many that are to arrive at the same instant.
	Rush bool
	// Patience is how long the exchange may take; 0: Bounds.Timeout. What our own crowd needs is added to either.
	Patience time.Duration
	// Certificate is that of a TLS client (RFC 8705), with its private key; nil: none is shown.
	Certificate *tls.Certificate
}

// SetField replaces every field of this name by one, or adds it.
func (r *Request) SetField(name, value string) {
	r.DropField(name)
	r.AddField(name, value)
}

// AddField adds a field, even when one of this name is there already.
func (r *Request) AddField(name, value string) {
	r.Form = append(r.Form, reports.Field{Name: name, Value: value})
}

// DropField removes every field of this name.
func (r *Request) DropField(name string) {
	kept := r.Form[:0:0]
	for _, f := range r.Form {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	r.Form = kept
}

// Field returns the first field of this name, or "".
func (r *Request) Field(name string) string {
	for _, f := range r.Form {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func (r *Request) encodedForm() string {
	var b strings.Builder
	for i, f := range r.Form {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.Name) + "=" + url.QueryEscape(f.Value))
	}
	return b.String()
}

func (r *Request) build(ctx context.Context, agent string) (*http.Request, error) {
	body, method := r.Body, r.Method
	if r.Form != nil {
		body = []byte(r.encodedForm())
	}
	if method == "" {
		method = http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if host := req.Header.Get("Host"); host != "" { // net/http sends this one from elsewhere
		req.Host = host
	}
	if r.Form != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", agent)
	}
	return req, nil
}

// Answer is what came back. Err is set when there was no complete answer: connection, time or size.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most Bounds.Body bytes
	Err    error
	// Handshake says that there was no TLS connection, for the target does not take our certificate: Err is set, too.
	Handshake bool
	Took      time.Duration // from sending to the last byte, without the wait for a turn

	// Exchange is the record of this exchange, already in the recorder.
	Exchange *reports.Exchange
}

// ErrTooLarge means that a body went on after Bounds.Body bytes.
var ErrTooLarge = errors.New("the body is larger than we read")

// Do sends one request when the host's pace allows it, and records the exchange in rec (nil: nowhere). A 429 is not an
// answer to judge by: Do waits as Retry-After asks, a bounded time in all, and asks again.
func (c *Client) Do(ctx context.Context, r *Request, rec *Recorder, part reports.Part, note string) *Answer {
	rec.learnRequest(r)
	if carriesSecrets(r) {
		if err := c.hosts.Trusts(r.URL); err != nil {
			return &Answer{Err: err, Exchange: rec.add(r, &Answer{Err: err}, part, note, 0)}
		}
	}
	pace, path := c.paces.of(r.URL)
	var waited time.Duration
	for {
		if err := pace.enter(ctx, r.Rush); err != nil {
			return &Answer{Err: err, Exchange: rec.add(r, &Answer{Err: err}, part, note, 0)}
		}
		started := time.Now()
		answer := c.once(ctx, r, pace.crowd(path))
		answer.Took = time.Since(started)
		pace.leave(path, answer, answer.Took)
		wait, again := retryAfter(answer)
		if again && !r.Impatient && wait <= c.waiting-waited {
			waited += wait
			resume := Pause(ctx)
			select {
			case <-time.After(wait):
				resume()
				continue
			case <-ctx.Done():
				resume()
			}
		}
		recorded := answer
		if !c.hosts.named(r.URL) {
			recorded = elsewhere(answer)
		}
		answer.Exchange = rec.add(r, recorded, part, note, answer.Took)
		return answer
	}
}

// once sends the request. crowd is what the requests need that the host got from us at the same time: a host that takes
// them one after the other is not silent.
func (c *Client) once(ctx context.Context, r *Request, crowd time.Duration) *Answer {
	limit := cmp.Or(r.Patience, c.bounds.Timeout) + crowd
	ctx, cancel := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("no complete answer within %s", limit.Round(100*time.Millisecond)))
	defer cancel()
	fail := func(a *Answer, err error) *Answer {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		a.Err = cleanError(err)
		return a
	}
	req, err := r.build(ctx, c.agent)
	if err != nil {
		return fail(&Answer{}, err)
	}
	resp, err := c.showing(r.Certificate).RoundTrip(req)
	if err != nil {
		var alert *net.OpError
		refused := r.Certificate != nil && errors.As(err, &alert) && alert.Op == "remote error" // an alert of TLS
		return fail(&Answer{Handshake: refused}, err)
	}
	defer resp.Body.Close()
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if isEventStream(resp.Header) {
		answer.Body, err = readEvent(resp.Body, c.bounds.Body)
	} else {
		answer.Body, err = io.ReadAll(io.LimitReader(resp.Body, c.bounds.Body+1))
	}
	if int64(len(answer.Body)) > c.bounds.Body {
		answer.Body, err = answer.Body[:c.bounds.Body], ErrTooLarge
	}
	if err != nil {
		return fail(answer, err)
	}
	return answer
}

// cleanError drops the URL that net/http puts into its errors: it may hold a token.
func cleanError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func retryAfter(a *Answer) (time.Duration, bool) {
	if a.Err != nil || a.Status != http.StatusTooManyRequests {
		return 0, false
	}
	const longest = 24 * 60 * 60 // far beyond any patience, and far from overflowing
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if errors.Is(err, strconv.ErrRange) {
		seconds = longest
	}
	return time.Duration(min(max(seconds, 1), longest)) * time.Second, true
}

// Doubt says why the answer is none that the target can be judged by, or "": there was no complete one, a gateway
// answered in the target's place, or the target asks for patience.
func (a *Answer) Doubt() string {
	switch {
	case errors.Is(a.Err, ErrTooLarge), a.Handshake:
		return "" // it answered, and how
	case a.Err != nil:
		return a.Summary()
	}
	switch a.Status {
	case http.StatusTooManyRequests:
		return "the target answers 429 Too Many Requests"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Sprintf("HTTP %d, as a gateway answers", a.Status)
	}
	return ""
}

// Throttled reports whether the target still answered 429 after we had waited as long as we will.
func (a *Answer) Throttled() bool { return a.Err == nil && a.Status == http.StatusTooManyRequests }

// MediaType is the media type of the answer in lower case, without parameters.
func (a *Answer) MediaType() string {
	mt, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(strings.TrimSpace(a.Header.Get("Content-Type")))
	}
	return mt
}

// Object decodes the body as one JSON object with nothing behind it.
func (a *Answer) Object() (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the body is no JSON (%s)", a.describeBody())
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the body is JSON but no object")
	}
	if d.More() {
		return nil, fmt.Errorf("the body has more behind the JSON object")
	}
	return object, nil
}

func (a *Answer) describeBody() string {
	switch trimmed := bytes.TrimSpace(a.Body); {
	case len(trimmed) == 0:
		return "it is empty"
	case trimmed[0] == '<':
		return "it looks like HTML"
	default:
		return fmt.Sprintf("%d bytes of %s", len(a.Body), a.MediaType())
	}
}

// String returns a string member of the JSON body, or "".
func (a *Answer) String(member string) string {
	if a == nil || a.Err != nil {
		return ""
	}
	object, err := a.Object()
	if err != nil {
		return ""
	}
	s, _ := object[member].(string)
	return s
}

// Summary tells in a few words what was answered, without any secret: "400 invalid_grant", "302 to https://…", "no
// answer: …".
func (a *Answer) Summary() string {
	if a.Err != nil {
		if a.Status != 0 {
			return fmt.Sprintf("HTTP %d, then %v", a.Status, a.Err)
		}
		return fmt.Sprintf("no answer: %v", a.Err)
	}
	s := strconv.Itoa(a.Status)
	if code := a.String("error"); code != "" {
		return s + " " + Printable(code, 60)
	}
	if a.Status == http.StatusOK && a.String("access_token") != "" {
		return s + " with an access token"
	}
	if loc := a.Header.Get("Location"); loc != "" && a.Status/100 == 3 {
		return s + " to " + Printable(WithoutQuery(loc), 120)
	}
	if mt := a.MediaType(); mt != "" {
		s += " " + Printable(mt, 60)
	}
	return s
}

// GomegaString keeps bodies and tokens out of failure messages.
func (a *Answer) GomegaString() string { return a.Summary() }

// WithoutQuery cuts the query and the fragment off a URL, where tokens would stand.
func WithoutQuery(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		return u[:i]
	}
	return u
}

// Printable makes a hostile string fit to be shown: one line, at most n characters, all of them to be seen.
func Printable(s string, n int) string { return reports.Line(s, n) }
