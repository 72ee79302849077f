package idp

import (
	"cmp"
	"crypto/rsa"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

func metadata(t *T) map[string]any {
	document, _, err := target.Fetch(func(r *wire.Request) *wire.Answer { return t.Send(r, reports.Setup, "") },
		t.Provider.MetadataURL)
	if err != nil {
		t.Inconclusivef("the metadata cannot be read again: %v", err)
	}
	return document
}

var needsDocument = Need("idp.issuer", "the identity provider serves no metadata", func(w *World) bool {
	return w.Provider.MetadataURL != ""
})

func listed(document map[string]any, member string) []string {
	var names []string
	list, _ := document[member].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			names = append(names, s)
		}
	}
	return names
}

var _ = check.For("IDP-META", func() {
	It("token-types", "lists id-jag in identity_chaining_requested_token_types_supported", func(t *T) {
		Expect(listed(metadata(t), "identity_chaining_requested_token_types_supported")).To(ContainElement(TypeIDJAG),
			"identity_chaining_requested_token_types_supported")
	}, check.With(needsDocument), check.Sends("A request for the metadata."))

	It("grant-types", "lists the token exchange grant in grant_types_supported", func(t *T) {
		Expect(listed(metadata(t), "grant_types_supported")).To(ContainElement(GrantExchange), "grant_types_supported")
	}, check.With(needsDocument), check.Sends("A request for the metadata."))

	It("issuer", "calls itself in its metadata what it is called", func(t *T) {
		Expect(metadata(t)["issuer"]).To(Equal(t.Config.IdP.Issuer), "issuer (RFC 8414 3.3)")
	}, check.With(needsDocument), check.Must(), check.Sends("A request for the metadata."))
})

var _ = check.For("IDP-HTTPS", func() {
	https := func(t *T, name, u string) {
		parsed, err := url.Parse(u)
		switch {
		case u == "":
			t.Skipf("the identity provider has no %s", name)
		case err != nil || parsed.Scheme != "https" && !target.Loopback(u):
			t.Failf("the %s is no https URL: %s", name, wire.Printable(u, 200))
		case parsed.Scheme != "https":
			t.Warnf("the %s is an http URL on loopback: EMA makes no exception for that", name)
		}
	}
	for _, e := range []struct {
		slug, name string
		of         func(*World) string
	}{
		{"issuer", "issuer", announced("issuer", func(w *World) string { return w.Config.IdP.Issuer })},
		{"authorization-endpoint", "authorization endpoint", announced("authorization_endpoint", func(w *World) string {
			return w.Provider.Authorization
		})},
		{"token-endpoint", "token endpoint", announced("token_endpoint", func(w *World) string { return w.Provider.Token })},
		{"jwks-uri", "JWKS URI", announced("jwks_uri", func(w *World) string { return w.Provider.JWKSURI })},
		{"revocation-endpoint", "revocation endpoint", func(w *World) string {
			return w.Provider.Endpoint("revocation_endpoint")
		}},
	} {
		It(e.slug, "has an https URL as its "+e.name, func(t *T) { https(t, e.name, e.of(t.World)) },
			check.Sends("Nothing: the metadata is looked at."))
	}
})

// announced is what the metadata says, else what the configuration does.
func announced(member string, otherwise func(*World) string) func(*World) string {
	return func(w *World) string { return cmp.Or(w.Provider.Endpoint(member), otherwise(w)) }
}

// published are the keys of the key set as it is now.
func published(t *T) []map[string]any {
	raw, _, err := t.Keys.Read(t, t.Wire, t.Recorder(), t.Provider.JWKSURI)
	if err != nil {
		t.Failf("%v", err)
	}
	return raw
}

// private are the members of a JWK that nobody else may see (RFC 7518 section 6).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

var _ = check.For("IDP-JWKS", func() {
	sends := check.Sends("A request for the key set.")
	It("public", "publishes no private members", func(t *T) {
		for _, key := range published(t) {
			for _, member := range private {
				if key[member] != nil {
					t.Failf("the key %v has the private member %s", key["kid"], member)
				}
			}
		}
	}, sends)

	It("asymmetric", "publishes no symmetric keys", func(t *T) {
		for _, key := range published(t) {
			Expect(key["kty"]).NotTo(Equal("oct"), "kty")
		}
	}, sends)

	It("rsa-size", "publishes no RSA keys of less than 2048 bits", func(t *T) {
		for _, raw := range published(t) {
			var key jose.JSONWebKey
			text, err := json.Marshal(raw)
			if err != nil || key.UnmarshalJSON(text) != nil {
				continue
			}
			if k, ok := key.Key.(*rsa.PublicKey); ok {
				Expect(k.N.BitLen()).To(BeNumerically(">=", 2048), "bits of the key %v", raw["kid"])
			}
		}
	}, sends)

	It("kids", "gives each key an id of its own", func(t *T) {
		var seen []any
		for _, key := range published(t) {
			if slices.Contains(seen, key["kid"]) {
				t.Failf("two keys have the kid %v", key["kid"])
			}
			seen = append(seen, key["kid"])
		}
	}, check.Should(), sends)

	It("id-token", "publishes the key that ID tokens are signed with", func(t *T) {
		tokens := t.Tokens(t.Alice(), t.A())
		if tokens.IDToken == "" {
			t.Skipf("the sign-in yields no ID token")
		}
		published(t)
		if err := t.Verify(tokens.IDToken); err != nil {
			t.Failf("the ID token does not verify with the published keys: %v", err)
		}
	}, check.Sends("A request for the key set; the ID token of the sign-in is verified with it."))
})
