package main

import (
	"slices"
	"testing"

	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// No check fails for a choice that the texts leave open, and none warns without a stated reason.
func TestHonestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite against several targets")
	}
	l, err := roles.LawfulOf("server")
	if err != nil {
		t.Fatal(err)
	}
	h, err := matrix.Honest(t.Context(), l.All, l.Runs, l.Judge, func([]string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range h.Problems {
		t.Error(problem)
	}
	for _, w := range h.Warnings {
		t.Logf("%s warns with %s: %s", w.Check, w.Variant, w.Reason)
	}
}

// kinds of honest software that a suite easily wrongs, each with the variants that stand for it.
var kinds = map[string]map[string][]string{
	"server": {
		"an ID-JAG that comes again is granted":             {"resubmitted"},
		"a foreign resource is an invalid target":           {"invalid-target"},
		"Basic is not the first challenge":                  {"negotiate-first", "negotiate-line"},
		"one revision of MCP is spoken":                     {"only-2026-07-28", "only-2025-06-18"},
		"client assertions name one audience":               {"assertion-for-issuer", "assertion-for-endpoint"},
		"tokens are opaque, introspection says little":      {"opaque"},
		"tokens cannot be introspected":                     {"introspects-nothing"},
		"accounts are made just in time":                    {"just-in-time"},
		"SAML names resolve, or do not":                     {"name-alone", "name-unread", "name-optional"},
		"e-mail links within the IdP's domains":             {"email-links"},
		"the last of two members counts":                    {"last-member"},
		"an exp beyond all dates lies ahead":                {"far-future"},
		"scopes are granted literally":                      {"scopes-literal"},
		"a 403 without error":                               {"error-left-out"},
		"scopes imply scopes":                               {"read-implies-write"},
		"a session serves another user of its client":       {"sessions-shared"},
		"pages of a listed origin are served":               {"origin-list", "origin-own-host"},
		"a media type with a charset is refused":            {"charset-refused"},
		"two token endpoints":                               {"two-token-endpoints"},
		"one of two methods of authentication is looked at": {"two-methods"},
		"a secret comes by Basic or in the form":            {"any-method"},
		"descriptions of clients stand at https alone":      {"described-clients"},
		"kid is a hint, or stands for one key alone":        {"kid-hint", "kids-distinct"},
		"leeway, short and long":                            {"leeway-30s", "leeway-5m"},
		"tokens are for who proves a key":                   {"dpop-required"},
		"clients without registration, or credentials":      {"described-clients", "described-public", "public-clients"},
		"clients with certificates, or an HMAC":             {"mutual-tls", "self-signed-tls", "secret-jwt"},
		"a proxy passes one Authorization header":           {"first-header"},
		"aud_tenant has to be named":                        {"tenant-named"},
	},
	"client": {
		"the well-known document in place of a challenge's": {"falls-back-to-well-known"},
		"a redirect URI of its own":                         {"own-redirect-uri"},
		"one method at login, another in the exchange":      {"other-method-in-exchange"},
		"one scope for IdP and RAS":                         {"same-scope-everywhere"},
		"a root document for the host is refused":           {"strict-at-root"},
		"scopes of a challenge as they are":                 {"scopes-as-challenged"},
		"consent where the IdP knows no such server":        {"consent-when-unmanaged"},
		"issued_token_type is not looked at":                {"takes-any-issued-type"},
	},
}

func TestEveryKindOfHonestSoftwareHasItsVariant(t *testing.T) {
	t.Parallel()
	for role, list := range kinds {
		l, err := roles.LawfulOf(role)
		if err != nil {
			t.Fatal(err)
		}
		runs := slices.Concat(l.Runs...)
		for kind, ids := range list {
			for _, id := range ids {
				if !slices.ContainsFunc(l.All, func(v matrix.Variant) bool { return v.ID == id }) || !slices.Contains(runs, id) {
					t.Errorf("%s: no run of %ss has the variant %s", kind, role, id)
				}
			}
		}
	}
}
