package run

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// Where those who set up such a connection stumble, as the public help pages of vendors tell: what the answer says
// itself comes first, then what the metadata say, and only then what probes suggest (see diagnose.go).

// said are the words and codes in an answer that name what is wrong.
var said = []struct {
	code  string         // the error code, "" for any
	words *regexp.Regexp // what the explanation contains; nil: the code alone says it
	about string         // the aspect, see aspects
}{
	{server.InvalidTarget, nil, "resource"},
	{server.InvalidScope, nil, "scope"},
	{"", regexp.MustCompile(`(?i)\b(iat|nbf|exp|clock|skew)\b|expired|in the future|lies ahead|not yet valid|too old`),
		"clock"},
	{"", regexp.MustCompile(`(?i)\b(jwks?|keys?|kid|signature)\b`), "keys"},
	{"", regexp.MustCompile(`(?i)\baud(ience)?\b`), "audience"},
	{"", regexp.MustCompile(`(?i)\b(iss|issuer)\b`), "issuer"},
	{"", regexp.MustCompile(`(?i)\bresource\b`), "resource"},
	{"", regexp.MustCompile(`(?i)\bscopes?\b`), "scope"},
	{"", regexp.MustCompile(`(?i)\b(user|account|subject|sub|member|e-?mail)\b`), "user"},
	{"", regexp.MustCompile(`(?i)\bclient(_?id)?\b`), "client"},
}

// about is the aspect that an answer names itself, or "".
func about(a *wire.Answer) string {
	code, text := a.String("error"), a.String("error_description")
	for _, s := range said {
		if (s.code == "" || s.code == code) && (s.words == nil || s.words.MatchString(text)) &&
			(s.code != "" || s.words != nil) {
			return s.about
		}
	}
	return ""
}

// byWords is the stop that the answer itself names, nil when it names nothing that a probe does not contradict.
func (p *preflight) byWords(saw string) *stop {
	topic := about(p.redemption)
	if topic == "clock" {
		return &stop{saw, "The target's clock and ours differ, though its Date header does not say so, and no offset " +
			"up to ten minutes helped: set both by NTP."}
	}
	if a := aspectOf(topic); a != nil {
		return &stop{saw, a.fix(p)}
	}
	return nil
}

// aspectOf is the aspect of this name, or nil.
func aspectOf(name string) *aspect {
	for n := range aspects {
		if aspects[n].name == name {
			return &aspects[n]
		}
	}
	return nil
}

// byMetadata is the stop that what the target publishes explains, or nil.
func (p *preflight) byMetadata(saw string) *stop {
	metadata := p.found.ServerMetadata
	named, _ := metadata["issuer"].(string)
	grants, _ := metadata["grant_types_supported"].([]any)
	switch {
	case len(grants) > 0 && !p.found.Lists("grant_types_supported", server.GrantJWTBearer):
		return &stop{saw + " Its metadata (grant_types_supported) do not offer " + server.GrantJWTBearer + ".",
			"Switch enterprise-managed authorization on at the authorization server: clients such as Claude offer it only " +
				"where grant_types_supported lists " + server.GrantJWTBearer + "."}
	case named != "" && named != p.found.Issuer:
		return &stop{fmt.Sprintf("%s Honest ID-JAGs were made out to %s, as the protected resource metadata name it, "+
			"but the authorization server's metadata name it %s: %s (RAS-META-ISSUER; RFC 8414 3.3).", saw,
			wire.Printable(p.found.Issuer, 200), wire.Printable(named, 200), difference(p.found.Issuer, named)),
			"Use one spelling, character for character, in authorization_servers, in issuer, and where the audience " +
				"of ID-JAGs is compared; or set authorization_server.issuer."}
	case strings.HasPrefix(pathOf(p.t.IdP.URL), "/oauth2/") && strings.Contains(p.t.IdP.URL, ".okta"):
		return &stop{saw, "ID-JAGs come from Okta's org server only: set idp.issuer to the bare https host, without " +
			"/oauth2/…."}
	case metadata["registration_endpoint"] != nil && p.redemption.String("error") == server.InvalidClient &&
		metadata["client_id_metadata_document_supported"] != true:
		return &stop{saw, aspectOf("client").fix(p) + " A client that registers itself (DCR) never matches the " +
			"client_id of a grant: register it beforehand."}
	}
	return nil
}

// mixedUp is the stop at a configuration that takes one of the names of a connector for another: the audience of an
// ID-JAG is the authorization server's issuer, and neither the resource nor an endpoint. nil when it does not.
func (p *preflight) mixedUp() *stop {
	named := p.t.Config.AuthorizationServer.Issuer
	if named == "" {
		return nil
	}
	right, what := p.announced(), ""
	switch named {
	case right:
		return nil
	case p.t.Config.URL:
		what = "the URL of the MCP server"
	case p.found.Resource:
		what = "the resource"
	case p.t.Config.AuthorizationServer.TokenEndpoint, p.tokenEndpointOf(right):
		what = "the token endpoint"
	default:
		return nil
	}
	is := "the issuer of the authorization server"
	if right != "" {
		is += ", here " + wire.Printable(right, 200)
	}
	return &stop{fmt.Sprintf("authorization_server.issuer is %s: this is %s, but the audience of an ID-JAG is %s.", named,
		what, is),
		"Correct authorization_server.issuer, or leave it out: it is found from the MCP server's metadata."}
}

// tokenEndpointOf reads an authorization server's metadata, "" when there are none.
func (p *preflight) tokenEndpointOf(issuer string) string {
	if issuer == "" {
		return ""
	}
	document, _, _ := p.serverMetadata(issuer)
	endpoint, _ := document["token_endpoint"].(string)
	return endpoint
}

// byProof is the stop that a grant proves which differs from the refused one in one thing, or nil: another user, or a
// claim less.
func (p *preflight) byProof(saw string) *stop {
	for n := 1; n < len(p.t.Config.Users); n++ {
		a := p.t.Present(p.t.GrantFrom(p.t.IdP, p.t.Config.Users[n]), reports.Setup, "a probe: another user")
		if server.Granted(a) {
			return &stop{fmt.Sprintf("%s It is granted for users[%d], and refused for users[0].", saw, n),
				aspectOf("user").fix(p) + " Is users[0] an account there with exactly this sub and e-mail address?"}
		}
	}
	for _, claim := range slices.Sorted(maps.Keys(p.t.Config.Claims)) {
		if server.Granted(p.probeGrant(server.Remove(claim))) {
			return &stop{fmt.Sprintf("%s It is refused with the claim %s, and granted without.", saw, claim),
				fmt.Sprintf("Let the authorization server take ID-JAGs with claims that it does not know (RFC 7519 4), for "+
					"identity providers add some; or take claims.%s out of the configuration, to judge the rest.", claim)}
		}
	}
	return nil
}

// difference says in what two spellings of one identifier differ.
func difference(a, b string) string {
	switch {
	case strings.TrimRight(a, "/") == strings.TrimRight(b, "/"):
		return "they differ in the last slash"
	case strings.EqualFold(a, b):
		return "they differ in upper and lower case"
	case hostOf(a) == hostOf(b):
		return "they differ in the path"
	default:
		return "they name different hosts"
	}
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.ToLower(u.Host)
}
