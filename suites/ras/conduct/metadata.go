package conduct

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

const profiles = "authorization_grant_profiles_supported"

// document is metadata of the authorization server as it came from one location.
type document struct {
	url     string
	members map[string]any
	answer  *wire.Answer
}

// documents fetches the metadata from every location that clients derive from the issuer, and keeps what was there.
func documents(t *server.T) (found []document, missing []string) {
	for _, u := range target.ServerMetadataURLs(t.Issuer()) {
		members, answer, err := t.Get(u)
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		found = append(found, document{u, members, answer})
	}
	return found, missing
}

// mustHaveDocuments is documents for checks that have nothing to judge without one.
func mustHaveDocuments(t *server.T) []document {
	found, _ := documents(t)
	if len(found) == 0 {
		t.Skipf("the server publishes no metadata: see RAS-META-DISCOVERY")
	}
	return found
}

var sendsLocations = check.Sends("A GET for each well-known location that clients derive from the issuer identifier")

var _ = check.For("RAS-META-DISCOVERY", func() {
	server.It("location", "serves its metadata at a well-known location derived from its issuer", func(t *server.T) {
		if found, missing := documents(t); len(found) == 0 {
			t.Failf("expected a JSON object at one of the locations of issuer %s, but saw: %s",
				t.Issuer(), strings.Join(missing, "; "))
		}
	}, check.Open(), sendsLocations)

	server.It("media-type", "serves its metadata as application/json", func(t *server.T) {
		for _, d := range mustHaveDocuments(t) {
			Expect(d.answer.MediaType()).To(Equal("application/json"), "the media type of %s (RFC 8414 3.2)", d.url)
		}
	}, check.Open(), sendsLocations)

	server.It("token-endpoint", "names its token endpoint in its metadata", func(t *server.T) {
		found := mustHaveDocuments(t)
		for _, d := range found {
			if other := d.members["token_endpoint"]; other != found[0].members["token_endpoint"] {
				t.Notef("%s names another token endpoint (%s) than %s does", d.url, server.Describe(other), found[0].url)
			}
			endpoint, _ := d.members["token_endpoint"].(string)
			if u, err := url.Parse(endpoint); err != nil || u.Host == "" {
				t.Failf("expected token_endpoint to be an absolute URL in %s (RFC 8414 2), but saw %s",
					d.url, server.Describe(d.members["token_endpoint"]))
			}
		}
	}, check.Open(), sendsLocations)

	server.It("other-issuer", "serves no metadata at the location of an issuer that it is not", func(t *server.T) {
		mustHaveDocuments(t)
		other := strings.TrimSuffix(t.Issuer(), "/") + "/" + strings.ToLower(rand.Text()[:8])
		members, _, err := t.Get(target.ServerMetadataURLs(other)[0])
		if err == nil && members["issuer"] != other {
			t.Failf("asked for the metadata of %s, which does not exist, and got that of %s: a client that does not compare "+
				"the two is led to a server that it did not ask for (RFC 8414 3.3)", other, server.Describe(members["issuer"]))
		}
	}, check.Open(), check.Should(), check.Sends("A GET for the metadata of this issuer with a random path "+
		"segment behind it"))
})

var _ = check.For("RAS-META-ISSUER", func() {
	server.It("identical", "names in its metadata exactly the issuer that the location is "+
		"derived from", func(t *server.T) {
		for _, d := range mustHaveDocuments(t) {
			if d.members["issuer"] != t.Issuer() {
				t.Failf("expected issuer to be %q in %s, character by character, but saw %s: clients must refuse such metadata "+
					"(RFC 8414 3.3). Make authorization_servers of the protected resource metadata and issuer of this document "+
					"the same string.", t.Issuer(), d.url, server.Describe(d.members["issuer"]))
			}
		}
	}, check.Open(), sendsLocations)
})

var _ = check.For("RAS-META-PROFILE", func() {
	server.It("listed", "lists the id-jag grant profile in its metadata", func(t *server.T) {
		d := mustHaveDocuments(t)[0]
		if !slices.Contains(server.Texts(d.members[profiles]), server.GrantProfileIDJAG) {
			t.Failf("expected %s to hold %s, by which clients find support (EMA 6), but saw %s",
				profiles, server.GrantProfileIDJAG, server.Describe(d.members[profiles]))
		}
	}, check.Open(), sendsLocations)

	server.It("form", "gives its grant profiles as a JSON array of strings", func(t *server.T) {
		value := mustHaveProfiles(t)
		if list, ok := value.([]any); !ok || len(server.Texts(value)) != len(list) {
			t.Failf("expected %s to be an array of strings (ID-JAG draft-04 7.2), but saw %s", profiles, server.Describe(value))
		}
	}, check.Open(), sendsLocations, check.Must())
})

func mustHaveProfiles(t *server.T) any {
	value, present := mustHaveDocuments(t)[0].members[profiles]
	if !present {
		t.Skipf("the metadata has no %s: see RAS-META-PROFILE", profiles)
	}
	return value
}

var _ = check.For("RAS-META-GRANT", func() {
	server.It("listed", "lists the jwt-bearer grant type beside the id-jag profile", func(t *server.T) {
		metadata := mustHaveDocuments(t)[0].members
		if !mentions(metadata[profiles], server.GrantProfileIDJAG) {
			t.Skipf("the metadata does not list the id-jag profile: see RAS-META-PROFILE")
		}
		grants := metadata["grant_types_supported"]
		if !slices.Contains(server.Texts(grants), server.GrantJWTBearer) {
			t.Failf("expected grant_types_supported to hold %s, but saw %s", server.GrantJWTBearer, server.Describe(grants))
		}
	}, check.Open(), sendsLocations)
})

var _ = check.For("RAS-META-NO-TRUST-DISCLOSURE", func() {
	server.It("profiles", "names no trusted issuer among its grant profiles", func(t *server.T) {
		value := mustHaveProfiles(t)
		for _, trusted := range trustedIssuers(t) {
			if mentions(value, trusted) {
				t.Failf("expected profile identifiers alone in %s, but saw the trusted issuer %s: strangers need not "+
					"know who federates with whom (ID-JAG draft-04 9.4)", profiles, trusted)
			}
		}
	}, check.Open(), sendsLocations)

	server.It("elsewhere", "names no trusted issuer anywhere in its public metadata", func(t *server.T) {
		for _, d := range mustHaveDocuments(t) {
			for name, value := range d.members {
				for _, trusted := range trustedIssuers(t) {
					if name != profiles && mentions(value, trusted) {
						t.Failf("%s names the trusted issuer %s in %s: metadata is public, and now so is who federates with whom",
							d.url, trusted, name)
					}
				}
			}
		}
	}, check.Open(), sendsLocations, check.Should())
})

func trustedIssuers(t *server.T) []string {
	list := []string{t.IdP.URL}
	if t.SecondIdP != nil {
		list = append(list, t.SecondIdP.URL)
	}
	return list
}

// mentions looks for text anywhere in a JSON value, in names and values of objects as well.
func mentions(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, text)
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return mentions(one, text) })
	case map[string]any:
		for name, one := range v {
			if mentions(name, text) || mentions(one, text) {
				return true
			}
		}
	}
	return false
}

var _ = check.For("RAS-META-HTTPS", func() {
	server.It("urls", "has https URLs for its issuer, its metadata and every endpoint", func(t *server.T) {
		urls := map[string]string{"issuer": t.Issuer()}
		for _, d := range mustHaveDocuments(t) {
			urls["the metadata"] = d.url
			for name, value := range d.members {
				if u, ok := value.(string); ok && (strings.HasSuffix(name, "_endpoint") || name == "jwks_uri") {
					urls[name] = u
				}
			}
		}
		var plain, local []string
		for name, u := range urls {
			switch {
			case strings.HasPrefix(u, "https://"):
			case target.Loopback(u):
				local = append(local, name)
			default:
				plain = append(plain, fmt.Sprintf("%s %s", name, wire.Printable(u, 200)))
			}
		}
		slices.Sort(plain)
		slices.Sort(local)
		if len(plain) > 0 {
			t.Failf("expected https URLs (RFC 8414 2, MCP Communication Security), but saw %s", strings.Join(plain, ", "))
		}
		if len(local) > 0 {
			t.Notef("http is let pass because this target is on loopback; a deployment needs https for: %s",
				strings.Join(local, ", "))
		}
	}, check.Open(), sendsLocations)
})

var _ = check.For("RAS-CLIENT-STRONG-AUTH", func() {
	server.It("listed", "offers a client authentication method that proves a key", func(t *server.T) {
		if t.Target.ServerMetadata["token_endpoint_auth_methods_supported"] == nil {
			t.Failf("token_endpoint_auth_methods_supported is missing, which means client_secret_basic alone (RFC 8414 2): " +
				"list private_key_jwt")
		}
		for _, method := range []string{target.PrivateKeyJWT, target.TLSClientAuth, target.SelfSignedTLS} {
			if t.Target.Lists("token_endpoint_auth_methods_supported", method) {
				return
			}
		}
		t.Failf("expected private_key_jwt or mutual TLS (tls_client_auth, self_signed_tls_client_auth) in "+
			"token_endpoint_auth_methods_supported, but saw %s",
			server.Describe(t.Target.ServerMetadata["token_endpoint_auth_methods_supported"]))
	}, check.Open(), check.Sends("Nothing: the authorization server's metadata is read"))
})
