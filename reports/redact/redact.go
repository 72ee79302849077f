// Package redact finds the secrets of a run in text that somebody else wrote, whatever they are encoded in: percent
// encoding, JSON and HTML escapes, base64 and base64url at any offset, hex, another case, backwards, taken apart by
// separators, in part, and these within each other.
//
// It keeps no more than fingerprints of eight characters of each secret, compares without regard to case, direction and
// the two alphabets of base64, and looks at text as it is and as each decoder reads it. What two fingerprints in a row
// cover is hidden, so that at most eight characters of a secret stay in a row.
package redact

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
)

const (
	window    = 8       // characters of a fingerprint
	shortest  = 4       // a secret with fewer characters is none
	lasting   = 200     // characters of a secret that is looked for in lossy encodings, too
	longest   = 8 << 10 // characters of a secret that are looked for
	crowded   = 2 << 20 // fingerprints, after which a new secret gets few
	few       = 256     // characters
	hiddenRef = "‹hidden›"
)

// Secret is a value that no output may show.
type Secret struct {
	Kind  string // what it is: "access token", "secret of client a"
	value string
}

// Set is the secrets of a run. It is safe for concurrent use.
type Set struct {
	mu      sync.RWMutex
	known   map[string]*Secret
	windows table
	public  table
	heads   map[uint64][]*Secret // by the first fingerprint
	short   []*Secret            // too short for fingerprints: found whole only

	// Added, when it is not nil, hears of each secret that is new. It is to be set before the set is used.
	Added func(kind, value string)
}

// New makes an empty set. Fingerprints of what is public (URLs, client ids, names) are nobody's secret, even when a
// secret has them, too: else a secret "connector-a-secret" would hide each "connector-a".
func New(public ...string) *Set {
	s := &Set{known: map[string]*Secret{}, heads: map[uint64][]*Secret{}}
	s.Publish(public...)
	s.Publish("access_token", "refresh_token", "client_assertion_type", "client_secret_basic", "client_secret_post",
		"private_key_jwt", "authorization_code", "authorization_server", "application/json", "x-www-form-urlencoded",
		"urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:token-type:access_token",
		"oauth-protected-resource", "oauth-authorization-server", "openid-configuration")
	return s
}

// Publish adds to what is public. It counts for secrets that are added later.
func (s *Set) Publish(public ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range public {
		fingerprints(p, func(key uint64) { s.public.add(key) })
	}
}

// Know adds a secret that the run made or was given for a while: a token, a code, a cookie. It returns the secret, the
// one that it already had where it knew the value, and nil for a value that is too short to be a secret.
func (s *Set) Know(kind, value string) *Secret {
	if len(value) < window {
		return nil
	}
	return s.add(kind, value, false)
}

// Hide adds a secret that outlives the run: a client secret, a password, a private key. It is found in upper and lower
// case of its base64, too, from which nobody could decode it.
func (s *Set) Hide(kind, value string) *Secret {
	if len(value) < shortest {
		return nil
	}
	return s.add(kind, value, len(value) <= lasting)
}

func (s *Set) add(kind, value string, twice bool) *Secret {
	value = value[:min(len(value), longest)]
	s.mu.RLock()
	known := s.known[value]
	s.mu.RUnlock()
	if known != nil {
		return known
	}
	s.mu.Lock()
	known = s.known[value]
	if known == nil {
		known = s.take(kind, value, twice)
	}
	s.mu.Unlock()
	if s.Added != nil {
		s.Added(kind, value)
	}
	return known
}

func (s *Set) take(kind, value string, twice bool) *Secret {
	if s.windows.used > crowded && !twice { // only somebody who wants us to run out of memory hands out so much
		value = value[:min(len(value), few)]
	}
	value = strings.Clone(value) // not a part of an answer, which would stay in memory with it
	added := &Secret{kind, value}
	s.known[value] = added
	if len(value) <= window {
		s.short = append(s.short, added)
		return added
	}
	head := headOf(value)
	s.heads[head] = append(s.heads[head], added)
	forms := []string{value}
	if twice {
		forms = append(forms, encoded(value)...)
		backwards := []byte(value)
		slices.Reverse(backwards)
		forms = append(forms, encoded(string(backwards))...)
	}
	for _, form := range forms {
		fingerprints(form, func(key uint64) {
			if !s.public.has(key) {
				s.windows.add(key)
			}
		})
	}
	return added
}

// encoded is a value in base64 at each of the three offsets that it can have in a longer text.
func encoded(value string) []string {
	var list []string
	for offset := range 3 {
		text := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + value))
		list = append(list, text[(offset*8+5)/6:])
	}
	return list
}

// Find returns where text shows a secret or a part of one, in order and without overlap.
func (s *Set) Find(text string) []Span { return s.search(text, depth) }

func (s *Set) search(text string, depth int) []Span {
	if len(text) < shortest {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.known) == 0 {
		return nil
	}
	if known, from := s.stands(text); known != nil {
		return []Span{{from, len(text), known}}
	}
	f := finders.Get().(*finder)
	defer finders.Put(f)
	return f.find(s, text, depth)
}

// stands returns the secret that a text is, from here on: most of what a run records is a token, or a token behind the
// name of its scheme, and looking it up takes a hundredth of the time of looking for it.
func (s *Set) stands(text string) (known *Secret, from int) {
	if scheme := strings.IndexByte(text[:min(len(text), longestScheme)], ' '); scheme > 0 {
		from = scheme + 1
	}
	if len(text)-from <= window {
		return nil, 0
	}
	return s.known[text[from:]], from
}

const longestScheme = len("Bearer ")

// Span is a part of a text that shows a secret.
type Span struct {
	From, To int     // in bytes; To is behind the last
	Secret   *Secret // the secret that stands there whole; nil for a part of one
}

// Scrub hides in text all that shows a secret. name says what stands for a whole secret; nil is its kind in ‹ and ›.
// A part of a secret becomes ‹hidden›.
func (s *Set) Scrub(text string, name func(*Secret) string) string {
	return replace(text, s.Find(text), name)
}

// Glance is Scrub for text that Scrub will see, too, before anybody reads it: it looks at no more than the text and its
// escapes.
func (s *Set) Glance(text string, name func(*Secret) string) string {
	return replace(text, s.search(text, 0), name)
}

func replace(text string, spans []Span, name func(*Secret) string) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	last := 0
	for _, span := range spans {
		b.WriteString(text[last:span.From])
		switch {
		case span.Secret == nil:
			b.WriteString(hiddenRef)
		case name == nil:
			b.WriteString("‹" + span.Secret.Kind + "›")
		default:
			b.WriteString(name(span.Secret))
		}
		last = span.To
	}
	b.WriteString(text[last:])
	return b.String()
}
