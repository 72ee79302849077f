package rs

import (
	"net/http"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/wire"
)

// A challenge is read whatever stands in it, and what is shown of it is printable and short.
func FuzzChallenge(f *testing.F) {
	for _, text := range []string{`Bearer resource_metadata="https://a.example/x", error="invalid_token"`,
		`Basic realm="a", Bearer error=invalid_token, scope="a b"`, `Bearer "`, `Bearer a="\`,
		`Bearer a=b, , DPoP algs="ES256"`,
		"Bearer realm=\"\\\"\", resource_metadata=x", "Negotiate YII=, Bearer"} {
		mutate.Add(f, text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := &wire.Answer{Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {text}}}
		params, ok := challenge(a)
		if !ok && len(params) > 0 {
			t.Errorf("parameters of no challenge: %q", params)
		}
		if strings.ContainsAny(seen(a), "\x1b\u009b\n\r\u202e") || len(seen(a)) > 1000 {
			t.Errorf("%q is shown", seen(a))
		}
	})
}
