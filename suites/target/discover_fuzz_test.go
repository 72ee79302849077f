package target_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/emaconform/emaconform/suites/target"
)

// Whatever stands in a challenge or in metadata as an identifier, the places to look at are of its origin.
func FuzzDiscovery(f *testing.F) {
	for _, text := range []string{"https://a.example/mcp", "http://[::1", "//evil.example", "https://a.example/%zz",
		"https://u:p@a.example/..//x",
		`Bearer resource_metadata="`, "Bearer resource_metadata=x, error=\"y\"", "\x00"} {
		f.Add(text)
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
