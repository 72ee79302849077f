// Package registration holds the scenarios about who the client says that it is, and where its credentials and tokens
// are kept.
package registration

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// registrations are the client's own registrations at the RAS.
func registrations(t *T) []map[string]any {
	var list []map[string]any
	for _, s := range t.To(t.World.RAS.Party, "/register") {
		metadata := map[string]any{}
		if json.Unmarshal(s.Body, &metadata) == nil {
			list = append(list, metadata)
		}
	}
	if len(list) == 0 {
		t.NotOffered()
	}
	return list
}

// profiles is the member of metadata that lists grant profiles (ID-JAG draft-04 8).
const profiles = "authorization_grant_profiles_supported"

// lists wants these values in a list of the client's metadata: its registration, or its document.
func lists(t *T, what string, metadata map[string]any, member string, values ...string) {
	list, _ := metadata[member].([]any)
	for _, v := range values {
		if !slices.Contains(list, any(v)) {
			t.Failf("expected the %s to list %s in %s, but it has %v", what, v, member, list)
		}
	}
}

// profilesForm wants the list of profiles to be an array of strings, where it is there.
func profilesForm(t *T, what string, metadata map[string]any) {
	value, present := metadata[profiles]
	if !present {
		t.Skipf("the client's %s lists no profiles", what)
	}
	list, ok := value.([]any)
	for _, v := range list {
		_, text := v.(string)
		ok = ok && text
	}
	if !ok {
		t.Failf("expected %s in the %s to be an array of strings, but it is something else", profiles, what)
	}
}

// grantTypes wants the grant types of the profile where the client's metadata lists that: else the other check says so.
func grantTypes(t *T, what string, metadata map[string]any, other string) {
	if list, _ := metadata[profiles].([]any); !slices.Contains(list, any(world.ProfileIDJAG)) {
		t.Skipf("the %s does not list the profile: see %s", what, other)
	}
	lists(t, what, metadata, "grant_types", world.GrantExchange, world.GrantJWTBearer)
}

// onLoopback reports whether a list of redirect URIs has one on this machine.
func onLoopback(uris any) bool {
	list, _ := uris.([]any)
	return slices.ContainsFunc(list, func(uri any) bool {
		text, _ := uri.(string)
		return target.Loopback(text)
	})
}

const meetsUnregistered = "An honest world in which the client has no credentials at the RAS"

var _ = check.For("CL-CLIENT-METADATA", func() {
	It("profile", "lists the profile when it registers",
		Unregistered.Honest(meetsUnregistered).From(Registered),
		func(t *T) {
			for _, m := range registrations(t) {
				lists(t, "registration", m, profiles, world.ProfileIDJAG)
			}
		})
	It("form", "lists profiles as an array of strings when it registers",
		Unregistered.Honest(meetsUnregistered).From(Registered),
		func(t *T) {
			for _, m := range registrations(t) {
				profilesForm(t, "registration", m)
			}
		}, check.Must())
	It("grant-types", "lists token exchange and jwt-bearer when it registers with the profile",
		Unregistered.Honest(meetsUnregistered).From(Registered),
		func(t *T) {
			for _, m := range registrations(t) {
				grantTypes(t, "registration", m, "CL-CLIENT-METADATA/profile")
			}
		}, check.Must())
	It("application-type", "says what type of application it is when it registers",
		Unregistered.Honest(meetsUnregistered).From(Registered),
		func(t *T) {
			for _, m := range registrations(t) {
				kind, _ := m["application_type"].(string)
				if kind == "" {
					t.ByRevision(world.Revision2026, "expected application_type in the registration, but there is none")
				}
				if kind != "native" && onLoopback(m["redirect_uris"]) {
					t.Warnf("expected application_type native, for the client's redirect URIs are on this machine, but it is %q", kind)
				}
			}
		}, check.Must(), check.By("MCP 2026-07-28 §Application Type and Redirect URI Constraints"))
	It("document", "publishes a document that names itself and what it must, and no secret",
		Published.Honest(MeetsPublished).From(Redeemed),
		func(t *T) {
			m := document(t)
			if m["client_id"] != t.World.Published {
				t.Failf("expected client_id in the document to be its URL %s, but it is %s", t.World.Published,
					server.Describe(m["client_id"]))
			}
			for _, member := range []string{"client_name", "redirect_uris"} {
				if m[member] == nil {
					t.Failf("expected the document to have %s, but it has not", member)
				}
			}
			method, _ := m["token_endpoint_auth_method"].(string)
			if m["client_secret"] != nil || strings.HasPrefix(method, "client_secret") {
				t.Failf("expected no secret of a client whose document anybody can read, but it has one "+
					"(token_endpoint_auth_method %q)",
					method)
			}
		}, check.Must(), check.By("MCP 2025-11-25 §Client ID Metadata Documents"))
	It("document-profile", "lists the profile in its document",
		Published.Honest(MeetsPublished).From(Redeemed),
		func(t *T) { lists(t, "document", document(t), profiles, world.ProfileIDJAG) })
	It("document-grant-types", "lists token exchange and jwt-bearer in a document with the profile",
		Published.Honest(MeetsPublished).From(Redeemed),
		func(t *T) {
			m := document(t)
			profilesForm(t, "document", m)
			grantTypes(t, "document", m, "CL-CLIENT-METADATA/document-profile")
		}, check.Must())
})

// document is the client's metadata document.
func document(t *T) map[string]any {
	if t.World.Document == nil {
		t.Skipf("needs the document that the client publishes: --client-document FILE, and its URL with --client-id-document")
	}
	var m map[string]any
	if err := json.Unmarshal(t.World.Document, &m); err != nil || m == nil {
		t.Failf("expected the client's metadata document to be a JSON object, but it is none")
	}
	return m
}
