package world

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// MCP revisions.
const (
	Revision2025 = "2025-11-25" // sessions
	Revision2026 = "2026-07-28" // stateless requests
)

// Extension is the identifier of Enterprise-Managed Authorization among MCP's extensions.
const Extension = "io.modelcontextprotocol/enterprise-managed-authorization"

// Tool is the tool of every MCP server, named as in the official conformance runner.
const Tool = "test-tool"

// Paths of an MCP server.
const (
	EndpointPath  = "/mcp"
	MetadataPath  = "/.well-known/oauth-protected-resource/mcp"
	RootMetadata  = "/.well-known/oauth-protected-resource"
	defaultScope  = "notes.read"
	ElevatedScope = "notes.write"
)

// Server is an MCP server.
type Server struct {
	*Party
	RAS      *RAS
	Path     string         // of its endpoint
	Resource string         // its identifier, and its URL
	Metadata map[string]any // RFC 9728, at MetadataPath unless moved
	// MetadataURL is what challenges point to; "" leaves resource_metadata out.
	MetadataURL string
	// NoChallenge leaves the WWW-Authenticate header out.
	NoChallenge bool
	// Scope is what challenges ask for.
	Scope string
	// Extensions are those that its capabilities name: this one, unless a scene says otherwise.
	Extensions map[string]any
	// Before may answer a request with a good token in place of the server.
	Before func(c *Call, m Message) *Reply

	sessions, stateless http.Handler
	cancel              context.CancelFunc
}

// Message is what counts of a JSON-RPC message.
type Message struct {
	Method string `json:"method"`
	Params struct {
		Capabilities struct {
			Extensions map[string]json.RawMessage `json:"extensions"`
		} `json:"capabilities"`
		Meta struct {
			Version      string `json:"io.modelcontextprotocol/protocolVersion"`
			Capabilities *struct {
				Extensions map[string]json.RawMessage `json:"extensions"`
			} `json:"io.modelcontextprotocol/clientCapabilities"`
		} `json:"_meta"`
	} `json:"params"`
}

// ParseMessage reads a JSON-RPC message; what cannot be read is empty.
func ParseMessage(body []byte) (m Message) {
	_ = json.Unmarshal(body, &m)
	return m
}

func (w *World) makeServer(party *Party, ras *RAS) *Server {
	s := &Server{
		Party:       party,
		RAS:         ras,
		Path:        EndpointPath,
		Resource:    party.URL + EndpointPath,
		MetadataURL: party.URL + MetadataPath,
		Scope:       defaultScope,
	}
	s.Metadata = map[string]any{
		"resource": s.Resource, "authorization_servers": []string{ras.Issuer}, "scopes_supported": []string{defaultScope},
		"bearer_methods_supported": []string{"header"},
	}
	s.Publish(MetadataPath, s.Metadata)
	s.Extensions = map[string]any{Extension: map[string]any{}}
	made := sync.OnceValue(s.make) // when the first request comes: a scene may have changed what it names
	get := func(*http.Request) *mcp.Server { return made() }
	s.sessions = mcp.NewStreamableHTTPHandler(get, nil)
	s.stateless = mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{Stateless: true})
	s.cancel = func() {
		for session := range made().Sessions() {
			_ = session.Close()
		}
	}
	party.endpoints[EndpointPath] = &Endpoint{Step: "MCP request", Before: s.guard, handler: http.HandlerFunc(s.answer)}
	return s
}

// make makes the server with its one tool.
func (s *Server) make() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "emaconform", Version: "1"},
		&mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{Extensions: s.Extensions}})
	mcp.AddTool(server, &mcp.Tool{Name: Tool, Description: "says that it was called"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "called"}}}, nil, nil
		})
	return server
}

func (s *Server) close() { s.cancel() }

// AtRoot moves the server to the root of its origin: its identifier is the origin, without a slash.
func (s *Server) AtRoot() {
	s.endpoints["/"] = s.endpoints[s.Path]
	delete(s.endpoints, s.Path)
	s.Path, s.Resource, s.MetadataURL = "/", s.URL, s.URL+RootMetadata
	s.Metadata["resource"] = s.Resource
	s.Withdraw(MetadataPath)
	s.Publish(RootMetadata, s.Metadata)
}

// guard lets in who has a token for this server in the Authorization header.
func (s *Server) guard(c *Call) *Reply {
	scheme, token, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	s.world.mu.Lock()
	g := s.RAS.tokens[token]
	good := strings.EqualFold(scheme, "bearer") && g.good(s.Party)
	s.world.mu.Unlock()
	if !good {
		code := ""
		if token != "" {
			code = "invalid_token"
		}
		return s.Challenge(http.StatusUnauthorized, code, s.Scope)
	}
	if s.Before != nil {
		return s.Before(c, ParseMessage(c.Body))
	}
	return nil
}

// Granted is the scope of the token that a call carries.
func (s *Server) Granted(c *Call) string {
	_, token, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if g := s.RAS.tokens[token]; g != nil {
		return g.scope
	}
	return ""
}

// Challenge is an answer with a Bearer challenge (RFC 6750 3).
func (s *Server) Challenge(status int, code, scope string) *Reply {
	var params []string
	if code != "" {
		params = append(params, `error="`+code+`"`)
	}
	if scope != "" {
		params = append(params, `scope="`+scope+`"`)
	}
	if s.MetadataURL != "" {
		params = append(params, `resource_metadata="`+s.MetadataURL+`"`)
	}
	reply := &Reply{Status: status, JSON: map[string]any{}}
	if code != "" {
		reply.JSON = map[string]any{"error": code}
	}
	if !s.NoChallenge {
		reply.Header = map[string]string{
			"WWW-Authenticate": strings.TrimSuffix("Bearer "+strings.Join(params, ", "), " "),
		}
	}
	return reply
}

// answer hands a request to the SDK: to its stateless handler when it is of the revision without sessions.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	modern := r.Header.Get("Mcp-Protocol-Version") >= Revision2026
	switch {
	case s.world.Revision == Revision2025:
		s.sessions.ServeHTTP(w, r)
	case s.world.Revision == Revision2026 && !modern:
		s.write(&Reply{Status: http.StatusBadRequest, JSON: map[string]any{
			"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": -32022, "message": "Unsupported protocol version",
				"data": map[string]any{"supported": []string{Revision2026},
					"requested": r.Header.Get("Mcp-Protocol-Version")}}}}, w, r)
	case modern:
		s.stateless.ServeHTTP(w, r)
	default:
		s.sessions.ServeHTTP(w, r)
	}
}

// Served reports whether a request was one that the MCP server answered to a client that it had let in: a listing or a
// call of tools, by which a client gets something out of its token; in a world for clients that only connect, that,
// too.
func (s *Server) Served(r Seen) bool {
	methods := []string{"tools/list", "tools/call"}
	if s.world.ConnectsOnly {
		methods = append(methods, "initialize", "server/discover")
	}
	return r.Party == s.Party && r.Path == s.Path && r.Status == http.StatusOK &&
		slices.Contains(methods, ParseMessage(r.Body).Method)
}
