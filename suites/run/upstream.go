package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/suites/server"
)

// upstream is a service that the MCP server asks. It remembers what it was asked, within bounds.
type upstream struct {
	url  string
	http *http.Server

	mu   sync.Mutex
	seen []string // requests as text, the newest last
}

const (
	mostUpstreamRequests = 256
	mostUpstreamBody     = 64 << 10
)

func startUpstream(ctx context.Context, listen string) (*upstream, error) {
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("upstream: cannot listen: %w", err)
	}
	u := &upstream{url: "http://" + listener.Addr().String()}
	u.http = &http.Server{Handler: u, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = u.http.Serve(listener) }()
	return u, nil
}

// ServeHTTP answers as any small JSON service.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", r.Method, r.URL.RequestURI())
	_ = r.Header.Write(&text)
	body, _ := io.ReadAll(io.LimitReader(r.Body, mostUpstreamBody))
	text.Write(body)
	u.mu.Lock()
	if u.seen = append(u.seen, text.String()); len(u.seen) > mostUpstreamRequests {
		u.seen = u.seen[1:]
	}
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true}`)
}

// holds answers, over the control API, how many requests there were and whether one of them has the text that the
// request's body is.
func (u *upstream) holds(w http.ResponseWriter, r *http.Request) {
	wanted, err := io.ReadAll(io.LimitReader(r.Body, mostUpstreamBody))
	if err != nil || len(bytes.TrimSpace(wanted)) == 0 {
		http.Error(w, "expected the text to look for", http.StatusBadRequest)
		return
	}
	u.mu.Lock()
	found := server.Upstream{Requests: len(u.seen)}
	for _, request := range u.seen {
		found.Holds = found.Holds || strings.Contains(request, string(wanted))
	}
	u.mu.Unlock()
	_ = json.NewEncoder(w).Encode(found)
}

// beside serves the upstream's questions beside the control API, with the same secret.
func (p *parties) beside(control http.Handler) http.Handler {
	if p.upstream == nil {
		return control
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != server.UpstreamPath:
			control.ServeHTTP(w, r)
		case r.Header.Get("Authorization") != "Bearer "+p.secret:
			http.Error(w, "the secret is wrong", http.StatusUnauthorized)
		default:
			p.upstream.holds(w, r)
		}
	})
}
