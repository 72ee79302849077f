// Package target describes the server under test: what its owner tells us (the configuration) and what it tells itself
// (discovery).
package target

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/suites/wire"
)

// Config is the configuration file of `emaconform server`. Every member is optional but URL, one client and one user.
type Config struct {
	Name     string `yaml:"name,omitempty" json:"name,omitempty"` // how reports call the target
	URL      string `yaml:"url,omitempty" json:"url"`             // the MCP server
	Resource string `yaml:"resource,omitempty" json:"resource,omitempty"`
	CAFile   string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"` // PEM: trust these authorities for the target, too

	AllowedHosts []string `yaml:"allowed_hosts,omitempty" json:"allowed_hosts,omitempty"` // secrets may go there, too
	// ask private addresses for documents
	AllowPrivate bool `yaml:"allow_private,omitempty" json:"allow_private,omitempty"`

	UserAgent string `yaml:"user_agent,omitempty" json:"user_agent,omitempty"` // what requests call their sender

	AuthorizationServer AuthorizationServer `yaml:"authorization_server,omitempty" json:"authorization_server"`

	IdP       IdP  `yaml:"idp,omitempty" json:"idp"`
	SecondIdP *IdP `yaml:"second_idp,omitempty" json:"second_idp,omitempty"`

	Clients []Client `yaml:"clients,omitempty" json:"clients"`
	// client id registered without credentials
	PublicClient string `yaml:"public_client,omitempty" json:"public_client,omitempty"`
	Users        []User `yaml:"users,omitempty" json:"users"`
	// of an account without a sub
	LinkableEmail string `yaml:"linkable_email,omitempty" json:"linkable_email,omitempty"`
	SharedEmail   string `yaml:"shared_email,omitempty" json:"shared_email,omitempty"` // of two such accounts
	// each registered for the resource and allowed for the clients
	Scopes []string `yaml:"scopes,omitempty" json:"scopes,omitempty"`
	// registered, but not allowed for the clients
	ForbiddenScope string `yaml:"forbidden_scope,omitempty" json:"forbidden_scope,omitempty"`
	// URL of another MCP server of the same RAS
	SecondServer string `yaml:"second_server,omitempty" json:"second_server,omitempty"`
	// ImpliedScopes names, for a scope, those that it implies.
	ImpliedScopes map[string][]string `yaml:"implied_scopes,omitempty" json:"implied_scopes,omitempty"`
	// of web pages that the MCP server serves
	AllowedOrigin string `yaml:"allowed_origin,omitempty" json:"allowed_origin,omitempty"`
	// a tool that needs a scope
	ScopedTool *Tool `yaml:"scoped_tool,omitempty" json:"scoped_tool,omitempty"`

	// Claims are put into every honest ID-JAG: what the target wants besides, such as aud_tenant.
	Claims map[string]any `yaml:"claims,omitempty" json:"claims,omitempty"`

	// WhoamiTool is a tool of the MCP server that tells who is calling, for targets whose access tokens are opaque: what
	// it answers is compared, so that it has to answer the same for the same account.
	WhoamiTool string `yaml:"whoami_tool,omitempty" json:"whoami_tool,omitempty"`

	// RevokedClient is a client whose credentials were withdrawn: it is served no more.
	RevokedClient *Client `yaml:"revoked_client,omitempty" json:"revoked_client,omitempty"`
	// DPoPClient is a client of which the RAS wants DPoP proofs (RFC 9449 5.2), where it does not want them of all.
	DPoPClient *Client `yaml:"dpop_client,omitempty" json:"dpop_client,omitempty"`
	// DisabledUser is a user of the first IdP whose account the target has switched off: nobody gets into it any more.
	DisabledUser *User `yaml:"disabled_user,omitempty" json:"disabled_user,omitempty"`
	// DisabledIdP is an identity provider whom the target once trusted and has switched off: its keys still work, and
	// nobody gets in by them. Its first user is one whom the target knew by it; default: the first of users.
	DisabledIdP *IdP `yaml:"disabled_idp,omitempty" json:"disabled_idp,omitempty"`
	// Upstream is a service that we play and that the MCP server asks: what it gets there is seen.
	Upstream *Upstream `yaml:"upstream,omitempty" json:"upstream,omitempty"`

	CIMD bool `yaml:"cimd,omitempty" json:"cimd,omitempty"` // the RAS takes Client ID Metadata Document URLs
	RAR  *RAR `yaml:"rar,omitempty" json:"rar,omitempty"`   // the RAS takes authorization_details
	JWE  bool `yaml:"jwe,omitempty" json:"jwe,omitempty"`   // the RAS takes encrypted ID-JAGs
	// the RAS wants DPoP proofs: honest requests carry them
	DPoP bool `yaml:"dpop,omitempty" json:"dpop,omitempty"`
	// parameters that the target wants in every redemption
	Redeem  Extra  `yaml:"redeem,omitempty" json:"redeem"`
	Timing  Time   `yaml:"timing,omitempty" json:"timing"`               // how patient to be
	Setup   Setup  `yaml:"setup,omitempty" json:"setup,omitempty"`       // a command that registers us with the target
	LogFile string `yaml:"log_file,omitempty" json:"log_file,omitempty"` // the target's log, searched for whole ID-JAGs
}

// AuthorizationServer overrides what discovery would find.
type AuthorizationServer struct {
	Issuer        string `yaml:"issuer,omitempty" json:"issuer,omitempty"`
	TokenEndpoint string `yaml:"token_endpoint,omitempty" json:"token_endpoint,omitempty"`
}

// IdP is a mock identity provider as the target knows it.
type IdP struct {
	Issuer string `yaml:"issuer,omitempty" json:"issuer,omitempty"` // default: derived from Listen
	// address to serve it on; "none": the target has the exported JWKS
	Listen string `yaml:"listen,omitempty" json:"listen,omitempty"`
	Keys   string `yaml:"keys,omitempty" json:"keys,omitempty"` // file with the private keys; made when missing
	Alg    string `yaml:"alg,omitempty" json:"alg,omitempty"`   // default RS256
	CA     string `yaml:"ca,omitempty" json:"ca,omitempty"`     // file with the CA; serves https; made when missing
	// the target knows this issuer as multi-tenant, this is ours
	Tenant string `yaml:"tenant,omitempty" json:"tenant,omitempty"`
	// EmailDomains are the domains for which the target takes this IdP's word for an e-mail address.
	EmailDomains []string `yaml:"email_domains,omitempty" json:"email_domains,omitempty"`
	// of the second IdP; the first one's stand at the top level
	Users []User `yaml:"users,omitempty" json:"users,omitempty"`
}

// Static reports whether the target has our keys already and does not fetch them.
func (i *IdP) Static() bool { return i.Listen == "none" }

// User is an account of the target as the IdP names it.
type User struct {
	Sub   string `yaml:"sub" json:"sub"`
	Email string `yaml:"email,omitempty" json:"email,omitempty"`
	// SubID is the sub_id claim of the user's ID-JAGs, where the target knows its users by their SAML names.
	SubID map[string]string `yaml:"sub_id,omitempty" json:"sub_id,omitempty"`
}

// Tool is an MCP tool and the scope that calling it needs.
type Tool struct {
	Name  string `yaml:"name" json:"name"`
	Scope string `yaml:"scope" json:"scope"`
}

// Upstream is where the mock of an upstream service listens, and the tool that makes the MCP server ask it, without
// arguments.
type Upstream struct {
	Listen string `yaml:"listen" json:"listen"` // default 127.0.0.1:0
	Tool   string `yaml:"tool" json:"tool"`
}

// RAR is an authorization_details entry that the target grants, as JSON.
type RAR struct {
	Granted string `yaml:"granted" json:"granted"` // a JSON object that may be granted
	Wider   string `yaml:"wider,omitempty" json:"wider,omitempty"`
}

// Extra says which optional parameters a redemption carries by default.
type Extra struct {
	Resource bool `yaml:"resource,omitempty" json:"resource,omitempty"`
	Scope    bool `yaml:"scope,omitempty" json:"scope,omitempty"`
}

// Time says how patient to be with the target.
type Time struct {
	Request time.Duration `yaml:"request,omitempty" json:"request,omitempty"` // one exchange; default 10s
	Check   time.Duration `yaml:"check,omitempty" json:"check,omitempty"`     // one check; default 60s
	// the whole run; default 15m
	Run time.Duration `yaml:"run,omitempty" json:"run,omitempty"`
	// how long a target may be away; default 60s
	Outage time.Duration `yaml:"outage,omitempty" json:"outage,omitempty"`
	// most that Retry-After is obeyed; default 20s
	RetryAfter time.Duration `yaml:"retry_after,omitempty" json:"retry_after,omitempty"`
	// until a new key must work; default 35s
	JWKSPatience time.Duration `yaml:"jwks_patience,omitempty" json:"jwks_patience,omitempty"`
	// until a used ID-JAG is sent once more; default 65s
	Replay time.Duration `yaml:"replay,omitempty" json:"replay,omitempty"`
	// how long behind its end an access token may still be taken, for clocks that differ; default 60s
	Leeway time.Duration `yaml:"leeway,omitempty" json:"leeway,omitempty"`
}

// Setup is a command and its arguments.
type Setup []string

// Load reads a configuration file. Unknown keys are errors that name the line.
func Load(path string) (*Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	var c Config
	if err := Decode(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

// Merge replaces what the document (JSON or YAML) names. Unknown keys are errors, which name the line but quote
// nothing: the document may hold secrets.
func (c *Config) Merge(document []byte) error { return Decode(document, c) }

// Defaults fills in what was left out.
func (c *Config) Defaults() {
	c.Timing.defaults()
	for _, i := range []*IdP{&c.IdP, c.SecondIdP, c.DisabledIdP} {
		if i == nil {
			continue
		}
		if i.Listen == "" {
			i.Listen = "127.0.0.1:0"
		}
		if i.Alg == "" {
			i.Alg = string(jose.RS256)
		}
	}
	if c.CIMD && len(c.Clients) == 0 && len(c.Users) > 0 { // what the target cannot register describes itself
		c.Clients = []Client{{CIMD: true}, {CIMD: true}}
	}
	for n := range c.Clients {
		switch k := &c.Clients[n]; {
		case k.Auth == "" && k.CIMD:
			k.Auth = PrivateKeyJWT
		case k.Auth == "":
			k.Auth = ClientSecretBasic
		}
	}
}

// Look reports whether there is nothing to get a token with: neither clients nor users, nor a command that brings them.
// Then a run is a first look, at what needs no token.
func (c *Config) Look() bool {
	return len(c.Clients) == 0 && len(c.Users) == 0 && len(c.Setup) == 0 && c.URL != ""
}

// Resolve reads the secrets and keys that the configuration points at and checks the whole for sense. All problems come
// in one error, a line each.
func (c *Config) Resolve() error {
	var p problems
	if c.URL == "" {
		p.complain("url: missing: the URL of the MCP server to judge (--url, or url in the file of --config)")
	}
	p.checkURL("url", c.URL)
	p.checkURL("second_server", c.SecondServer)
	p.checkURL("authorization_server.issuer", c.AuthorizationServer.Issuer)
	p.checkURL("authorization_server.token_endpoint", c.AuthorizationServer.TokenEndpoint)
	if strings.ContainsFunc(c.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		p.complain("user_agent: %q has characters that a header cannot have", c.UserAgent)
	}
	for n, host := range c.AllowedHosts {
		if !wire.IsHost(host) {
			p.complain("allowed_hosts[%d]: %q is no host: write auth.example, or auth.example:8443", n,
				wire.WithoutPassword(host))
		}
	}
	p = append(p, c.contradictions()...)
	if c.Look() {
		return errors.Join(p...)
	}
	c.resolveClients(&p)
	c.resolveIdPs(&p)
	return errors.Join(p...)
}

// problems is what is wrong with a configuration.
type problems []error

func (p *problems) complain(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

// checkURL complains of a value that is no URL to send requests to.
func (p *problems) checkURL(key, value string) {
	if wire.HasPassword(value) {
		p.complain("%s: it holds a user name or a password, which would stand in every report: write %s",
			key, wire.WithoutPassword(value))
		return
	}
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		p.complain("%s: %q is no http or https URL", key, value)
	}
}

// resolveClients completes and checks the clients and what else of the target has to be named before tokens are asked
// for.
func (c *Config) resolveClients(p *problems) {
	if len(c.Clients) == 0 {
		p.complain("clients: none: which client is registered with the authorization server? Give --client-id and " +
			"--client-secret-file (or EMACONFORM_CLIENT_SECRET), or clients in the file of --config: " +
			"`emaconform config` prints one with every key")
	}
	for n := range c.Clients {
		if err := c.Clients[n].Resolve(); err != nil {
			p.complain("clients[%d] (%s): %v", n, c.Clients[n].ID, err)
		}
	}
	for key, single := range map[string]*Client{"revoked_client": c.RevokedClient, "dpop_client": c.DPoPClient} {
		if single == nil {
			continue
		}
		if single.Auth == "" {
			single.Auth = ClientSecretBasic
		}
		if err := single.Resolve(); err != nil {
			p.complain("%s (%s): %v", key, single.ID, err)
		}
	}
	if c.Upstream != nil && c.Upstream.Tool == "" {
		p.complain("upstream.tool: missing: the name of a tool of the MCP server that asks the upstream service")
	}
	if len(c.Users) == 0 {
		p.complain("users: none: whom does the target know? Give --user (the sub that the IdP is to name; --email, if " +
			"accounts are found by it), or users in the file of --config")
	}
	for n, u := range c.Users {
		if u.Sub == "" {
			p.complain("users[%d]: sub is missing", n)
		}
	}
	if c.DisabledUser != nil && c.DisabledUser.Sub == "" {
		p.complain("disabled_user: sub is missing")
	}
}

// resolveIdPs checks the identity providers that are played.
func (c *Config) resolveIdPs(p *problems) {
	for key, i := range map[string]*IdP{"idp": &c.IdP, "second_idp": c.SecondIdP, "disabled_idp": c.DisabledIdP} {
		if i == nil {
			continue
		}
		p.checkURL(key+".issuer", i.Issuer)
		if i.Static() && (i.Issuer == "" || i.Keys == "") {
			p.complain("%s: listen: none needs both issuer and keys, those of `emaconform mockidp export`", key)
		}
		switch jose.SignatureAlgorithm(i.Alg) {
		case jose.RS256, jose.PS256, jose.ES256, jose.EdDSA:
		default:
			p.complain("%s.alg: %q is none of RS256, PS256, ES256, EdDSA", key, i.Alg)
		}
	}
}

// Loopback reports whether this URL's host is the machine itself.
func Loopback(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Hosts are those that the configuration names: secrets go to no other.
func (c *Config) Hosts() *wire.Hosts {
	h := &wire.Hosts{Target: c.URL, Private: c.AllowPrivate, Named: slices.Clone(c.AllowedHosts)}
	for _, u := range []string{c.AuthorizationServer.Issuer, c.AuthorizationServer.TokenEndpoint, c.SecondServer} {
		if u != "" {
			h.Named = append(h.Named, u)
		}
	}
	return h
}
