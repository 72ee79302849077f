package server

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// MCP revisions that the suite speaks.
const (
	Revision2025 = "2025-11-25" // sessions
	Revision2026 = "2026-07-28" // stateless requests
)

// Extension is the identifier of Enterprise-Managed Authorization among MCP's extensions.
const Extension = "io.modelcontextprotocol/enterprise-managed-authorization"

const sessionHeader = "Mcp-Session-Id"

var capabilities = map[string]any{"extensions": map[string]any{Extension: map[string]any{}}}

// clientInfo is what a client that sends this User-Agent calls itself in messages.
func clientInfo(agent string) map[string]any {
	product, _, _ := strings.Cut(agent, " ")
	name, version, _ := strings.Cut(product, "/")
	return map[string]any{"name": cmp.Or(name, wire.Agent), "version": cmp.Or(version, "1")}
}

// Initialize is the first request of an MCP session (revision 2025-11-25), with a bearer token unless it is "".
func (w *World) Initialize(url, token string) *wire.Request {
	return Message(url, token, map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "initialize",
		"params": map[string]any{"protocolVersion": Revision2025, "clientInfo": clientInfo(w.Config.UserAgent),
			"capabilities": capabilities},
	})
}

// Stateless is a request of revision 2026-07-28, which needs no session; token "" sends none. Its headers repeat the
// method and, for a tool, the name (MCP 2026-07-28, Streamable HTTP, request metadata).
func (w *World) Stateless(url, token, method string, params map[string]any) *wire.Request {
	all := map[string]any{"_meta": map[string]any{
		"io.modelcontextprotocol/protocolVersion":    Revision2026,
		"io.modelcontextprotocol/clientInfo":         clientInfo(w.Config.UserAgent),
		"io.modelcontextprotocol/clientCapabilities": capabilities,
	}}
	for k, v := range params {
		all[k] = v
	}
	r := Message(url, token, map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": all})
	r.Header.Set("Mcp-Protocol-Version", Revision2026)
	r.Header.Set("Mcp-Method", method)
	if name, ok := params["name"].(string); ok {
		r.Header.Set("Mcp-Name", name)
	}
	return r
}

// Message is any JSON-RPC message POSTed to an MCP server.
func Message(url, token string, message map[string]any) *wire.Request {
	body, err := json.Marshal(message)
	if err != nil {
		panic(err) // our own literal
	}
	r := &wire.Request{URL: url, Body: body, Header: http.Header{
		"Accept":       {"application/json, text/event-stream"},
		"Content-Type": {"application/json"},
	}}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// Revisions says which MCP revisions a server answers.
type Revisions struct{ Sessions, Stateless bool }

// Revisions finds out which MCP revisions the server under test answers: once for all checks, with an honest token.
func (t *T) Revisions() Revisions {
	t.known.asking.Lock()
	defer t.known.asking.Unlock()
	if t.known.revisions == nil {
		token := t.Hold()
		t.known.revisions = &Revisions{
			Stateless: t.stateless(token),
			Sessions: LetIn(t.sendMCP(t.Initialize(t.Config.URL, token), reports.Setup, "does it answer revision "+Revision2025+
				"?")),
		}
	}
	return *t.known.revisions
}

// stateless reports whether the server answers revision 2026-07-28. Some answer a tools/list of any revision without a
// session: these do not know server/discover.
func (t *T) stateless(token string) bool {
	if !LetIn(t.sendMCP(t.Stateless(t.Config.URL, token, "tools/list", nil), reports.Setup, "does it answer revision "+
		Revision2026+"?")) {
		return false
	}
	object, err := t.sendMCP(t.Stateless(t.Config.URL, token, "server/discover", nil), reports.Setup,
		"does it know server/discover?").Object()
	if err != nil {
		return true
	}
	problem, _ := object["error"].(map[string]any)
	code, _ := problem["code"].(json.Number)
	return code.String() != methodNotFound
}

// methodNotFound is the JSON-RPC error of a method that a server does not know.
const methodNotFound = "-32601"

// InEach makes a body that judges the server in each MCP revision that it speaks.
func InEach(body func(*T)) func(*T) { return func(t *T) { t.InEach(body) } }

// InEach runs a part of a body once for each MCP revision that the server speaks: Knock and Call speak that one.
func (t *T) InEach(part func(*T)) {
	known := t.Revisions()
	if !known.Stateless || !known.Sessions {
		part(t)
		return
	}
	for _, revision := range []string{Revision2026, Revision2025} {
		in := t.Speaking(revision)
		t.Under("in MCP revision "+revision, func() { part(in) })
		t.DPoPNonce = in.DPoPNonce
	}
}

// Speaking is the running check with Knock and Call in this MCP revision.
func (t *T) Speaking(revision string) *T {
	in := *t
	in.revision = revision
	return &in
}

// Speaks is the MCP revision of Knock and Call: the newest that the server knows, outside of InEach.
func (t *T) Speaks() string {
	switch {
	case t.revision != "":
		return t.revision
	case t.Revisions().Stateless:
		return Revision2026
	}
	return Revision2025
}

// Knock is the cheapest request that an MCP server answers to an authorized client alone: a stateless tools/list in the
// revision that knows it, else the initialize of a session.
func (t *T) Knock(token string) *wire.Request { return t.KnockAt(t.Config.URL, token) }

// KnockAt is Knock for another MCP server.
func (t *T) KnockAt(url, token string) *wire.Request {
	if t.Speaks() == Revision2026 {
		return t.Stateless(url, token, "tools/list", nil)
	}
	return t.Initialize(url, token)
}

// Hold is an access token to call the MCP server with; "" in a first look, where there is none to be had.
func (t *T) Hold() string {
	if t.Look {
		return ""
	}
	return t.AccessToken()
}

// Use calls the MCP server under test with this token, as the honest twin of an attack: it must be let in.
func (t *T) Use(token string) *wire.Answer { return t.UseWith(t.Knock(token)) }

// Try is UseWith for a request that may come too late to be let in.
func (t *T) Try(r *wire.Request) *wire.Answer {
	return t.sendMCP(r, reports.Control, "the honest twin: must be let in")
}

// UseWith is Use with any request.
func (t *T) UseWith(r *wire.Request) *wire.Answer {
	a := t.Try(r)
	if !LetIn(a) {
		t.Inconclusivef("the control was not let in (%s), so a refusal of the attack would prove nothing", a.Summary())
	}
	return a
}

// Break sends a request that the MCP server must refuse.
func (t *T) Break(r *wire.Request) *wire.Answer {
	a := t.sendMCP(r, reports.Attack, "must be refused")
	if a.Err == nil && a.Status >= 500 {
		t.Warnf("refused with HTTP %d: an error of the server in place of an answer", a.Status)
	}
	return a
}

// sendMCP sends a request to an MCP server. A session that it opens is ended with the check.
func (t *T) sendMCP(r *wire.Request, part reports.Part, note string) *wire.Answer {
	a := t.Send(r, part, note)
	if id := a.Header.Get(sessionHeader); id != "" && r.Header.Get(sessionHeader) == "" {
		end := &wire.Request{Method: http.MethodDelete, URL: r.URL, Header: http.Header{
			sessionHeader: {id}, "Authorization": r.Header["Authorization"], "Mcp-Protocol-Version": {Revision2025}}}
		t.DeferCleanup(func(ctx context.Context) { t.Wire.Do(ctx, end, t.Recorder(), reports.Setup, "end the session") })
	}
	return a
}

// Session is an MCP session of revision 2025-11-25 with the server under test.
type Session struct {
	ID      string       // Mcp-Session-Id, "" when the server keeps no sessions
	Opening *wire.Answer // the answer to initialize

	url     string
	version string
}

// Open opens a session with the server under test, as a control; it is ended with the check.
func (t *T) Open(token string) *Session {
	if !t.Revisions().Sessions {
		t.Skipf("the server does not answer revision %s, the one with sessions", Revision2025)
	}
	s := &Session{url: t.Config.URL, version: Revision2025}
	s.Opening = t.UseWith(t.Initialize(s.url, token))
	s.ID = s.Opening.Header.Get(sessionHeader)
	if v, ok := Result(s.Opening)["protocolVersion"].(string); ok {
		s.version = v
	}
	r := s.With(Message(s.url, token, map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"}))
	t.UseWith(r)
	return s
}

// Request is a request of the session with this token.
func (s *Session) Request(token, method string, params map[string]any) *wire.Request {
	if params == nil {
		params = map[string]any{}
	}
	return s.With(Message(s.url, token, map[string]any{"jsonrpc": "2.0", "id": 2, "method": method, "params": params}))
}

// With makes any request one of the session.
func (s *Session) With(r *wire.Request) *wire.Request {
	r.Header.Set("Mcp-Protocol-Version", s.version)
	if s.ID != "" {
		r.Header.Set(sessionHeader, s.ID)
	}
	return r
}

// Call is a tool call with this token: stateless in the revision that knows it, else in a session opened for it.
func (t *T) Call(token, tool string, arguments map[string]any) *wire.Request {
	return t.CallOf(token, token, tool, arguments)
}

// CallOf is Call with a token that may not do to open a session, which another one does.
func (t *T) CallOf(opener, token, tool string, arguments map[string]any) *wire.Request {
	if arguments == nil {
		arguments = map[string]any{}
	}
	params := map[string]any{"name": tool, "arguments": arguments}
	if t.Speaks() == Revision2026 {
		return t.Stateless(t.Config.URL, token, "tools/call", params)
	}
	return t.Open(opener).Request(token, "tools/call", params)
}

// Result is the JSON-RPC result of an answer, nil when it has none.
func Result(a *wire.Answer) map[string]any {
	object, err := a.Object()
	if err != nil {
		return nil
	}
	result, _ := object["result"].(map[string]any)
	return result
}

// LetIn reports whether the MCP server answered the request itself.
func LetIn(a *wire.Answer) bool { return a.Err == nil && a.Status/100 == 2 }

// BeLetIn succeeds when the MCP server took the request.
func BeLetIn() types.GomegaMatcher {
	return answerMatcher{good: LetIn, wanted: "expected the MCP server to take the request"}
}

// BeTurnedAway succeeds when the MCP server did not take the request. Other checks judge its status.
func BeTurnedAway() types.GomegaMatcher {
	return answerMatcher{
		good:   func(a *wire.Answer) bool { return !LetIn(a) },
		wanted: "expected the MCP server to refuse the request",
	}
}

// BeUnauthorized succeeds on 401.
func BeUnauthorized() types.GomegaMatcher {
	return answerMatcher{
		good:   func(a *wire.Answer) bool { return a.Err == nil && a.Status == http.StatusUnauthorized },
		wanted: "expected HTTP 401",
	}
}
