package target

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/emaconform/emaconform/suites/wire"
)

// Discovered is what a target publishes about itself. The documents are kept as they came, since checks judge them.
type Discovered struct {
	Resource      string `json:"resource"` // resource identifier of the MCP server
	Issuer        string `json:"issuer"`   // issuer identifier of the RAS
	TokenEndpoint string `json:"token_endpoint"`

	ResourceMetadataURL string         `json:"resource_metadata_url,omitempty"`
	ResourceMetadata    map[string]any `json:"resource_metadata,omitempty"` // RFC 9728
	ServerMetadataURL   string         `json:"server_metadata_url,omitempty"`
	ServerMetadata      map[string]any `json:"server_metadata,omitempty"` // RFC 8414 or OIDC discovery
}

// Endpoint returns an endpoint that the RAS's metadata names, or "".
func (d *Discovered) Endpoint(member string) string {
	s, _ := d.ServerMetadata[member].(string)
	return s
}

// Lists reports whether a list-valued member of the RAS's metadata holds the value.
func (d *Discovered) Lists(member, value string) bool {
	list, _ := d.ServerMetadata[member].([]any)
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}

// Fetch gets a JSON document by send, following at most three redirects: metadata requests carry no credentials.
func Fetch(send func(*wire.Request) *wire.Answer, rawURL string) (map[string]any, *wire.Answer, error) {
	at := rawURL
	for hop := 0; ; hop++ {
		a := send(&wire.Request{URL: at, Header: http.Header{"Accept": {"application/json"}}})
		if a.Err != nil {
			return nil, a, fmt.Errorf("%s: %w", at, a.Err)
		}
		if next := a.Header.Get("Location"); a.Status/100 == 3 && next != "" {
			u, err := resolveReference(at, next)
			if err == nil && !sameOrigin(at, u) {
				return nil, a, fmt.Errorf("%s: redirects to another host, %s: it is not followed there", at,
					wire.Printable(wire.WithoutQuery(u), 200))
			}
			if err != nil || hop == 3 {
				return nil, a, fmt.Errorf("%s: more than three redirects, or one to nowhere", rawURL)
			}
			at = u
			continue
		}
		if a.Status != http.StatusOK {
			return nil, a, fmt.Errorf("%s: HTTP %d", at, a.Status)
		}
		object, err := a.Object()
		if err != nil {
			return nil, a, fmt.Errorf("%s: %w", at, err)
		}
		return object, a, nil
	}
}

// Covers reports whether a resource identifier is that of the MCP server at this URL, or of a path above it: one that
// its metadata may name (RFC 9728 3.3; MCP authorization, Canonical Server URI).
func Covers(resource, serverURL string) bool {
	r, err1 := url.Parse(resource)
	u, err2 := url.Parse(serverURL)
	if err1 != nil || err2 != nil || !strings.EqualFold(r.Scheme, u.Scheme) || !strings.EqualFold(r.Host, u.Host) {
		return false
	}
	above := strings.TrimSuffix(r.Path, "/")
	return u.Path == above || strings.HasPrefix(u.Path, above+"/")
}

func sameOrigin(a, b string) bool {
	x, err1 := url.Parse(a)
	y, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

func resolveReference(base, ref string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u, err := b.Parse(ref)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

var resourceMetadataParam = regexp.MustCompile(`(?i)resource_metadata\s*=\s*(?:"([^"]*)"|([^\s,]+))`)

// ResourceMetadataFromChallenge returns the resource_metadata parameter of the WWW-Authenticate headers, or "" (RFC
// 9728 5.1).
func ResourceMetadataFromChallenge(h http.Header) string {
	for _, v := range h.Values("WWW-Authenticate") {
		if m := resourceMetadataParam.FindStringSubmatch(v); m != nil {
			return m[1] + m[2]
		}
	}
	return ""
}

// ResourceMetadataURLs lists where the metadata of a resource may be: path-inserted, then at the root (RFC 9728 3.1,
// MCP).
func ResourceMetadataURLs(resource string) []string {
	return wellKnown(resource, "oauth-protected-resource", false)
}

// ServerMetadataURLs lists where the metadata of an issuer may be, in the order in which MCP clients look: RFC 8414
// path-inserted, OpenID Connect path-inserted, OpenID Connect appended.
func ServerMetadataURLs(issuer string) []string {
	list := wellKnown(issuer, "oauth-authorization-server", false)[:1]
	oidc := wellKnown(issuer, "openid-configuration", true)
	return append(list, oidc...)
}

func wellKnown(id, suffix string, appended bool) []string {
	u, err := url.Parse(id)
	if err != nil {
		return []string{id}
	}
	origin := u.Scheme + "://" + u.Host
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	list := []string{origin + "/.well-known/" + suffix + path}
	switch {
	case path == "":
	case appended:
		list = append(list, origin+path+"/.well-known/"+suffix)
	default:
		list = append(list, origin+"/.well-known/"+suffix)
	}
	return list
}
