package mockidp

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/internal/clientauth"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// IdP is an identity provider as an http.Handler. Make it with NewIdP, or with Serve to have it listen. It is safe for
// concurrent use.
type IdP struct {
	issuer  string
	base    *url.URL // the issuer's URL without a slash at its end
	flavour *flavour.Flavour
	log     *slog.Logger
	saml    func() (*saml.Provider, error) // made at the first call
	secret  string                         // of the control API; "" switches it off

	controlElsewhere bool // the control API has an address of its own

	org     *authServer
	servers map[string]*authServer // custom authorization servers, by id
	router  *mux.Router

	updating  sync.Mutex // held while the directory is exchanged
	directory atomic.Pointer[directory.Directory]
	started   *directory.Directory // what Reset goes back to
	vault     atomic.Pointer[vault.Vault]
	clock     clock
	faults    faults
	edits     edits
	audit     *audit.Log
	exchanges exchangeLog
	rate      rate
}

// authServer is one of the authorization servers: the org's, which signs people in and mints ID-JAGs, or a custom one,
// which does not mint them (https://developer.okta.com/docs/concepts/auth-servers/).
type authServer struct {
	id       string // "" is the org's
	issuer   string
	url      string   // of its endpoints, without a slash at the end
	audience string   // of its access tokens
	scopes   []string // besides those of OpenID Connect
	keys     *keyring
}

func (s *authServer) isOrg() bool { return s.id == "" }

// auditSize is how many entries of the audit log are kept in memory.
const auditSize = 10_000

// NewIdP makes an identity provider for a server of your own. o.URL is required; Listen and CA are not looked at.
func NewIdP(o ServerOptions) (*IdP, error) {
	base, err := checkIssuer(o.URL)
	if err != nil {
		return nil, err
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	if err := checkKeys(o.Keys); err != nil {
		return nil, err
	}
	d := o.Directory
	if d == nil {
		d = new(directory.Directory)
	}
	if err := d.Compile(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	f, err := flavour.Find(d.Settings.Flavour)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	p := &IdP{issuer: o.URL, base: base, flavour: f, log: o.Log, secret: o.ControlSecret, controlElsewhere: o.ControlListen != "",
		started: d, clock: clock{base: o.Now}, audit: audit.New(auditSize, o.AuditLines)}
	p.saml = sync.OnceValues(func() (*saml.Provider, error) { return p.newSAML(o.SAMLCertificate) })
	p.directory.Store(d)
	p.vault.Store(vault.New())
	p.makeServers(o.Keys)
	p.org.keys.ahead = o.NextKey
	p.route()
	if o.Console != nil {
		p.Handle("/console", o.Console(p))
	}
	return p, nil
}

func (p *IdP) makeServers(keys *KeySet) {
	make := func() (*KeySet, error) { return NewKeySet(p.flavour.Algorithm) }
	p.org = &authServer{issuer: p.issuer, url: p.url("/oauth2/v1"), audience: p.issuer, keys: newKeyring(keys, make)}
	p.servers = map[string]*authServer{}
	custom := p.Directory().Settings.Servers
	if len(custom) == 0 {
		custom = []directory.AuthorizationServer{{ID: "default", Audience: "api://default"}}
	}
	for _, s := range custom {
		p.servers[s.ID] = &authServer{id: s.ID, issuer: p.url("/oauth2/" + s.ID), url: p.url("/oauth2/" + s.ID + "/v1"),
			audience: s.Audience, scopes: s.Scopes, keys: newKeyring(nil, make)}
	}
}

// Issuer mints tokens in this identity provider's name, with the keys that are in force at the call.
func (p *IdP) Issuer() *Issuer { return &Issuer{URL: p.issuer, Keys: p.org.keys.set(), Now: p.Now} }

// JWKSURI is where the public keys are.
func (p *IdP) JWKSURI() string { return p.org.url + "/keys" }

// TokenURL is the token endpoint.
func (p *IdP) TokenURL() string { return p.org.url + "/token" }

// Now is the identity provider's time.
func (p *IdP) Now() time.Time { return p.clock.now() }

func (p *IdP) url(path string) string { return p.base.String() + path }

func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.router.ServeHTTP(w, r) }

// seenBefore remembers an identifier that must not come twice.
func (p *IdP) seenBefore(ends, now time.Time, parts ...string) (bool, error) {
	return p.vault.Load().Seen(ends, now, parts...)
}

// verifier authenticates the clients of a call.
func (c *call) verifier() *clientauth.Verifier {
	v := &clientauth.Verifier{Seen: c.seenBefore, Now: c.now, Audiences: []string{c.endpointURL()}}
	if c.flavour.IssuerAudience {
		v.Audiences = append(v.Audiences, c.server.issuer)
	}
	return v
}

// endpointURL is the public URL of the endpoint that was called.
func (c *call) endpointURL() string {
	path := c.r.URL.Path
	return c.server.url + path[strings.LastIndexByte(path, '/'):]
}

// clock is the time, moved by an offset.
type clock struct {
	base   func() time.Time
	offset atomic.Int64
}

func (c *clock) now() time.Time {
	t := time.Now()
	if c.base != nil {
		t = c.base()
	}
	return t.Add(time.Duration(c.offset.Load()))
}

// rate counts requests in windows of a minute, for the rate limit headers. It refuses nobody: faults do.
type rate struct {
	mu     sync.Mutex
	window int64
	n      int
}

const rateLimit = 6000

func (l *rate) count(now time.Time) (limit, remaining int, reset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if window := now.Unix() / 60; window != l.window {
		l.window, l.n = window, 0
	}
	l.n++
	return rateLimit, max(0, rateLimit-l.n), (l.window + 1) * 60
}
