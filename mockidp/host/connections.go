package host

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// connections are those of a server, so that a change can end all that were opened before it: a client that keeps one
// alive would not see what has changed.
type connections struct {
	mu      sync.Mutex
	open    map[net.Conn]conn
	age     int // changes so far
	refused int // for there were too many
	log     func(string)
}

// maxConnections are open at most: each costs some 30 KB, and what it has sent of its header.
const maxConnections = 1000

type conn struct {
	born int // the age at which it was opened
	used bool
	idle bool
	last bool // its next answer is the last
}

// track is the ConnState hook of a server.
func (c *connections) track(n net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, tracked := c.open[n]
	if !tracked && state != http.StateNew {
		return
	}
	switch state {
	case http.StateNew:
		if c.open == nil {
			c.open = map[net.Conn]conn{}
		}
		if len(c.open) >= maxConnections && !c.closeIdle() {
			c.refused++
			c.log("connections are refused: too many are open and in use")
			_ = n.Close()
			return
		}
		c.open[n] = conn{born: c.age}
	case http.StateActive:
		known.used, known.idle = true, false
		c.open[n] = known
	case http.StateIdle:
		known.idle = true
		if c.open[n] = known; known.born < c.age {
			_ = n.Close() // it has had its last answer
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.open, n)
	}
}

// count is how many connections were refused.
func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// closeIdle makes room for a connection. It is false when all are in use.
func (c *connections) closeIdle() bool {
	for n, known := range c.open {
		if known.idle {
			delete(c.open, n)
			_ = n.Close()
			return true
		}
	}
	return false
}

// renew ends the connections on which nothing is asked now, and each other one after the answer that is on its way.
func (c *connections) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	for n, known := range c.open {
		if known.idle || !known.used { // a client may have one in reserve
			_ = n.Close()
		}
	}
}

// retire lets each connection have one more answer, which says that it is the last: nobody's request gets lost.
func (c *connections) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, known := range c.open {
		known.last = true
		c.open[n] = known
	}
}

type connKey struct{}

// remember is the ConnContext hook of a server.
func (c *connections) remember(ctx context.Context, n net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, n)
}

// telling says on the last answer of a connection that it is that (RFC 9112 section 9.6).
func (c *connections) telling(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := r.Context().Value(connKey{}).(net.Conn)
		c.mu.Lock()
		last := c.open[n].last
		c.mu.Unlock()
		if last {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
