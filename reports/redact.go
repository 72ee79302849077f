package reports

import (
	"net/http"

	"github.com/emaconform/emaconform/reports/redact"
)

// Redact hides in a report what shows a secret of the run. Exchanges are redacted as they are recorded; this finds what
// was not known to be a secret then: a target may show one check what it gives to another at that moment.
func Redact(r *Report, secrets *redact.Set) {
	s := scrubber{secrets, map[string]string{}}
	s.texts(&r.Problem, &r.Target.Resource, &r.Target.AuthorizationServer, &r.Target.TokenEndpoint)
	for i := range r.Preflight {
		step := &r.Preflight[i]
		s.texts(&step.Saw, &step.Fix)
		s.exchanges(step.Exchanges)
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		s.texts(&c.Message)
		s.list(c.Warnings)
		s.list(c.Notes)
		s.exchanges(c.Exchanges)
	}
}

// ours are the kinds of tokens that the other side did not write. What we send was redacted when it was recorded.
var ours = map[string]bool{"id-jag": true, "client assertion": true, "dpop proof": true}

// scrubber scrubs each text once: most headers and many bodies are alike.
type scrubber struct {
	secrets *redact.Set
	done    map[string]string
}

func (s scrubber) texts(list ...*string) {
	for _, text := range list {
		clean, done := s.done[*text]
		if !done {
			clean = s.secrets.Scrub(*text, nil)
			s.done[*text] = clean
		}
		*text = clean
	}
}

func (s scrubber) list(list []string) {
	for i := range list {
		s.texts(&list[i])
	}
}

func (s scrubber) exchanges(list []Exchange) {
	for i := range list {
		e := &list[i]
		s.texts(&e.Error)
		for n := range e.Tokens {
			if t := &e.Tokens[n]; !ours[kind(t.Ref)] {
				s.texts(&t.Header, &t.Claims)
			}
		}
		if e.Response != nil {
			s.texts(&e.Response.Body)
			e.Response.Header = s.header(e.Response.Header)
		}
	}
}

func (s scrubber) header(h http.Header) http.Header {
	for name, values := range h {
		s.list(values)
		clean := name
		if s.texts(&clean); clean != name {
			delete(h, name)
			h[clean] = append(h[clean], values...)
		}
	}
	return h
}
