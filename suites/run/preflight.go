package run

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// preflight walks the happy path, a step at a time, and stops at the first step that does not work: nothing that the
// checks found behind it would mean anything.
type preflight struct {
	t        *server.T
	parties  *parties
	progress engine.Progress
	steps    []reports.Step
	expected Expected

	found      target.Discovered
	first      *wire.Answer // to a request without a token
	challenge  string       // resource_metadata that the MCP server's 401 points to
	redemption *wire.Answer
}

// stop is a step that does not work: what was seen, and the one thing to fix.
type stop struct{ saw, fix string }

// run returns the one thing to fix, or "".
func (p *preflight) run() string {
	p.t.Target = &p.found
	for _, s := range []step{
		{"reach the MCP server", p.reach},
		{"find the protected resource metadata", p.findResource},
		{"find the authorization server's metadata", p.findServer},
		{"see whether it offers enterprise-managed authorization", p.offered},
		{"redeem an honest ID-JAG", p.redeem},
		{"call the MCP server with the access token", p.call},
	} {
		if problem := p.take(s); problem != "" {
			return problem
		}
	}
	p.tryConfigured()
	return ""
}

// step is a step of the happy path.
type step struct {
	name string
	do   func() (saw string, failed *stop)
}

// take takes a step and notes what came of it. It returns the one thing to fix, or "".
func (p *preflight) take(one step) string {
	before := p.t.Recorder().Len()
	saw, failed := one.do()
	s := reports.Step{Name: one.name, OK: failed == nil, Saw: saw}
	if failed != nil {
		s.Saw, s.Fix = failed.saw, failed.fix
	}
	s.Saw, s.Fix = p.t.Recorder().Scrub(s.Saw), p.t.Recorder().Scrub(s.Fix)
	s.Exchanges = p.t.Recorder().Exchanges()[before:]
	p.steps = append(p.steps, s)
	p.progress.Step(s)
	if failed != nil {
		return s.Saw + " " + s.Fix
	}
	return ""
}

func (p *preflight) send(r *wire.Request) *wire.Answer {
	return p.t.Send(r, reports.Setup, "")
}

// use sends a request with a token, proving the key that it is bound to.
func (p *preflight) use(r *wire.Request) *wire.Answer {
	p.t.Prove(r, p.redemption)
	return p.send(r)
}

func (p *preflight) reach() (string, *stop) {
	config := p.t.Config
	a := p.send(p.t.Initialize(config.URL, ""))
	switch {
	case a.Err != nil:
		return "", &stop{fmt.Sprintf("%s does not answer (%v).", config.URL, a.Err),
			"Start the server, or correct url. If it is behind a private certificate authority, name it with ca_file."}
	case a.Status/100 == 3:
		return "", &stop{fmt.Sprintf("%s redirects to %s.", config.URL,
			wire.Printable(wire.WithoutQuery(a.Header.Get("Location")), 200)),
			"Name the MCP server's own URL in url: a token is never sent to where a redirect points."}
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		return "", &stop{fmt.Sprintf("%s answers a POST with HTTP %d: there is no MCP server at this URL.", config.URL,
			a.Status),
			"Name the URL of the MCP endpoint in url, with its path, e.g. https://mcp.example/mcp."}
	case a.MediaType() == "text/html":
		return "", &stop{fmt.Sprintf("%s answers with HTML (HTTP %d): this looks like a web page, not like an MCP server.",
			config.URL, a.Status),
			"Name the URL of the MCP endpoint in url, with its path, e.g. https://mcp.example/mcp."}
	}
	p.first = a
	p.challenge = target.ResourceMetadataFromChallenge(a.Header)
	return fmt.Sprintf("HTTP %d", a.Status), nil
}

func (p *preflight) findResource() (string, *stop) {
	config := p.t.Config
	p.found.Resource = config.Resource
	urls := target.ResourceMetadataURLs(config.URL)
	if p.challenge != "" {
		urls = append([]string{p.challenge}, urls...)
	}
	var tried []string
	for _, u := range urls {
		document, _, err := p.t.Get(u)
		if err != nil {
			tried = append(tried, err.Error())
			continue
		}
		p.found.ResourceMetadataURL, p.found.ResourceMetadata = u, document
		if p.found.Resource == "" {
			p.found.Resource, _ = document["resource"].(string)
			if p.found.Resource != "" && !target.Covers(p.found.Resource, config.URL) {
				return "", otherResource(p.found.Resource, config.URL)
			}
		}
		if p.found.Resource == "" {
			p.found.Resource = config.URL
		}
		return "resource " + wire.Printable(p.found.Resource, 300) + p.differs(p.found.Resource, p.expected.Resource), nil
	}
	p.found.Resource = cmp.Or(p.found.Resource, p.expected.Resource)
	if p.found.Resource == "" {
		p.found.Resource = config.URL
	}
	if config.AuthorizationServer.Issuer != "" {
		return "none; the authorization server is taken from the configuration", nil
	}
	if p.expected.Issuer != "" {
		return "none; resource and authorization server are taken from " + p.expected.By, nil
	}
	return "", &stop{"There is no protected resource metadata (RFC 9728): " + strings.Join(tried, "; ") + ".",
		"Serve it, and point to it with resource_metadata in the 401's WWW-Authenticate header. To test the rest before " +
			"that, set authorization_server.issuer."}
}

func (p *preflight) findServer() (string, *stop) {
	config := p.t.Config.AuthorizationServer
	p.found.Issuer, p.found.TokenEndpoint = config.Issuer, config.TokenEndpoint
	if p.found.Issuer == "" {
		p.found.Issuer = p.announced()
	}
	if p.found.Issuer == "" && p.found.ResourceMetadata == nil {
		p.found.Issuer = p.expected.Issuer
	}
	if p.found.Issuer == "" {
		return "", &stop{"The protected resource metadata names no authorization server (authorization_servers).",
			"List the Resource Authorization Server's issuer there, or set authorization_server.issuer."}
	}
	var tried []string
	p.found.ServerMetadata, p.found.ServerMetadataURL, tried = p.serverMetadata(p.found.Issuer)
	if p.found.TokenEndpoint == "" {
		p.found.TokenEndpoint = p.found.Endpoint("token_endpoint")
	}
	if p.found.TokenEndpoint == "" && p.found.ServerMetadata == nil && p.found.Issuer == p.expected.Issuer {
		p.found.TokenEndpoint = p.expected.TokenEndpoint
	}
	if p.found.TokenEndpoint == "" && p.found.ServerMetadata == nil {
		if s := p.mixedUp(); s != nil {
			return "", s
		}
		return "", &stop{"There is no metadata of the authorization server " + wire.Printable(p.found.Issuer, 300) + ": " +
			strings.Join(tried, "; ") + ".",
			"Serve it (RFC 8414), or set authorization_server.token_endpoint."}
	}
	if p.found.TokenEndpoint == "" {
		return "", &stop{"The authorization server's metadata names no token_endpoint.",
			"Add it, or set authorization_server.token_endpoint."}
	}
	if failed := p.hosts(); failed != nil {
		return "", failed
	}
	return "token endpoint " + wire.Printable(p.found.TokenEndpoint, 300) + p.differs(p.found.Issuer, p.expected.Issuer) +
		p.differs(p.found.TokenEndpoint, p.expected.TokenEndpoint), nil
}

// announced is the authorization server that the protected resource metadata name first, "" when they name none.
func (p *preflight) announced() string {
	return cmp.Or(server.Texts(p.found.ResourceMetadata["authorization_servers"])...)
}

// serverMetadata are the first metadata of an authorization server that there are, and where; else what was tried.
func (p *preflight) serverMetadata(issuer string) (document map[string]any, at string, tried []string) {
	for _, u := range target.ServerMetadataURLs(issuer) {
		found, _, err := p.t.Get(u)
		if err == nil {
			return found, u, tried
		}
		tried = append(tried, err.Error())
	}
	return nil, "", tried
}

// differs says that something is not what it was expected to be.
func (p *preflight) differs(found, expected string) string {
	if expected == "" || found == expected {
		return ""
	}
	return fmt.Sprintf("; %s is not the %s of %s", wire.Printable(found, 300), expected, p.expected.By)
}

// otherResource is the stop at metadata that speak of somebody else: a token for that resource would be handed to this
// server, which could use it there.
func otherResource(resource, url string) *stop {
	return &stop{fmt.Sprintf("The protected resource metadata of %s name another resource, %s (RFC 9728 3.3).", url,
		wire.Printable(resource, 300)),
		"Correct resource in the metadata, or url. No token was asked for. To test in spite of that, set resource."}
}

// hosts stops before anything is sent where discovery leads to a host that the configuration does not name.
func (p *preflight) hosts() *stop {
	endpoints := map[string]string{"token_endpoint": p.found.TokenEndpoint}
	for _, member := range []string{"registration_endpoint", "revocation_endpoint", "introspection_endpoint"} {
		if u := p.found.Endpoint(member); u != "" {
			endpoints[member] = u
		}
	}
	for _, member := range slices.Sorted(maps.Keys(endpoints)) {
		if err := p.t.Wire.Hosts().Trusts(endpoints[member]); err != nil {
			return &stop{fmt.Sprintf("The %s is %s: %v.", member, wire.Printable(wire.WithoutQuery(endpoints[member]), 300),
				err),
				"Nothing was sent there. When it is your authorization server, say so with authorization_server.issuer or " +
					"allowed_hosts."}
		}
	}
	return nil
}

// redeem presents an honest ID-JAG. It also learns whether the target fetches our keys: when it knew them already, a
// grant signed with a key that is new says whether it asks again.
func (p *preflight) redeem() (string, *stop) {
	clock := p.readClock()
	before := p.fetches()
	audiences := p.learnAudiences(p.t.Config.Clients[:1])
	p.redemption = p.t.Present(p.t.Grant(), reports.Setup, "an honest ID-JAG")
	if !server.Granted(p.redemption) {
		if a := p.awaitKeys(); a != nil {
			p.redemption = a
		}
	}
	if !server.Granted(p.redemption) && about(p.redemption) == "clock" {
		if a := p.searchClock(); a != nil {
			p.redemption, clock = a, "; "+clockWords(p.t.Skew)
		}
	}
	if !server.Granted(p.redemption) {
		return "", p.diagnose()
	}
	fetching := p.learnFetching(before)
	audiences += p.learnAudiences(p.t.Config.Clients[1:])
	if c := p.t.Config.DPoPClient; c != nil {
		audiences += p.learnAudience(c, p.t.NewProver().Proving(p.t))
	}
	return "granted; " + fetching + audiences + clock, nil
}

// learnFetching finds out whether changes to our keys reach the target, and says what was seen.
func (p *preflight) learnFetching(before int) string {
	switch {
	case p.t.Config.IdP.Static():
		return "the keys are those that were exported"
	case p.fetches() > before:
		p.t.Inbound = true
		return "the target fetched our keys"
	case p.refetches():
		p.t.Inbound = true
		return "the target knew our keys, and asks again for new ones"
	default:
		return "the target did not fetch our keys, not even for a new one: checks of key rotation and of unknown issuers " +
			"are skipped"
	}
}

// learnAudiences finds out what the assertions of clients may be for, the issuer or the token endpoint, where the
// configuration does not say it, and goes on with what is taken. It says what was found.
func (p *preflight) learnAudiences(clients []target.Client) (said string) {
	for n := range clients {
		said += p.learnAudience(&clients[n])
	}
	return said
}

func (p *preflight) learnAudience(c *target.Client, options ...server.RedeemOption) (said string) {
	if c.Auth != target.PrivateKeyJWT && c.Auth != target.ClientSecretJWT || c.Audience != "" {
		return ""
	}
	for _, audience := range []string{server.AudienceIssuer, server.AudienceEndpoint} {
		c.Audience = audience
		grant := p.t.Grant(server.Set("client_id", c.ID))
		if server.Granted(p.t.Present(grant, reports.Setup, "an honest ID-JAG", append(options, server.As(c))...)) {
			return fmt.Sprintf("; the assertions of %s are for the %s", c.ID, strings.ReplaceAll(audience, "_", " "))
		}
	}
	c.Audience = ""
	return ""
}

func (p *preflight) fetches() int {
	if p.t.Config.IdP.Static() {
		return 0
	}
	n, err := p.t.World.Control.Requests(p.t, p.t.IdPName, mockidp.EndpointKeys)
	if err != nil {
		return 0
	}
	return n
}

func (p *preflight) call() (string, *stop) {
	token := p.redemption.String("access_token")
	var spoken []string
	a := p.use(p.t.Initialize(p.t.Config.URL, token))
	if server.LetIn(a) {
		spoken = append(spoken, server.Revision2025)
	}
	if b := p.use(p.t.Stateless(p.t.Config.URL, token, "tools/list", nil)); server.LetIn(b) {
		spoken = append(spoken, server.Revision2026)
	}
	if len(spoken) > 0 {
		return "answers as in " + strings.Join(spoken, " and "), nil
	}
	if a.Status == http.StatusForbidden {
		return "", &stop{fmt.Sprintf("The authorization server granted an access token, but it may not do enough at the "+
			"MCP server: %s%s.",
			a.Summary(), p.lacking(a)),
			"Name the scopes that the MCP server needs in scopes. If your authorization server grants only what the scope " +
				"parameter asks for, also set redeem.scope: true."}
	}
	return "", &stop{fmt.Sprintf("The authorization server granted an access token, but the MCP server does not "+
		"take it: %s.", a.Summary()),
		"Check that the MCP server accepts tokens of " + wire.Printable(p.found.Issuer, 300) + " with the audience " +
			wire.Printable(p.found.Resource, 300) + "."}
}

// scopeParam is the scope that a challenge asks for (RFC 6750 section 3).
var scopeParam = regexp.MustCompile(`(?i)\bscope="([^"]*)"`)

// lacking names the scopes that a 403 asks for and the token does not have.
func (p *preflight) lacking(a *wire.Answer) string {
	asked := scopeParam.FindStringSubmatch(strings.Join(a.Header.Values("WWW-Authenticate"), ", "))
	if asked == nil {
		return ""
	}
	granted := strings.Fields(cmp.Or(p.redemption.String("scope"), strings.Join(p.t.Config.Scopes, " ")))
	missing := slices.DeleteFunc(strings.Fields(asked[1]), func(scope string) bool {
		return slices.Contains(granted, scope)
	})
	if len(missing) == 0 {
		return ""
	}
	return "; the token works, but lacks " + wire.Printable(strings.Join(missing, " "), 200)
}
