package main

import (
	"path"
	"slices"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// triedBy says which checks are the tries of the catalogue for identity providers: patterns of ids, by requirement and
// by what is tried there.
var triedBy = map[string]map[string][]string{
	"IDP-REDIRECT": {
		"path appended":  {"redirect-below", "redirect-slash", "parent"},
		"query appended": {"redirect-query-question", "redirect-query-fragment", "redirect-parameter"},
		"other scheme, host or port": {"redirect-scheme", "other-host", "redirect-ends-more", "other-port",
			"redirect-url-port"},
		"userinfo and percent-encoding tricks": {"userinfo", "redirect-userinfo", "redirect-percent-*"},
		"prefix and subdomain":                 {"redirect-begins-*", "host-suffix", "subdomain"},
	},
	"IDP-CODE": {
		"code redeemed twice":             {"twice"},
		"code of another client":          {"other-client"},
		"other redirect URI":              {"other-redirect", "code-redirect-*"},
		"other code_verifier, or none":    {"other-verifier", "no-verifier", "verifier-*"},
		"state and nonce that look alike": {"state-*", "nonce-*"},
	},
	"IDP-ERR": {
		"each refusal of the other requirements": {"bad-*", "denied-user"},
		"malformed parameters":                   {"twice-*", "nothing", "no-grant", "json-body", "get", "large"},
		"unknown grant type":                     {"unknown-grant"},
	},
	"IDP-CLIENT-AUTH": {
		"none":             {"none", "id-alone", "empty-secret"},
		"wrong secret":     {"wrong-secret", "secret-*"},
		"another client's": {"others-secret", "two-ids"},
	},
	"IDP-SUBJECT-VALIDATE": {
		"ID token of another client -> refused": {"other-client"},
		"expired":                               {"expired"},
		"unsigned":                              {"unsigned", "cut-signature"},
		"signature changed":                     {"changed-signature", "changed-claims"},
		"of another IdP":                        {"other-issuer", "strangers-key"},
		"ID-JAG as subject token":               {"id-jag"},
		"access token as id_token":              {"access-token"},
		"wrong subject_token_type":              {"type-*", "subject-type-*"},
		"subject token missing":                 {"missing", "empty"},
	},
	"IDP-SUBJECT-REFRESH": {
		"of another client":              {"other-client"},
		"revoked":                        {"revoked", "sessions-revoked"},
		"rotated away":                   {"rotated"},
		"after the user was deactivated": {"deactivated"},
	},
	"IDP-SUBJECT-SAML": {
		"unsigned":                           {"unsigned", "strangers-key", "changed", "redigested"},
		"signature wrapping":                 {"wrapped-*"},
		"comment in NameID":                  {"comment"},
		"wrong Audience, Recipient, expired": {"other-audience", "other-recipient", "expired", "early"},
		"XXE":                                {"doctype", "doctype-internal", "entities"},
	},
	"IDP-REQUESTED-TYPE": {
		"missing":              {"missing", "empty"},
		"unknown":              {"unknown"},
		"id-jag in other case": {"requested-type-case-all"},
	},
	"IDP-PAIRING": {
		"resource of another RAS":             {"resource-of-other-target", "audience-other-target"},
		"unknown resource":                    {"resource-unknown", "resource-no-uri"},
		"unknown audience":                    {"audience-unknown", "audience-self", "audience-resource"},
		"resource given twice":                {"two-resources", "two-resources-reversed", "two-resources-of-one"},
		"audience given twice":                {"two-audiences", "two-audiences-reversed"},
		"audience missing -> invalid_request": {"audience-missing", "audience-empty"},
	},
	"IDP-POLICY": {
		"user not assigned":                    {"unassigned-user", "unassigned"},
		"deactivated user":                     {"deactivated"},
		"client not connected to the resource": {"unconnected-client"},
		"scope not allowed: dropped or invalid_scope": {"forbidden-*", "unknown-scope", "wildcard", "openid",
			"other-targets-scope"},
	},
	"IDP-STEPUP": {
		"ID token with too old auth_time": {"old"},
		"ID token with too low acr":       {"weak"},
	},
	"IDP-JAG-CLAIMS": {
		"200 grants: every jti is new, one clock, one key set": {"jti-unique", "many-times"},
		"two users: two subjects":                              {"two-users", "many-subjects"},
	},
	"IDP-DPOP": {
		"wrong htu":          {"wrong-htu"},
		"wrong htm":          {"wrong-htm"},
		"old iat":            {"old", "future"},
		"reused jti":         {"reused"},
		"bad signature":      {"bad-signature", "other-key", "unsigned"},
		"private key in jwk": {"private-key"},
	},
	"IDP-RAR": {
		"not an array":               {"no-array", "no-json"},
		"unknown type":               {"unknown-type"},
		"policy narrows the details": {"narrowed"},
	},
}

// observed are requirements whose tries are honest requests alone.
var observed = []string{"IDP-JAG-CLAIMS"}

// everyTryIsACheck fails the test unless each try of the catalogue is a check of its own in this report, which made an
// honest request that was granted before the attack. The report is of an identity provider that is conformant.
func everyTryIsACheck(t *testing.T, report *reports.Report) {
	t.Helper()
	for _, r := range catalogue.All() {
		if r.Role != "idp" {
			continue
		}
		if len(r.Try) != len(triedBy[r.ID]) {
			t.Errorf("%s: the catalogue has %d tries, and %d are known here", r.ID, len(r.Try), len(triedBy[r.ID]))
		}
		for _, try := range r.Try {
			patterns := triedBy[r.ID][try]
			if len(patterns) == 0 {
				t.Errorf("%s: no check tries %q", r.ID, try)
			}
			for _, pattern := range patterns {
				matching := 0
				for _, c := range report.Checks {
					if ok, err := path.Match(r.ID+"/"+pattern, c.ID); err != nil {
						t.Fatal(err)
					} else if ok {
						matching++
						if why := uncontrolled(c); why != "" {
							t.Errorf("%s (%s): %s", c.ID, try, why)
						}
					}
				}
				if matching == 0 {
					t.Errorf("%s: no check is %s, which would try %q", r.ID, pattern, try)
				}
			}
		}
	}
}

// uncontrolled says what keeps a check from being an attack beside an honest request, or "".
func uncontrolled(c reports.Check) string {
	granted := func(e reports.Exchange) bool {
		return e.Part == reports.Control && e.Response != nil && e.Response.Status < 400
	}
	attack := slices.IndexFunc(c.Exchanges, func(e reports.Exchange) bool { return e.Part == reports.Attack })
	control := slices.IndexFunc(c.Exchanges, granted)
	switch {
	case c.Outcome != reports.Pass:
		return "the outcome is " + string(c.Outcome)
	case control < 0:
		return "no honest request was granted"
	case slices.Contains(observed, c.Requirement):
		return ""
	case attack < 0:
		return "nothing was attacked"
	case attack < control:
		return "the attack was made before an honest request was granted"
	}
	return ""
}
