// Package wire sends single HTTP requests to a target that may be broken or hostile, within bounds, and records every
// exchange redacted.
//
// Nothing is followed, retried or cached behind the caller's back: a redirect is an answer like any other, so that
// credentials never travel to a host that the caller did not name.
package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
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
