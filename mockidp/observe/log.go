package observe

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// What a log keeps at most. Clients choose what they send: a bound on the number of exchanges alone would bound no
// memory.
const (
	maxExchanges = 1000
	maxBytes     = 8 << 20
	maxValue     = 4 << 10 // of one parameter or member
	maxName      = 200
	maxMembers   = 64
)

// Log keeps the last exchanges, a bounded number of bytes of them.
type Log struct {
	mu      sync.Mutex
	list    []Exchange // the oldest first
	bytes   int
	dropped Dropped
}

// Dropped is what a log did not keep.
type Dropped struct {
	Exchanges int `json:"exchanges"` // that made room for later ones
	Bytes     int `json:"bytes"`     // of the values of those that it kept
}

// Add adds an exchange. The oldest ones make room for it; of long values the begin is kept.
func (l *Log) Add(e Exchange) {
	cut := shorten(&e)
	size := e.size()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped.Bytes += cut
	for len(l.list) > 0 && (len(l.list) >= maxExchanges || l.bytes+size > maxBytes) {
		l.bytes -= l.list[0].size()
		l.list[0] = Exchange{} // so that nothing of it is held
		l.list = l.list[1:]
		l.dropped.Exchanges++
	}
	l.list, l.bytes = append(l.list, e), l.bytes+size
}

// List is the exchanges that are kept, the oldest first.
func (l *Log) List() []Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// Dropped is what the log did not keep, since it was cleared.
func (l *Log) Dropped() Dropped {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Clear forgets every exchange.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list, l.bytes, l.dropped = nil, 0, Dropped{}
}

// shorten cuts what is too long out of an exchange, and says so in its place. It returns how many bytes it took.
func shorten(e *Exchange) (cut int) {
	text := func(s string, limit int) string {
		if len(s) <= limit {
			return strings.Clone(s) // a part of a form would hold the whole of it
		}
		cut += len(s) - limit
		return fmt.Sprintf("%s … [%d bytes left out]", s[:limit], len(s)-limit)
	}
	e.Path, e.Error = text(e.Path, maxName), text(e.Error, maxName)
	request := map[string][]string{}
	for name, values := range e.Request {
		if len(request) == maxMembers {
			cut += size(name, values...)
			continue
		}
		var kept []string
		for n, v := range values {
			if n == maxMembers {
				cut += size("", values[n:]...)
				break
			}
			kept = append(kept, text(v, maxValue))
		}
		request[text(name, maxName)] = kept
	}
	if e.Request != nil {
		e.Request = request
	}
	for name, value := range e.Response {
		if s, ok := value.(string); ok && len(s) > maxValue {
			e.Response[name] = text(s, maxValue)
		}
	}
	return cut
}

// size is about how many bytes an exchange holds.
func (e *Exchange) size() int {
	n := 512 + len(e.Path)
	for name, values := range e.Request {
		n += 64 + size(name, values...)
	}
	for name, value := range e.Response {
		s, _ := value.(string)
		n += 128 + size(name, s)
	}
	return n
}

func size(name string, values ...string) int {
	n := len(name)
	for _, v := range values {
		n += 16 + len(v)
	}
	return n
}
