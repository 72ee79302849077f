package world

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

// mostConnections are open to a party at a time, far beyond what an honest client needs; more wait.
const mostConnections = 200

// Party is one host of a world.
type Party struct {
	Name string // as reports call it
	URL  string // without a slash at its end

	world     *World
	listener  net.Listener
	server    *http.Server
	documents map[string]map[string]any
	endpoints map[string]*Endpoint
	shakes    atomic.Int32
	// Anything answers requests that nothing else does; nil is 404.
	Anything func(*Call) *Reply
}

// Endpoint is something at a party that answers.
type Endpoint struct {
	Step string // what a request to it is, in reports
	// Before may answer in place of the honest endpoint; it returns nil to let that go on.
	Before func(*Call) *Reply
	// After may change the members of an honest JSON answer.
	After func(c *Call, answer map[string]any)

	honest  func(*Call) *Reply
	handler http.Handler // in place of honest, when the answer is a stream
	calls   int
}

// Call is one request to an endpoint.
type Call struct {
	N       int // counts the calls to this endpoint, from 1
	Request *http.Request
	Body    []byte
	Form    url.Values // of the body
}

// Reply is an answer to a request.
type Reply struct {
	Status  int // 0 is 200
	Header  map[string]string
	JSON    map[string]any // when Body is nil
	Body    []byte
	Delay   time.Duration // before the headers
	Endless bool          // goes on with blanks until the client goes away, or EndlessBody bytes are sent
	Cut     bool          // breaks off in the middle of the body
}

// EndlessBody bounds an endless body: far more than any client has reason to read.
const EndlessBody = 32 << 20

// Publish puts a document at a path.
func (p *Party) Publish(path string, document map[string]any) { p.documents[path] = document }

// Withdraw takes a document away.
func (p *Party) Withdraw(path string) { delete(p.documents, path) }

// Endpoint is the endpoint at this path. A path with a document, or with nothing, gets one that can be told to answer.
func (p *Party) Endpoint(path string) *Endpoint {
	if p.endpoints[path] == nil {
		p.endpoints[path] = &Endpoint{Step: stepOf(path), honest: func(*Call) *Reply { return p.document(path) }}
	}
	return p.endpoints[path]
}

func (p *Party) document(path string) *Reply {
	if d, ok := p.documents[path]; ok {
		return &Reply{JSON: maps.Clone(d)}
	}
	return &Reply{Status: http.StatusNotFound, JSON: map[string]any{"error": "not_found"}}
}

// stepOf names what a request for this path is.
func stepOf(path string) string {
	switch {
	case strings.Contains(path, "oauth-protected-resource"):
		return "protected resource metadata"
	case strings.Contains(path, "oauth-authorization-server"), strings.Contains(path, "openid-configuration"):
		return "authorization server metadata"
	}
	return ""
}

// Handshakes counts the clients that were shown the party's certificate.
func (p *Party) Handshakes() int { return int(p.shakes.Load()) }

// silent is the log of servers whose clients do as they like.
var silent = log.New(io.Discard, "", 0)

// serve answers on the party's listener until the world is closed.
func (p *Party) serve(config *tls.Config) {
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: silent,
	}
	listener := netutil.LimitListener(p.listener, mostConnections)
	if config != nil {
		config = config.Clone()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			p.shakes.Add(1)
			return nil, nil
		}
		listener = tls.NewListener(listener, config)
	}
	go func() { _ = p.server.Serve(listener) }() // ends with the world
}

const maxBody = 1 << 20

func (p *Party) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := &Call{Request: r, Body: body, Form: url.Values{}}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if form, err := url.ParseQuery(string(body)); err == nil {
			call.Form = form
		}
	}
	seen := p.world.note(p, call)
	out := &witness{ResponseWriter: w, seen: seen, world: p.world}
	defer out.done()

	endpoint, known := p.endpoints[r.URL.Path]
	_, published := p.documents[r.URL.Path]
	switch {
	case known:
		p.answer(endpoint, out, call, seen)
	case published:
		seen.set(func(s *Seen) { s.Step = stepOf(r.URL.Path) })
		p.write(p.document(r.URL.Path), out, r)
	case p.Anything != nil:
		p.write(p.Anything(call), out, r)
	default:
		p.write(&Reply{Status: http.StatusNotFound, JSON: map[string]any{"error": "not_found"}}, out, r)
	}
}

func (p *Party) answer(e *Endpoint, w http.ResponseWriter, c *Call, seen *Seen) {
	p.world.mu.Lock()
	e.calls++
	c.N = e.calls
	p.world.mu.Unlock()
	seen.set(func(s *Seen) { s.Step = e.Step })
	if e.Before != nil {
		if reply := e.Before(c); reply != nil {
			p.write(reply, w, c.Request)
			return
		}
	}
	if e.handler != nil {
		e.handler.ServeHTTP(w, c.Request)
		return
	}
	reply := e.honest(c)
	if e.After != nil && reply.JSON != nil {
		e.After(c, reply.JSON)
	}
	p.write(reply, w, c.Request)
}

func (p *Party) write(r *Reply, w http.ResponseWriter, req *http.Request) {
	if !p.wait(req.Context(), r.Delay) {
		panic(http.ErrAbortHandler)
	}
	p.pause(r)
	body := r.Body
	if body == nil && r.JSON != nil {
		body, _ = json.Marshal(r.JSON) // our own values always have a JSON form
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
	}
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	switch {
	case r.Cut:
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case r.Endless:
		blanks := bytes.Repeat([]byte(" "), 64<<10)
		for sent := 0; sent < EndlessBody; sent += len(blanks) {
			if _, err := w.Write(blanks); err != nil {
				return
			}
		}
	}
}

// pause tells the world that an answer makes the client wait before its next request.
func (p *Party) pause(r *Reply) {
	const bearable = 60
	if seconds, err := strconv.Atoi(r.Header["Retry-After"]); err == nil && seconds > 0 && seconds < bearable {
		time.AfterFunc(time.Duration(seconds)*time.Second, p.world.rest())
	}
}

// Rest holds the answer to a request back for this long, unless its client goes away before.
func (p *Party) Rest(c *Call, d time.Duration) { p.wait(c.Request.Context(), d) }

// wait is false when the context ended first.
func (p *Party) wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	defer p.world.rest()()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// oauthError is an error answer (RFC 6749 5.2).
func oauthError(status int, code, description string) *Reply {
	return &Reply{Status: status, JSON: map[string]any{"error": code, "error_description": description}}
}

// Deny is an OAuth error answer that a script gives in place of an honest one.
func Deny(code string) *Reply { return oauthError(http.StatusBadRequest, code, "refused by policy") }

// Redirect sends the client elsewhere with its method and body (RFC 9110 15.4.8).
func Redirect(to string) *Reply {
	return &Reply{Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": to}}
}
