package target_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Whatever stands in a challenge or in metadata as an identifier, the places to look at are of its origin.
func FuzzDiscovery(f *testing.F) {
	for _, text := range []string{"https://a.example/mcp", "http://[::1", "//evil.example", "https://a.example/%zz",
		"https://u:p@a.example/..//x",
		`Bearer resource_metadata="`, "Bearer resource_metadata=x, error=\"y\"", "\x00"} {
		mutate.Add(f, text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_ = target.ResourceMetadataFromChallenge(http.Header{"Www-Authenticate": {text}})
		id, err := url.Parse(text)
		for _, list := range [][]string{target.ResourceMetadataURLs(text), target.ServerMetadataURLs(text)} {
			for _, at := range list {
				if u, broken := url.Parse(at); err == nil && id.Host != "" && broken == nil && u.Host != id.Host {
					t.Errorf("%q leads to %q", text, at)
				}
			}
		}
	})
}

// Metadata are read whatever is in them, and requests for them stay at the origin that was asked for.
func FuzzMetadata(f *testing.F) {
	for _, text := range []string{
		`{"issuer":"https://a.example","token_endpoint":"https://a.example/t","grant_types_supported":["a"]}`,
		`{"resource":"https://a.example/mcp","authorization_servers":["https://a.example"],"scopes_supported":[null,1,{}]}`,
		`{"token_endpoint":["x"],"grant_types_supported":{"a":1}}`, `[{}]`, `{"a":1}{"b":2}`, "<html>",
		`{"token_endpoint":1e999}`} {
		mutate.Add(f, []byte(text), "/other?a=b#c")
	}
	f.Fuzz(func(t *testing.T, body []byte, location string) {
		asked := 0
		object, a, err := target.Fetch(func(r *wire.Request) *wire.Answer {
			asked++
			if u, err := url.Parse(r.URL); err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, "a.example") {
				t.Errorf("a request goes to %q", r.URL)
			}
			if asked == 1 && location != "" {
				return &wire.Answer{Status: http.StatusFound, Header: http.Header{"Location": {location}}}
			}
			return &wire.Answer{Status: http.StatusOK, Body: body}
		}, "https://a.example/metadata")
		if a == nil || (err == nil) != (object != nil) || asked > 2 {
			t.Errorf("%d requests, error %v", asked, err)
		}
		d := target.Discovered{ResourceMetadata: object, ServerMetadata: object}
		_, _ = d.Endpoint("token_endpoint"), d.Lists("grant_types_supported", "a")
		for member := range object {
			_ = target.Covers(member, d.Endpoint(member))
		}
	})
}
