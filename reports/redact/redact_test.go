package redact_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/reports/redact"
)

// char is one character of an encoded text, and the characters of the secret that it was made of; no part of the secret
// when to is 0.
type char struct {
	c        byte
	from, to int
}

type encoder struct {
	name string
	do   func([]char, *rand.Rand) []char
}

// each writes every character in a way of its own.
func each(format func(c byte) string) func([]char, *rand.Rand) []char {
	return func(in []char, _ *rand.Rand) (out []char) {
		for _, c := range in {
			for _, b := range []byte(format(c.c)) {
				out = append(out, char{b, c.from, c.to})
			}
		}
		return out
	}
}

func unreserved(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }

func base64As(digits string) func([]char, *rand.Rand) []char {
	return func(in []char, r *rand.Rand) (out []char) {
		for range r.IntN(3) { // what stands before the secret in the encoded text
			in = append([]char{{c: '{'}}, in...)
		}
		for i := 0; i < len(in)*8; i += 6 {
			var value byte
			from, to := 1<<30, 0
			for bit := i; bit < i+6; bit++ {
				value <<= 1
				if bit/8 >= len(in) {
					continue
				}
				c := in[bit/8]
				value |= c.c >> (7 - bit%8) & 1
				if c.to > 0 {
					from, to = min(from, c.from), max(to, c.to)
				}
			}
			out = append(out, char{digits[value], from, to})
		}
		return out
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var (
	reversible = []encoder{
		{"percent", each(func(c byte) string {
			if unreserved(c) {
				return string(c)
			}
			return fmt.Sprintf("%%%02X", c)
		})},
		{"percent all, lower", each(func(c byte) string { return fmt.Sprintf("%%%02x", c) })},
		{"json", each(func(c byte) string { return fmt.Sprintf(`\u%04x`, c) })},
		{"json, some", each(func(c byte) string {
			if unreserved(c) {
				return string(c)
			}
			return fmt.Sprintf(`\u%04X`, c)
		})},
		{"c", each(func(c byte) string { return fmt.Sprintf(`\x%02x`, c) })},
		{"octal", each(func(c byte) string { return fmt.Sprintf(`\%03o`, c) })},
		{"html", each(func(c byte) string { return fmt.Sprintf("&#%d;", c) })},
		{"html, hexadecimal", each(func(c byte) string { return fmt.Sprintf("&#x%X;", c) })},
		{"base64", base64As(alphabet + "+/")},
		{"base64url", base64As(alphabet + "-_")},
		{"hex", each(func(c byte) string { return fmt.Sprintf("%02x", c) })},
		{"HEX", each(func(c byte) string { return fmt.Sprintf("%02X", c) })},
		{"backwards", func(in []char, _ *rand.Rand) []char {
			in = slices.Clone(in)
			slices.Reverse(in)
			return in
		}},
		{"lines", func(in []char, r *rand.Rand) (out []char) {
			n := 1 + r.IntN(20)
			for i, c := range in {
				if out = append(out, c); i%n == n-1 {
					out = append(out, char{c: '\r'}, char{c: '\n'})
				}
			}
			return out
		}},
		{"spaced", func(in []char, _ *rand.Rand) (out []char) {
			for _, c := range in {
				out = append(out, c, char{c: ' '})
			}
			return out
		}},
	}
	cases = []encoder{
		{"upper", each(func(c byte) string { return strings.ToUpper(string(c)) })},
		{"lower", each(func(c byte) string { return strings.ToLower(string(c)) })},
	}
	parts = []encoder{
		{"first half", func(in []char, _ *rand.Rand) []char { return in[:len(in)/2] }},
		{"last half", func(in []char, _ *rand.Rand) []char { return in[len(in)/2:] }},
		{"some of it", func(in []char, r *rand.Rand) []char {
			from := r.IntN(max(1, len(in)-12))
			return in[from:min(len(in), from+9+r.IntN(20))]
		}},
		{"whole", func(in []char, _ *rand.Rand) []char { return in }},
	}
)

// compose encodes a secret in ways that a stream of random numbers chooses, and says which.
func compose(secret string, r *rand.Rand) ([]char, string) {
	text := make([]char, len(secret))
	for i := range len(secret) {
		text[i] = char{secret[i], i, i + 1}
	}
	var names []string
	apply := func(e encoder) {
		text = e.do(text, r)
		names = append(names, e.name)
	}
	apply(parts[r.IntN(len(parts))])
	if r.IntN(3) == 0 {
		apply(cases[r.IntN(2)])
	}
	for range r.IntN(4) {
		if len(text) > 4000 {
			break
		}
		apply(reversible[r.IntN(len(reversible))])
	}
	return text, strings.Join(names, ", ")
}

// survives is the longest row of characters of the secret that are still there, each with all that was made of it.
func survives(text []char, hidden func(i int) bool, length int) int {
	lost, there := make([]bool, length), make([]bool, length)
	for i, c := range text {
		if c.to == 0 {
			continue
		}
		for k := c.from; k < c.to; k++ {
			there[k] = true
			lost[k] = lost[k] || hidden(i)
		}
	}
	longest, row := 0, 0
	for k := range length {
		if !there[k] || lost[k] {
			row = 0
			continue
		}
		row++
		longest = max(longest, row)
	}
	return longest
}

const before, after = `{"error_description":"cannot take `, ` as it is","error":"invalid_grant"}`

// check hides a secret, encoded at random, and demands that at most eight characters of it stay in a row.
func check(t *testing.T, secret string, r *rand.Rand) {
	t.Helper()
	s := redact.New("https://mcp.example/mcp", "notes.read")
	s.Hide("secret of client a", secret)
	text, how := compose(secret, r)
	var b strings.Builder
	b.WriteString(before)
	for _, c := range text {
		b.WriteByte(c.c)
	}
	b.WriteString(after)
	spans := s.Find(b.String())
	hidden := func(i int) bool {
		i += len(before)
		return slices.ContainsFunc(spans, func(s redact.Span) bool { return s.From <= i && i < s.To })
	}
	if n := survives(text, hidden, len(secret)); n > 8 {
		t.Fatalf("%d characters of a secret stay in a row after %s", n, how)
	}
	if clean := s.Scrub(b.String(), nil); strings.Contains(clean, secret) {
		t.Fatalf("the secret is still there after %s", how)
	}
}

// secretOf makes a secret of one of the forms that occur, from random numbers.
func secretOf(r *rand.Rand) string {
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	switch r.IntN(4) {
	case 0:
		return base64.RawURLEncoding.EncodeToString(bytesOf(32))
	case 1:
		return fmt.Sprintf("%x", bytesOf(20))
	case 2:
		b := bytesOf(24)
		for i := range b {
			b[i] = '!' + b[i]%94
		}
		return string(b)
	default:
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"00u1alice"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(bytesOf(96))
	}
}

func TestNothingSurvivesAnyEncoding(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		check(t, secretOf(r), r)
	}
}

func FuzzEncodings(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		check(t, secretOf(r), r)
	})
}

// Whatever a target sends, it is read to its end, and what is found lies within it, in order.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"%25%2", `\u{1`, "&#x", `\U0001`, "&amp", "\xff%ff", strings.Repeat("%25", 40)} {
		mutate.Add(f, s)
	}
	s := redact.New()
	s.Know("token", "0123456789abcdef")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, span := range s.Find(text) {
			if span.From < last || span.To <= span.From || span.To > len(text) {
				t.Fatalf("span %d to %d after %d in %d bytes", span.From, span.To, last, len(text))
			}
			last = span.To
		}
	})
}

func TestWholeSecretsKeepTheirNames(t *testing.T) {
	t.Parallel()
	s := redact.New("connector-a")
	s.Hide("secret of client a", "connector-a-secret-0815-xyz")
	s.Know("access token", "opaque-access-token-0123456789")
	s.Hide("pin", "4711")
	for text, want := range map[string]string{
		"saw opaque-access-token-0123456789!":          "saw ‹access token›!",
		"saw opaque%2Daccess%2dtoken-0123456789!":      "saw ‹access token›!",
		"connector-a has connector-a-secret-0815-xyz.": "connector-a has ‹secret of client a›.",
		"half of it: access-token-01":                  "half of it: ‹hidden›",
		"the pin 4711":                                 "the pin ‹pin›",
		"nothing of the kind":                          "nothing of the kind",
	} {
		if got := s.Scrub(text, nil); got != want {
			t.Errorf("%q became %q, expected %q", text, got, want)
		}
	}
}

// A run has some 1,300 exchanges and as many tokens.
func BenchmarkRun(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func(n int) string {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	const exchanges = 1300
	var tokens, answers []string
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"oauth-id-jag+jwt","kid":"2026-01"}`))
	for i := range exchanges {
		claims := fmt.Sprintf(`{"iss":"https://idp.example","sub":"00u1alice","aud":"https://ras.example","exp":%d,"jti":%q}`,
			i, random(16))
		token := head + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + random(256)
		tokens = append(tokens, token)
		answers = append(answers, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":300,`+
			`"scope":"notes.read notes.write"}
Content-Type: application/json
Cache-Control: no-store
Date: Sat, 14 Mar 2026 09:26:53 GMT
WWW-Authenticate: Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"`, random(32)))
	}
	b.ResetTimer()
	for b.Loop() {
		s := redact.New("https://mcp.example/mcp", "https://ras.example")
		for i, token := range tokens {
			s.Know("id-jag", token)
			s.Scrub(answers[i], nil)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/exchanges, "µs/exchange")
}
