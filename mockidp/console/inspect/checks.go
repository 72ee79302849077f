package inspect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp"
)

// Outcome is how a check of a token comes out.
type Outcome string

// Outcomes.
const (
	OK      Outcome = "ok"
	Problem Outcome = "problem" // a RAS is to refuse the token
	Depends Outcome = "depends" // a RAS decides: by policy, or by what only it knows
)

// Check is one thing that a RAS checks.
type Check struct {
	Title   string
	Sources []Source
	Outcome Outcome
	Says    string
}

// rule is a check before it is made.
type rule struct {
	title   string
	judge   func(t *token, idp Provider) (Outcome, string)
	sources []Source
}

// rules are in the order in which a RAS does well to check: what the token is, whom it is from, that nothing in it was
// changed; only then what it says.
var rules = []rule{
	{"Member names are unique", uniqueNames, []Source{"RFC 7519 §4", "RFC 8725 §3.10"}},
	{"typ is oauth-id-jag+jwt", rightType, []Source{"ID-JAG draft-04 §3.1", "ID-JAG draft-04 §4.4.1", "RFC 8725 §3.11"}},
	{"alg is on an allow-list", rightAlgorithm, []Source{"EMA §7.4.1", "RFC 8725 §3.1"}},
	{"No critical extension, no key of its own", plainHeader, []Source{"RFC 7515 §4.1.11", "EMA §7.4.1"}},
	{"iss is a trusted issuer", rightIssuer, []Source{"EMA §7.4.1", "RFC 7523 §3"}},
	{"kid is a key of that issuer", knownKey, []Source{"EMA §7.4.1", "RFC 8725 §3.8"}},
	{"Signature verifies with that key", goodSignature, []Source{"EMA §7.4.1", "RFC 7515 §5.2"}},
	{"aud is the RAS's issuer identifier, and nothing else", oneAudience,
		[]Source{"ID-JAG draft-04 §4.4.1", "EMA §7.6.2"}},
	{"client_id is the client that authenticates", knownClient, []Source{"ID-JAG draft-04 §4.4.1"}},
	{"exp is to come", notExpired, []Source{"EMA §7.4.2", "RFC 7523 §3"}},
	{"iat has been", issuedBefore, []Source{"ID-JAG draft-04 §3.1", "EMA §7.4.1"}},
	{"nbf, if any, has been", begun, []Source{"RFC 7523 §3"}},
	{"Lifetime is a few minutes", shortLived, []Source{"EMA §7.4.2"}},
	{"jti is there, and new to the RAS", hasID, []Source{"ID-JAG draft-04 §3.1", "EMA §7.4.2"}},
	{"sub names a user", namesUser, []Source{"ID-JAG draft-04 §3.1", "EMA §7.4.1"}},
	{"tenant is the customer's", rightTenant, []Source{"ID-JAG draft-04 §6.1"}},
	{"resource is an MCP server of this RAS", rightResource, []Source{"EMA §7.6.2", "ID-JAG draft-04 §4.4.1"}},
	{"scope is registered for that resource", rightScope, []Source{"EMA §7.2.1", "EMA §7.6.2", "ID-JAG draft-04 §4.4.1"}},
	{"cnf, if any, is proved", proved, []Source{"ID-JAG draft-04 §9.8.1"}},
}

func check(t *token, idp Provider) []Check {
	out := make([]Check, 0, len(rules))
	for _, r := range rules {
		outcome, says := r.judge(t, idp)
		out = append(out, Check{r.title, r.sources, outcome, says})
	}
	return out
}

func uniqueNames(t *token, _ Provider) (Outcome, string) {
	names := slices.Concat(t.header.repeated(), t.claims.repeated())
	if len(names) == 0 {
		return OK, ""
	}
	for i, n := range names {
		names[i] = visible(n, 40)
	}
	return Problem, "There more than once: " + strings.Join(names[:min(len(names), 8)], ", ") +
		". One reader takes the first value, another the last."
}

func rightType(t *token, _ Provider) (Outcome, string) {
	value, there := t.header.get("typ")
	typ, isText := value.(string)
	switch {
	case !there:
		return Problem, "There is no typ."
	case !isText:
		return Problem, "typ is " + kindOf(value) + "."
	case typ == mockidp.TypeIDJAG:
		return OK, ""
	case mediaType(typ) == mockidp.TypeIDJAG:
		return Depends, "The same media type, written in another way. A RAS that compares strings refuses it."
	}
	return Problem, "typ is another."
}

func rightIssuer(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("iss")
	iss, isText := value.(string)
	_, ours := idp.Keys(iss)
	switch {
	case !there:
		return Problem, "There is no iss."
	case !isText:
		return Problem, "iss is " + kindOf(value) + "."
	case iss == idp.Issuer:
		return OK, "It is this identity provider."
	case ours:
		return Problem, "It is a custom authorization server: only the org's issuer, " + idp.Issuer + ", makes ID-JAGs."
	}
	return Problem, "It is " + sayIssuer(t, value, idp) + ". A RAS that trusts " + idp.Issuer + " alone refuses it."
}

func oneAudience(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("aud")
	list, ok := texts(t.claims, "aud")
	switch {
	case !there:
		return Problem, "There is no aud."
	case !ok:
		return Problem, "aud is " + kindOf(value) + ", expected a string or an array of one."
	case len(list) != 1:
		return Problem, fmt.Sprintf("aud has %d values: with more than one, any of those servers could take the token to "+
			"another.", len(list))
	case t.connector(idp) == nil:
		return Problem, "It is the issuer identifier of no connector: it is " + sayAudience(t, value, idp) + "."
	}
	return OK, "It is " + sayAudience(t, value, idp) + "."
}

func knownClient(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("client_id")
	id, isText := value.(string)
	r := t.connector(idp)
	switch {
	case !there:
		return Problem, "There is no client_id."
	case !isText || id == "":
		return Problem, "client_id is " + kindOf(value) + ", expected a string that is not empty."
	case r == nil:
		return Depends, "The RAS is not known here, and neither are its clients. The client has to authenticate as this one."
	case clientAt(r, id, idp) == nil:
		return Problem, "It is " + sayClient(t, value, idp) + "."
	}
	return OK, "It is " + sayClient(t, value, idp) + ". The client has to authenticate as this one, with its " +
		"credentials at the RAS."
}

func hasID(t *token, _ Provider) (Outcome, string) {
	value, there := t.claims.get("jti")
	id, isText := value.(string)
	switch {
	case !there:
		return Problem, "There is no jti: the RAS could not tell when the token comes again."
	case !isText || id == "":
		return Problem, "jti is " + kindOf(value) + ", expected a string that is not empty."
	case len(id) > 1<<10:
		return Depends, "A jti this long may be more than a RAS remembers."
	}
	return OK, "Whether it was redeemed before is known to the RAS alone."
}

func namesUser(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("sub")
	sub, isText := value.(string)
	u := t.user(idp)
	switch {
	case !there:
		return Problem, "There is no sub."
	case !isText || sub == "":
		return Problem, "sub is " + kindOf(value) + ", expected a string that is not empty."
	case u == nil:
		return Depends, "Nobody in this directory. The RAS takes it only if it has an account for this sub."
	case !u.Status.OK():
		return Depends, "The user is " + string(u.Status) + " here: no more tokens are issued, but this one lives until " +
			"its exp."
	}
	return OK, "The RAS needs an account for this sub at this issuer."
}

func rightTenant(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("tenant")
	tenant, isText := value.(string)
	own := idp.Directory.Settings.Tenant
	switch {
	case there && !isText:
		return Problem, "tenant is " + kindOf(value) + ", expected a string."
	case own == "" && !there:
		return OK, "The issuer has one customer: no tenant is needed."
	case own == "":
		return Depends, "The issuer has one customer, yet the token names a tenant."
	case tenant != own:
		return Problem, "The tenant of this identity provider is " + own + "."
	}
	return OK, ""
}

func rightResource(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("resource")
	list, ok := texts(t.claims, "resource")
	r := t.connector(idp)
	switch {
	case !there:
		return Depends, "There is no resource: a RAS may fall back on a default, or refuse."
	case !ok || len(list) == 0:
		return Problem, "resource is " + kindOf(value) + ", expected a URI or an array of them."
	case r == nil:
		return Depends, "The RAS is not known here, and neither are its resources."
	case t.foreignResource(r):
		return Problem, "It is not of " + title(r.Name, r.ID) + ": the RAS answers invalid_grant."
	}
	return OK, "It is of " + title(r.Name, r.ID) + "."
}

func proved(t *token, _ Provider) (Outcome, string) {
	value, there := t.claims.get("cnf")
	cnf, isObject := value.(object)
	switch {
	case !there:
		return OK, "The token is not bound to a key."
	case !isObject || cnf.text("jkt") == "":
		return Problem, "cnf has no jkt: there is nothing that a DPoP proof could be compared with."
	}
	return Depends, "The request needs a DPoP proof of this key. Without one, or with another key's, it is refused."
}
