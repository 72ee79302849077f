package rs

import (
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// document is a protected resource metadata document and where it was found.
type document struct {
	url     string
	members map[string]any
}

// wellKnown fetches the metadata of an MCP server from the well-known locations: with the path inserted, then at the
// root. It returns nil when neither has it.
func wellKnown(t *server.T, server string) *document {
	for _, at := range target.ResourceMetadataURLs(server) {
		if members, _, err := t.Get(at); err == nil {
			return &document{at, members}
		}
	}
	return nil
}

// pointedTo fetches the metadata that the challenge of an unauthorized request names; nil when it names none.
func pointedTo(t *server.T, server string) *document {
	a := t.Send(t.KnockAt(server, ""), reports.Setup, "no token: what does the challenge name?")
	params, _ := challenge(a)
	at := params["resource_metadata"]
	if at == "" {
		return nil
	}
	members, _, err := t.Get(at)
	if err != nil {
		t.Failf("the challenge names resource_metadata, but no metadata came from there: %v", err)
	}
	return &document{at, members}
}

// metadata is the document that clients find first: the challenge's, else a well-known one (MCP, protected resource
// metadata discovery).
func metadata(t *server.T) *document {
	if d := pointedTo(t, t.Config.URL); d != nil {
		return d
	}
	if d := wellKnown(t, t.Config.URL); d != nil {
		return d
	}
	t.Failf("no protected resource metadata: the challenge names none, and none is at %s",
		strings.Join(target.ResourceMetadataURLs(t.Config.URL), " or "))
	return nil
}

var _ = check.For("RS-PRM", func() {
	server.It("well-known", "serves its protected resource metadata at a well-known location", func(t *server.T) {
		if wellKnown(t, t.Config.URL) != nil {
			return
		}
		d := metadata(t)
		t.Warnf("the metadata is only at %s, which the challenge names; MCP allows that, RFC 9728 3 wants it at %s too",
			d.url, target.ResourceMetadataURLs(t.Config.URL)[0])
	}, check.Open(), check.Sends("GET requests without a token for the well-known locations: path inserted, then root"))

	server.It("authorization-servers", "lists at least one authorization server in its metadata", func(t *server.T) {
		list := server.Texts(metadata(t).members["authorization_servers"])
		Expect(list).NotTo(BeEmpty(), "authorization_servers must be an array with at least one issuer identifier (MCP)")
		for _, issuer := range list {
			u, err := url.Parse(issuer)
			if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
				t.Failf(
					"authorization_servers holds %q: expected an issuer identifier, a URL without query and fragment (RFC 8414 2)",
					issuer,
				)
			}
		}
		Expect(list).To(ContainElement(t.Issuer()), "the authorization server that issues the tokens must be listed")
	}, check.Open(), check.Sends("A GET request for the metadata"))

	server.It("bearer-methods", "does not exclude the Authorization header in "+
		"bearer_methods_supported", func(t *server.T) {
		methods, present := metadata(t).members["bearer_methods_supported"]
		if !present {
			return
		}
		Expect(server.Texts(methods)).To(ContainElement("header"), "MCP clients send tokens in the header and nowhere else")
		for _, m := range server.Texts(methods) {
			if m == "query" {
				t.Failf("bearer_methods_supported offers query: tokens must not stand in URLs (MCP 2025-11-25, Token Requirements)")
			}
		}
	}, check.Open(), check.Sends("A GET request for the metadata"))
})

var _ = check.For("RS-PRM-RESOURCE", func() {
	server.It("identical", "names itself in its metadata exactly as clients address it", func(t *server.T) {
		d := wellKnown(t, t.Config.URL)
		if d == nil {
			t.Skipf("no metadata at a well-known location: see identical-challenge")
		}
		judgeResource(t, d, t.Config.URL)
	}, check.Open(), check.Sends("GET requests for the well-known locations"))

	server.It("identical-challenge", "names itself exactly in the metadata that its "+
		"challenge points to", func(t *server.T) {
		d := pointedTo(t, t.Config.URL)
		if d == nil {
			t.Skipf("the challenge names no resource_metadata")
		}
		judgeResource(t, d, t.Config.URL)
	}, check.Open(), check.Sends("A request without a token, then a GET request for the resource_metadata of "+
		"the challenge"))

	server.It("second-server", "has a resource identifier of its own beside the second MCP server", func(t *server.T) {
		other := pointedTo(t, t.Config.SecondServer)
		if other == nil {
			other = wellKnown(t, t.Config.SecondServer)
		}
		if other == nil {
			t.Failf("no protected resource metadata for %s", t.Config.SecondServer)
		}
		judgeResource(t, other, t.Config.SecondServer)
		Expect(
			other.members["resource"],
		).NotTo(
			Equal(metadata(t).members["resource"]),
			"two MCP servers must not share an identifier",
		)
	}, check.Open(), check.With(server.NeedsSecondServer),
		check.Sends("GET requests for the metadata of both MCP servers"))
})

// judgeResource compares code point by code point (RFC 9728 3.3). Metadata at the root may speak for the origin, since
// that is what its URL was derived from; an empty path and "/" are the same URL there.
func judgeResource(t *server.T, d *document, server string) {
	allowed := []string{server}
	if u, err := url.Parse(d.url); err == nil && strings.HasSuffix(u.Path, "/.well-known/oauth-protected-resource") {
		origin := u.Scheme + "://" + u.Host
		allowed = append(allowed, origin, origin+"/")
	}
	resource, _ := d.members["resource"].(string)
	if !slices.Contains(allowed, resource) {
		t.Failf(
			"expected resource to be %q, as clients address the server, but %s says %q: clients must refuse that (RFC 9728 3.3)",
			server,
			d.url,
			resource,
		)
	}
}

var _ = check.For("RS-HTTPS", func() {
	server.It("urls", "uses https in every URL that it publishes", func(t *server.T) {
		d := metadata(t)
		urls := append([]string{t.Config.URL, d.url}, server.Texts(d.members["authorization_servers"])...)
		for _, member := range []string{"resource", "jwks_uri"} {
			if u, ok := d.members[member].(string); ok {
				urls = append(urls, u)
			}
		}
		for _, u := range urls {
			if !secure(u) {
				t.Failf("expected https (or http on loopback) in every URL, but saw %s: tokens would travel in the "+
					"clear (MCP Communication Security)",
					wire.Printable(u, 200))
			}
		}
	}, check.Open(), check.Sends("A request without a token and a GET request for the metadata that the "+
		"challenge points to"))
})
