package world

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// Seen is one request that a party received, and its answer. It holds secrets: it is for judging, not for showing.
type Seen struct {
	Party  *Party
	Step   string // what it was, "" when nothing is there
	Method string
	URL    string // whole, with the query
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	Form   url.Values // of the body

	Status   int
	Answer   http.Header
	Answered []byte // the beginning of the answer's body
	Sent     int    // bytes of the answer's body
	At       time.Time
	Took     time.Duration

	world *World
}

func (s *Seen) set(change func(*Seen)) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	change(s)
}

// note remembers a request.
func (w *World) note(p *Party, c *Call) *Seen {
	r := c.Request
	asked, ok := r.Context().Value(askedFor{}).(string)
	if !ok {
		asked = p.URL + r.URL.RequestURI()
	}
	s := &Seen{
		Party: p, Method: r.Method, URL: asked,
		Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(),
		Body: c.Body, Form: c.Form, At: time.Now(), world: w,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) < MaxRequests {
		w.seen = append(w.seen, s)
	}
	if len(w.seen) == MaxRequests {
		w.flood.Do(func() { close(w.flooded) })
	}
	return s
}

// MaxRequests is how many requests of one client a world remembers; then it counts as flooded.
const MaxRequests = 300

// Flooded is closed when a client has sent more requests than any honest flow needs.
func (w *World) Flooded() <-chan struct{} { return w.flooded }

// Seen returns what all parties have received so far, in order.
func (w *World) Seen() []Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Seen, len(w.seen))
	for i, s := range w.seen {
		list[i] = *s
		list[i].Answered = slices.Clone(s.Answered)
	}
	return list
}

// Record puts what was seen into a record, redacted, with everything that is a secret here.
func (w *World) Record(rec *wire.Recorder, part reports.Part) {
	for _, s := range w.Secrets() {
		if s.Plain() {
			rec.Hide(s.Value, s.Kind)
		} else {
			rec.Know(s.Kind, s.Value)
		}
	}
	for _, s := range w.Seen() {
		request := &wire.Request{Method: s.Method, URL: s.URL, Header: s.Header}
		if len(s.Form) > 0 {
			for name, values := range s.Form {
				for _, v := range values {
					request.AddField(name, v)
				}
			}
			slices.SortFunc(request.Form, func(a, b reports.Field) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
		} else {
			request.Body = s.Body
		}
		note := s.Party.Name
		if s.Step != "" {
			note += ": " + s.Step
		}
		rec.Observe(request, &wire.Answer{Status: s.Status, Header: s.Answer, Body: s.Answered}, part, note, s.Took)
	}
}

// witness writes an answer and remembers its beginning.
type witness struct {
	http.ResponseWriter
	seen  *Seen
	world *World
	once  sync.Once
}

const keptAnswer = 16 << 10

func (w *witness) WriteHeader(status int) {
	w.once.Do(func() {
		w.seen.set(func(s *Seen) { s.Status, s.Answer = status, w.Header().Clone() })
	})
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	w.once.Do(func() {
		w.seen.set(func(s *Seen) { s.Status, s.Answer = http.StatusOK, w.Header().Clone() })
	})
	n, err := w.ResponseWriter.Write(p)
	w.seen.set(func(s *Seen) {
		s.Sent += n
		if room := keptAnswer - len(s.Answered); room > 0 {
			s.Answered = append(s.Answered, p[:min(room, n)]...)
		}
	})
	return n, err
}

func (w *witness) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *witness) done() { w.seen.set(func(s *Seen) { s.Took = time.Since(s.At) }) }
