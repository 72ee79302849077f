package run

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// look walks as much of the happy path as needs no token. Only a server that does not answer keeps the rest from being
// judged; what is missing is for the checks to say. unreached is the one thing to fix then; otherwise said is what the
// report begins with.
func (p *preflight) look() (unreached, said string) {
	p.t.Target = &p.found
	if problem := p.take(step{"reach the MCP server", p.reach}); problem != "" {
		return problem, ""
	}
	var problems []string
	for _, s := range []step{
		{"find the protected resource metadata", p.findResource},
		{"find the authorization server's metadata", p.findServer},
		{"see whether it offers enterprise-managed authorization", p.offered},
	} {
		if problem := p.take(s); problem != "" {
			problems = append(problems, problem)
			break // what comes next needs what was not found
		}
	}
	if len(problems) == 0 {
		problems = append(problems, "Enterprise-managed authorization is offered; whether it works is seen with a "+
			"client and a user of the target: `emaconform config` prints a configuration to fill in.")
	}
	if server.LetIn(p.first) {
		problems = append([]string{"The MCP server answers requests that carry no token: whoever reaches it " +
			"can use it."}, problems...)
	}
	return "", strings.Join(problems, " ")
}

// offered reads in the authorization server's metadata whether it takes ID-JAGs at all (EMA section 6; ID-JAG draft-04
// section 7.2).
func (p *preflight) offered() (string, *stop) {
	if p.found.ServerMetadata == nil {
		return "not known: there is no metadata of the authorization server", nil
	}
	switch profile, grant := p.listed(); {
	case profile && grant:
		return "the metadata list the id-jag profile and the jwt-bearer grant", nil
	case profile:
		return "the metadata list the id-jag profile, but not the jwt-bearer grant: " + notTried, nil
	case grant:
		return "the metadata list the jwt-bearer grant, but not the id-jag profile: clients cannot tell which " +
			"assertions are taken", nil
	}
	if p.t.Look {
		return "", p.notOffered()
	}
	return "by its metadata the authorization server offers neither the id-jag profile nor the jwt-bearer grant: " +
		notTried + "; it is tried all the same", nil
}

// notTried is what becomes of a grant that the metadata keep silent about.
const notTried = "clients such as Claude offer enterprise-managed authorization only when " +
	"grant_types_supported lists it"

// listed reports whether the authorization server's metadata list the id-jag profile, and the jwt-bearer grant.
func (p *preflight) listed() (profile, grant bool) {
	return p.found.Lists("authorization_grant_profiles_supported", server.GrantProfileIDJAG),
		p.found.Lists("grant_types_supported", server.GrantJWTBearer)
}

// notOffered says that there is no enterprise-managed authorization here.
func (p *preflight) notOffered() *stop {
	has := "names no grant types"
	if list, ok := p.found.ServerMetadata["grant_types_supported"].([]any); ok {
		has = fmt.Sprintf("lists the grant types %s", wire.Printable(strings.Trim(fmt.Sprint(list), "[]"), 300))
	}
	return &stop{fmt.Sprintf("No enterprise-managed authorization is offered: the metadata of %s %s, neither %s nor "+
		"the profile %s.",
		wire.Printable(p.found.Issuer, 300), has, server.GrantJWTBearer, server.GrantProfileIDJAG),
		"Serve the grant, then list jwt-bearer in grant_types_supported and id-jag in " +
			"authorization_grant_profiles_supported: clients look there."}
}

// offersNothing reports whether a redemption failed because the target does not know the grant, by its own metadata and
// words.
func (p *preflight) offersNothing() bool {
	if p.found.ServerMetadata == nil || p.redemption == nil || server.Granted(p.redemption) {
		return false
	}
	profile, grant := p.listed()
	code := p.redemption.String("error")
	return !profile && !grant && (code == server.UnsupportedGrantType || code == server.InvalidRequest ||
		p.redemption.Status == http.StatusNotFound)
}
