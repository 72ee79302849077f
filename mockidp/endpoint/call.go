package endpoint

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/internal/clientauth"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// call is one request to an endpoint, with what its handler needs and what its logs will say.
type call struct {
	*site
	w      http.ResponseWriter
	r      *http.Request
	id     string // X-Okta-Request-Id
	now    time.Time
	dir    *directory.Directory
	server *state.Server
	seen   observe.Exchange
	entry  audit.Entry
}

// handler serves an endpoint. A returned error is answered as an OAuth error response.
type handler func(*call) *oauth.Error

// open begins a call: it takes the directory and the time once, so that one request sees one state of things, and sets
// the headers that Okta puts on every answer (https://developer.okta.com/docs/reference/core-okta-api/,
// https://developer.okta.com/docs/reference/rl2-monitor/).
func (p *site) open(endpoint string, s *state.Server, w http.ResponseWriter, r *http.Request) *call {
	c := &call{site: p, w: w, r: r, id: "req" + rand.Text(), now: p.Now(), dir: p.Directory.Load(), server: s}
	c.seen = observe.Exchange{Time: c.now, ID: c.id, Endpoint: endpoint, Method: r.Method, Path: r.URL.Path}
	c.entry = audit.Entry{Request: c.id, Address: address(r), Agent: r.UserAgent()}
	limit, remaining, reset := p.Rate.Count(c.now)
	h := w.Header()
	h.Set("X-Okta-Request-Id", c.id)
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(remaining))
	h.Set("X-Rate-Limit-Reset", strconv.FormatInt(reset, 10))
	h.Set("X-Content-Type-Options", "nosniff")
	return c
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// form reads the parameters of a POST and shows them, without their secrets, to the exchange log.
func (c *call) form(repeatable ...string) (url.Values, *oauth.Error) {
	form, failed := oauth.Form(c.w, c.r, repeatable...)
	c.seen.Request = observe.RedactForm(form)
	return form, failed
}

func (c *call) json(status int, body any) {
	c.seen.Status = status
	if m, ok := body.(map[string]any); ok {
		c.seen.Response = observe.RedactBody(m)
	}
	web.JSON(c.w, status, body)
}

// noStore forbids caches to keep the answer (RFC 6749 section 5.1).
func (c *call) noStore() {
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.Header().Set("Pragma", "no-cache")
}

// fail answers with an OAuth error (RFC 6749 section 5.2). A failed Basic authentication is challenged.
func (c *call) fail(e *oauth.Error) {
	c.noStore()
	if e.Status == http.StatusUnauthorized && c.r.Header.Get("Authorization") != "" {
		c.w.Header().Set("WWW-Authenticate", `Basic realm="`+c.server.Issuer+`"`)
	}
	c.seen.Error = e.Code
	c.json(e.Status, e.Body())
}

// client authenticates the client of a request.
func (c *call) client(form url.Values) (*directory.Client, *oauth.Error) {
	v := c.verifier()
	client, failed := v.Authenticate(c.r, form, c.dir)
	if client != nil {
		c.seen.Client, c.entry.Client = client.ID, client.ID
	} else if id := form.Get("client_id"); c.dir.Client(id) != nil {
		c.entry.Client = id
	}
	return client, failed
}

// audited writes the audit entry of the call's decision.
func (c *call) audited(kind string, failed *oauth.Error) {
	c.entry.Type, c.entry.Outcome = kind, audit.Success
	if failed != nil {
		c.entry.Outcome, c.entry.Error, c.entry.Reason = audit.Failure, failed.Code, failed.ID
		if c.entry.Detail == "" {
			c.entry.Detail = failed.Description
		}
	}
	c.Record(c.entry)
}

// close ends a call: it goes to the exchange log.
func (c *call) close() {
	c.seen.Took = c.Now().Sub(c.now)
	c.Exchanges.Add(c.seen)
}

// endpoint makes an http.HandlerFunc of a handler: counted, spoiled if a fault says so, and logged.
func (p *site) endpoint(name string, find func(*http.Request) *state.Server, h handler) http.HandlerFunc {
	honest := func(w http.ResponseWriter, r *http.Request) {
		server := find(r)
		if server == nil {
			web.UnknownServer(w)
			return
		}
		c := p.open(name, server, w, r)
		defer c.close()
		if failed := h(c); failed != nil {
			c.fail(failed)
		}
	}
	return p.Faults.Wrap(name, honest, func(w http.ResponseWriter, r *http.Request, f fault.Fault) {
		seen := observe.Exchange{Time: p.Now(), ID: "req" + rand.Text(), Endpoint: name, Method: r.Method,
			Path: r.URL.Path, Fault: true}
		seen.Status = f.Reply.Status
		p.Exchanges.Add(seen)
		f.Reply.ServeHTTP(w, r)
	})
}

// verifier authenticates the clients of a call.
func (c *call) verifier() *clientauth.Verifier {
	v := &clientauth.Verifier{Seen: c.SeenBefore, Now: c.now, Audiences: []string{c.endpointURL()}}
	if c.Flavour.IssuerAudience {
		v.Audiences = append(v.Audiences, c.server.Issuer)
	}
	return v
}

// endpointURL is the public URL of the endpoint that was called.
func (c *call) endpointURL() string {
	path := c.r.URL.Path
	return c.server.URL + path[strings.LastIndexByte(path, '/'):]
}
