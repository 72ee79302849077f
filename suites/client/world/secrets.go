package world

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Kinds of secrets.
const (
	IDToken       = "id token"
	IDJAG         = "id-jag"
	AccessToken   = "access token"
	LoginToken    = "identity provider's access token"
	RefreshToken  = "refresh token"
	SAMLAssertion = "saml assertion"
	Code          = "authorization code"
	Verifier      = "code verifier"
	ClientSecret  = "client secret"
)

// Secret is something that only some parties may see.
type Secret struct {
	Kind  string
	Value string
	For   []*Party // who may receive it, in a body or an Authorization header
}

// Plain reports whether nothing in the secret is worth showing.
func (s Secret) Plain() bool { return s.Kind == ClientSecret || s.Kind == Verifier }

// issue remembers a secret and returns its value.
func (w *World) issue(kind, value string, allowed ...*Party) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, Secret{kind, value, allowed})
	return value
}

// Secrets returns every secret that was given out so far.
func (w *World) Secrets() []Secret {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.secrets)
}

// Leak is a secret where it must not be.
type Leak struct {
	Kind  string
	Where string // continues "the id token stood in …"
	Party *Party // who received it and must not have it; nil when it stood where it must never stand
}

func (l Leak) String() string { return fmt.Sprintf("the %s stood in %s", l.Kind, l.Where) }

// mayBeHint reports whether a request is one to the IdP that shows it its own ID token (OpenID Connect Core 3.1.2.1).
func (s Secret) mayBeHint(r *Seen) bool {
	return s.Kind == IDToken && slices.Contains(s.For, r.Party) && r.Query.Get("id_token_hint") == s.Value
}

// Leaks searches every request and, besides, these texts by their names (standard output, standard error) for secrets
// that do not belong there: at the wrong party, in a URL, in a Referer, in a text.
func (w *World) Leaks(texts map[string][]byte) []Leak {
	var leaks []Leak
	add := func(s Secret, party *Party, format string, args ...any) {
		l := Leak{s.Kind, fmt.Sprintf(format, args...), party}
		if !slices.Contains(leaks, l) {
			leaks = append(leaks, l)
		}
	}
	requests := w.Seen()
	for _, secret := range w.Secrets() {
		needles := needlesOf(secret)
		for _, r := range requests {
			what := r.Party.Name
			if r.Step != "" {
				what += " (" + r.Step + ")"
			}
			switch {
			case secret.mayBeHint(&r):
			case secret.Kind != Code && contains(needles, []byte(r.URL)):
				add(secret, nil, "the URL of a request to %s", what)
			case contains(needles, []byte(strings.Join(r.Header.Values("Referer"), " "))):
				add(secret, nil, "the Referer of a request to %s", what)
			case !slices.Contains(secret.For, r.Party) && contains(needles, r.haystack()):
				add(secret, r.Party, "a request to %s, who must not have it", what)
			}
		}
		for name, text := range texts {
			if contains(needles, text) {
				add(secret, nil, "the client's %s", name)
			}
		}
	}
	return leaks
}

// In returns the kinds of secrets that stand in a text, each once.
func (w *World) In(text []byte) []string {
	var kinds []string
	for _, s := range w.Secrets() {
		if !slices.Contains(kinds, s.Kind) && contains(needlesOf(s), text) {
			kinds = append(kinds, s.Kind)
		}
	}
	return kinds
}

// needlesOf are the forms in which a secret turns up: as it is, and percent-encoded. Of a JWT the signature is
// searched, which is all that a thief lacks, and the whole assertion would be found by it too.
func needlesOf(s Secret) [][]byte {
	value := s.Value
	if parts := strings.Split(value, "."); len(parts) == 3 && len(parts[2]) > 20 {
		value = parts[2]
	}
	needles := [][]byte{[]byte(value)}
	if escaped := url.QueryEscape(value); escaped != value {
		needles = append(needles, []byte(escaped))
	}
	return needles
}

func contains(needles [][]byte, hay []byte) bool {
	return slices.ContainsFunc(needles, func(n []byte) bool { return bytes.Contains(hay, n) })
}

// haystack is everything of a request but its URL, with Basic credentials decoded.
func (s *Seen) haystack() []byte {
	var b bytes.Buffer
	for _, values := range s.Header {
		for _, v := range values {
			b.WriteString(v + "\n")
			if scheme, encoded, _ := strings.Cut(v, " "); strings.EqualFold(scheme, "basic") {
				raw, _ := base64.StdEncoding.DecodeString(encoded)
				b.Write(append(raw, '\n'))
			}
		}
	}
	b.Write(s.Body)
	return b.Bytes()
}
