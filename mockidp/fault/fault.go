// Package fault spoils answers: a Reply is given in place of the honest answer of an endpoint.
package fault

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Names of the endpoints, for faults and counts.
const (
	EndpointDiscovery  = "discovery"
	EndpointKeys       = "keys"
	EndpointAuthorize  = "authorize"
	EndpointLogin      = "login"
	EndpointToken      = "token"
	EndpointUserinfo   = "userinfo"
	EndpointIntrospect = "introspect"
	EndpointRevoke     = "revoke"
	EndpointLogout     = "logout"
	EndpointSAML       = "saml"
)

// Endpoints lists the names that a Fault can carry.
func Endpoints() []string {
	return []string{EndpointDiscovery, EndpointKeys, EndpointAuthorize, EndpointLogin, EndpointToken, EndpointUserinfo,
		EndpointIntrospect, EndpointRevoke, EndpointLogout, EndpointSAML}
}

// Fault makes an endpoint answer with Reply instead of what it should.
type Fault struct {
	Endpoint string `json:"endpoint"`
	Reply    Reply  `json:"reply"`
	// Count is how many requests are spoiled; 0 is all of them until the fault is cleared.
	Count int `json:"count,omitempty"`
	// After is how many requests are let through first.
	After int `json:"after,omitempty"`
	// Late lets the endpoint do its work before the reply replaces its answer: a lost answer, not a lost request.
	Late bool `json:"late,omitempty"`
}

func (f *Fault) validate() error {
	switch {
	case !slices.Contains(Endpoints(), f.Endpoint):
		return fmt.Errorf("endpoint %q: expected one of %s", f.Endpoint, strings.Join(Endpoints(), ", "))
	case f.Count < 0 || f.After < 0:
		return fmt.Errorf("count and after: expected 0 or more")
	}
	return nil
}

// Registry is the faults in force and the requests seen, by endpoint.
type Registry struct {
	mu     sync.Mutex
	rules  []Fault
	counts map[string]int
	spells map[string]*spell // by endpoint
}

// spell is the time from one clearing of an endpoint to the next. Answers that a fault delays do not outlive it, so
// that nobody goes on waiting for what is no longer in force.
type spell struct {
	context.Context
	end context.CancelFunc
}

// Add puts a fault in force; it is an error when the fault makes no sense.
func (f *Registry) Add(rule Fault) error {
	if err := rule.validate(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rule)
	return nil
}

// Clear removes the faults of one endpoint, of all when it is "". Connections on which an answer is still delayed are
// closed.
func (f *Registry) Clear(endpoint string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, s := range f.spells {
		if endpoint == "" || endpoint == name {
			s.end()
			delete(f.spells, name)
		}
	}
	f.rules = slices.DeleteFunc(f.rules, func(r Fault) bool { return endpoint == "" || r.Endpoint == endpoint })
}

// List is the faults in force.
func (f *Registry) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rules)
}

// Count is how many requests an endpoint has seen.
func (f *Registry) Count(endpoint string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[endpoint]
}

// take counts a request to the endpoint and returns the fault that spoils it, if any: the one added first. The context
// ends when the endpoint's faults are cleared.
func (f *Registry) take(endpoint string) (context.Context, Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[endpoint]++
	for i := range f.rules {
		rule := &f.rules[i]
		if rule.Endpoint != endpoint {
			continue
		}
		if rule.After > 0 {
			rule.After--
			continue
		}
		taken := *rule
		if rule.Count == 1 {
			f.rules = slices.Delete(f.rules, i, i+1)
		} else if rule.Count > 1 {
			rule.Count--
		}
		return f.spell(endpoint), taken, true
	}
	return nil, Fault{}, false
}

func (f *Registry) spell(endpoint string) context.Context {
	s := f.spells[endpoint]
	if s == nil {
		s = &spell{}
		s.Context, s.end = context.WithCancel(context.Background())
		if f.spells == nil {
			f.spells = map[string]*spell{}
		}
		f.spells[endpoint] = s
	}
	return s
}

// Wrap wraps the handler of an endpoint so that it is counted, and spoiled while a fault is in force.
func (f *Registry) Wrap(name string, honest http.HandlerFunc, spoil func(http.ResponseWriter, *http.Request,
	Fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		spell, fault, spoiled := f.take(name)
		if !spoiled {
			honest(w, r)
			return
		}
		ctx, stop := context.WithCancel(r.Context())
		defer stop()
		defer context.AfterFunc(spell, stop)()
		if fault.Late {
			honest(discard{http.Header{}}, r)
		}
		spoil(w, r.WithContext(ctx), fault)
	}
}

// discard is a ResponseWriter that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
