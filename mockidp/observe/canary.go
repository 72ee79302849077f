package observe

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/mint"
)

// Limits of what a canary remembers. What exceeds them is forgotten, the oldest id first; later hits of an id that has
// its fill are not kept.
const (
	maxCanaryIDs  = 1024
	maxCanaryHits = 64
)

// Canary is a server on which nobody has any business: the issuer, key or document that an attacker points a system
// under test to. It publishes the metadata and key set of an attacker's issuer below every URL()/<id> and records who
// came. Each test uses an id of its own, one path segment, so that the hits are its own.
type Canary struct {
	url     string
	keys    jose.JSONWebKeySet
	servers []*http.Server

	mu    sync.Mutex
	ids   map[string]*canaryID
	order []string // of ids, the oldest first; those that are kept are not among them
}

type canaryID struct {
	hits      []Hit
	documents map[string]fault.Reply
}

// Hit is one request to a canary. Header values and the query, where secrets may be, are left out.
type Hit struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Header []string `json:"header"` // names, sorted
}

// StartCanary starts a canary on listen, "127.0.0.1:0" for any free port, whose issuers publish key's public part. It
// serves until Close or the end of ctx.
func StartCanary(ctx context.Context, listen string, key *mint.Key) (*Canary, error) {
	return startCanary(ctx, listen, key, nil)
}

// StartTLSCanary is StartCanary over https. config is that of a CA: CA.TLSConfig or CA.BadTLSConfig.
func StartTLSCanary(ctx context.Context, listen string, key *mint.Key, config *tls.Config) (*Canary, error) {
	return startCanary(ctx, listen, key, config)
}

func startCanary(ctx context.Context, listen string, key *mint.Key, config *tls.Config) (*Canary, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("cannot start the canary server: %w", err)
	}
	c := &Canary{
		url:  web.URLOf(listener, config != nil),
		keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}},
		ids:  map[string]*canaryID{},
	}
	c.serve(listener, config)
	context.AfterFunc(ctx, c.Close)
	return c, nil
}

func (c *Canary) serve(listener net.Listener, config *tls.Config) {
	server := &http.Server{
		Handler: c, TLSConfig: config, ErrorLog: web.Quiet(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10,
	}
	c.servers = append(c.servers, server)
	if config != nil {
		go func() { _ = server.ServeTLS(listener, "", "") }()
	} else {
		go func() { _ = server.Serve(listener) }()
	}
}

// AlsoTLS serves the same over https, at another address, and returns the base URL there. config is that of a CA.
func (c *Canary) AlsoTLS(ctx context.Context, listen string, config *tls.Config) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return "", fmt.Errorf("cannot start the canary server over https: %w", err)
	}
	c.serve(listener, config)
	return web.URLOf(listener, true), nil
}

// URL is the canary's base URL, without a slash at its end.
func (c *Canary) URL() string { return c.url }

// Close stops the servers and cuts the connections that they have.
func (c *Canary) Close() {
	for _, s := range c.servers {
		_ = s.Close()
	}
}

// Keep is Publish for what must last as long as the canary does: the id is not forgotten.
func (c *Canary) Keep(id, path string, r fault.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids[id] == nil {
		c.ids[id] = &canaryID{documents: map[string]fault.Reply{}}
	}
	c.ids[id].documents[strings.Trim(path, "/")] = r
}

// Publish puts a reply at URL()/<id>/<path>, in place of what is there.
func (c *Canary) Publish(id, path string, r fault.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id(id).documents[strings.Trim(path, "/")] = r
}

// Hits are the requests seen so far below URL()/<id> and for the metadata of that issuer, in their order.
func (c *Canary) Hits(id string) []Hit {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen := c.ids[id]; seen != nil {
		return slices.Clone(seen.hits)
	}
	return nil
}

// ServeHTTP records the request and answers with what is published there: by Publish, else the issuer's own documents.
func (c *Canary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, path := canaryPath(r.URL.Path)
	hit := Hit{Method: r.Method, Path: r.URL.Path, Header: slices.Sorted(maps.Keys(r.Header))}
	if reply, ok := c.record(id, path, hit); ok {
		reply.ServeHTTP(w, r)
		return
	}
	issuer := c.url + "/" + id
	switch path {
	case ".well-known/openid-configuration", ".well-known/oauth-authorization-server":
		web.JSON(w, http.StatusOK, map[string]any{
			"issuer": issuer, "jwks_uri": issuer + "/jwks",
			"authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{c.keys.Keys[0].Algorithm},
		})
	case "jwks":
		web.JSON(w, http.StatusOK, c.keys)
	default:
		http.NotFound(w, r)
	}
}

func (c *Canary) record(id, path string, hit Hit) (fault.Reply, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.id(id)
	if len(seen.hits) < maxCanaryHits {
		seen.hits = append(seen.hits, hit)
	}
	reply, ok := seen.documents[path]
	return reply, ok
}

// id is what is known of this id; the caller holds the lock.
func (c *Canary) id(id string) *canaryID {
	if known := c.ids[id]; known != nil {
		return known
	}
	if len(c.order) == maxCanaryIDs {
		delete(c.ids, c.order[0])
		c.order = c.order[1:]
	}
	c.order = append(c.order, id)
	c.ids[id] = &canaryID{documents: map[string]fault.Reply{}}
	return c.ids[id]
}

// canaryPath splits a request path into the id and the path below it. Metadata may be asked for with the well-known
// part before the issuer's path (RFC 8414 section 3.1) or after it (OpenID Connect Discovery section 4).
func canaryPath(path string) (id, rest string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) >= 3 && parts[0] == ".well-known" {
		return parts[2], strings.Join(append(parts[:2:2], parts[3:]...), "/")
	}
	return parts[0], strings.Join(parts[1:], "/")
}
