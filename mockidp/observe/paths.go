package observe

import "sync"

// Paths counts requests to paths where nothing is. A server under test that looks for metadata or keys in a wrong place
// shows itself there.
type Paths struct {
	mu   sync.Mutex
	seen Unknown
}

// Unknown is the requests so far, and the last one.
type Unknown struct {
	Count  int    `json:"count"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
}

// Add counts a request. Of a long path the begin is kept.
func (p *Paths) Add(method, path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = Unknown{p.seen.Count + 1, method[:min(len(method), 20)], path[:min(len(path), maxName)]}
}

// Seen is the requests so far.
func (p *Paths) Seen() Unknown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Clear forgets them.
func (p *Paths) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = Unknown{}
}
