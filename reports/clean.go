package reports

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emaconform/emaconform/reports/redact"
)

// visible makes a string that a target may have provided fit for any reader: what would steer a terminal, hide text or
// turn its direction is shown as an escape such as \u001b. Line breaks and tabs stay. Invalid UTF-8 becomes U+FFFD,
// byte by byte, as in JSON.
func visible(s string) string {
	if !strings.ContainsFunc(s, steers) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !steers(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// steers reports whether a reader could not see r, or would see something else because of it: control and format
// characters (ESC, zero-width, bidirectional marks, byte order mark) and the separators U+2028 and U+2029.
func steers(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' && r != '\n' && r != '\t' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Line makes a string that somebody else wrote fit for a line of text: one line, at most n characters, and no control
// characters, which would steer a terminal; they are shown as escapes.
func Line(s string, n int) string { return cut(line(s), n) }

// line is visible on a single line: runs of white space become one space.
func line(s string) string { return visible(strings.Join(strings.Fields(s), " ")) }

// cut shortens s to at most n runes, the last of them an ellipsis where something is missing.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

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
