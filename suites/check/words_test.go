package check

import (
	"testing"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/emaconform/emaconform/suites/wire"
)

func TestFailuresReadAsSentences(t *testing.T) {
	granted := &wire.Answer{Status: 200}
	cases := map[string]struct {
		actual      any
		matcher     types.GomegaMatcher
		description []any
		want        string
	}{
		"an answer": {granted, gomega.BeNil(), nil, "expected " + granted.Summary() + " to be nil"},
		"an answer, described": {granted, gomega.BeNil(), []any{"both %s take the token", "servers"},
			"both servers take the token: expected " + granted.Summary() + " to be nil"},
		"a text": {"text/html", gomega.Equal("application/json"), []any{"the media type (RFC 6749 5.1)"},
			"the media type (RFC 6749 5.1): expected text/html to equal application/json"},
		"nothing": {"", gomega.Equal("application/json"), nil, `expected "" to equal application/json`},
		"a list": {[]string{"a", "b"}, gomega.ContainElement("c"), nil,
			`expected ["a", "b"] to contain element matching c`},
		"a description that ends": {1, gomega.Equal(2), []any{"The number is wrong."},
			"The number is wrong. Expected 1 to equal 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var message string
			g := gomega.NewGomega(func(m string, _ ...int) { message = m })
			g.Expect(c.actual).To(c.matcher, c.description...)
			if got := said(message); got != c.want {
				t.Errorf("%q\nread %q, not %q", message, got, c.want)
			}
			g.Eventually(func() any { return c.actual }, "1ns").Should(c.matcher, c.description...)
			if got := said(message); got != c.want {
				t.Errorf("after a wait: %q\nread %q, not %q", message, got, c.want)
			}
		})
	}
}
