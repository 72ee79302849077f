package server

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/emaconform/emaconform/suites/wire"
)

// trace is what a program prints when it breaks: Go, Python, Java, JavaScript, .NET, PHP, Ruby.
var trace = regexp.MustCompile(`goroutine \d+ \[|panic: |Traceback \(most recent call last\)|\n\s+at [\w.$<>]+ ?\(|` +
	`\w+Exception: |Stack trace:|\.rb:\d+:in `)

// JSONOf is the JSON form of these members.
func JSONOf(members map[string]any) []byte {
	raw, err := json.Marshal(members)
	if err != nil {
		panic(err) // our own literals
	}
	return raw
}

// ExpectOAuthError fails on what a parser answers that was taken by surprise: nothing, a 5xx, a trace, no OAuth error.
func ExpectOAuthError(t *T, a *wire.Answer) {
	switch {
	case Granted(a):
		t.Failf("expected an OAuth error, but the request was granted")
	case a.Err != nil:
		t.Failf("expected an OAuth error, but there was %s, while an honest request is answered", a.Summary())
	case a.Status >= 500:
		t.Failf("expected an OAuth error, but the target answered HTTP %d: the request broke it (RFC 7521 4.1.1)", a.Status)
	case trace.Match(a.Body):
		t.Failf("expected an OAuth error, but the answer (HTTP %d) holds a stack trace: strangers learn from it",
			a.Status)
	case a.String("error") == "":
		t.Failf("expected an OAuth error as a JSON object with error (RFC 6749 5.2), but the target answered %s", a.Summary())
	}
}

// Describe shows a metadata member for a message.
func Describe(value any) string {
	if value == nil {
		return "no such member"
	}
	raw, _ := json.Marshal(value) // came from JSON
	return wire.Printable(string(raw), 200)
}

// NoStore reports whether an answer forbids caches to keep it.
func NoStore(a *wire.Answer) bool {
	for _, directive := range strings.Split(strings.Join(a.Header.Values("Cache-Control"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(directive), "no-store") {
			return true
		}
	}
	return false
}

// DescribeMember shows one member of a JSON answer for a message.
func DescribeMember(a *wire.Answer, name string) string {
	object, err := a.Object()
	if err != nil {
		return err.Error()
	}
	return Describe(object[name])
}

// Texts are the strings of a JSON array.
func Texts(value any) (list []string) {
	items, _ := value.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}
