// Package state is what one identity provider knows and remembers. Its endpoints (package endpoint) answer from it;
// package idp changes it.
package state

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// Options are what a State is made from. URL is required.
type Options struct {
	URL             string       // issuer identifier
	Keys            *mint.KeySet // nil makes one key at the first use
	NextKey         bool         // there is always a key that is published and not used yet
	Now             func() time.Time
	Directory       *directory.Directory
	SAMLCertificate tls.Certificate
	Log             *slog.Logger
	AuditLines      io.Writer
	AllowedHosts    []string // besides the issuer's and those of loopback
}

// State is an identity provider without its endpoints. It is safe for concurrent use.
type State struct {
	Issuer  string
	Base    *url.URL // the issuer's URL without a slash at its end
	Flavour *flavour.Flavour
	Log     *slog.Logger
	SAML    func() (*saml.Provider, error) // made at the first call

	Org     *Server
	Servers map[string]*Server // custom authorization servers, by id

	Directory atomic.Pointer[directory.Directory]
	Started   *directory.Directory // what a reset goes back to
	Vault     atomic.Pointer[vault.Vault]
	Clock     Clock
	Faults    fault.Registry
	Edits     mint.Edits
	Audit     *audit.Log
	Exchanges observe.Log
	Unknown   observe.Paths // requests to paths where nothing is
	Rate      Rate
}

// Server is one of the authorization servers: the org's, which signs people in and mints ID-JAGs, or a custom one,
// which does not mint them (https://developer.okta.com/docs/concepts/auth-servers/).
type Server struct {
	ID       string // "" is the org's
	Issuer   string
	URL      string   // of its endpoints, without a slash at the end
	Audience string   // of its access tokens
	Scopes   []string // besides those of OpenID Connect
	Keys     *mint.Ring
}

// IsOrg tells the org's authorization server from custom ones.
func (s *Server) IsOrg() bool { return s.ID == "" }

// auditSize is how many entries of the audit log are kept in memory.
const auditSize = 10_000

// New makes a state. Errors are an issuer that is none, keys that cannot sign, a directory that does not compile.
func New(o Options) (*State, error) {
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
	s := &State{Issuer: o.URL, Base: base, Flavour: f, Log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		Started: d, Clock: Clock{base: o.Now}, Audit: audit.New(auditSize, o.AuditLines)}
	s.SAML = sync.OnceValues(func() (*saml.Provider, error) { return s.newSAML(o.SAMLCertificate) })
	s.Directory.Store(d)
	s.Vault.Store(vault.New())
	s.makeServers(o.Keys, o.NextKey)
	return s, nil
}

func (s *State) makeServers(keys *mint.KeySet, ahead bool) {
	make := func() (*mint.KeySet, error) { return mint.NewKeySet(s.Flavour.Algorithm) }
	s.Org = &Server{Issuer: s.Issuer, URL: s.URL("/oauth2/v1"), Audience: s.Issuer, Keys: mint.NewRing(keys, ahead, make)}
	s.Servers = map[string]*Server{}
	custom := s.Directory.Load().Settings.Servers
	if len(custom) == 0 {
		custom = []directory.AuthorizationServer{{ID: "default", Audience: "api://default"}}
	}
	for _, c := range custom {
		s.Servers[c.ID] = &Server{ID: c.ID, Issuer: s.URL("/oauth2/" + c.ID), URL: s.URL("/oauth2/" + c.ID + "/v1"),
			Audience: c.Audience, Scopes: c.Scopes, Keys: mint.NewRing(nil, false, make)}
	}
}

// URL is that of a path below the issuer's.
func (s *State) URL(path string) string { return s.Base.String() + path }

// Now is the identity provider's time.
func (s *State) Now() time.Time { return s.Clock.now() }

// SeenBefore remembers an identifier that must not come twice.
func (s *State) SeenBefore(ends, now time.Time, parts ...string) (bool, error) {
	return s.Vault.Load().Seen(ends, now, parts...)
}

// Record completes an audit entry and adds it.
func (s *State) Record(e audit.Entry) {
	e.ID, e.Time = web.UUID(), s.Now()
	if u := s.Directory.Load().User(e.User); u != nil {
		e.Login = u.Login
	}
	if err := s.Audit.Add(e); err != nil {
		s.Log.Error("the audit log cannot be written", "error", err)
	}
}

// Tenant is the tenant of a multi-tenant issuer, "" for another one.
func (s *State) Tenant() string {
	return cmp.Or(s.Directory.Load().Settings.Tenant, s.Flavour.Tenant)
}

// IDTokenLifetime is how long ID tokens live.
func (s *State) IDTokenLifetime() time.Duration {
	return cmp.Or(time.Duration(s.Directory.Load().Settings.IDTokenLifetime), s.Flavour.IDTokenLifetime)
}

// ResourceSubject is the user as the connector's RAS knows them from single sign-on.
func (s *State) ResourceSubject(u *directory.User, r *directory.Connector) string {
	if own := u.Accounts[r.ID].Subject; own != "" {
		return own
	}
	return directory.SubjectOf(cmp.Or(r.Subject, s.Flavour.Subject), u, r.Audience)
}

// checkIssuer refuses what is no issuer identifier (RFC 8414 section 2; plain http is let through, for loopback).
func checkIssuer(issuer string) (*url.URL, error) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("issuer %q: expected an http or https URL", issuer)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("issuer %q: an issuer has no query, fragment or user (RFC 8414 section 2)", issuer)
	}
	return u, nil
}

func checkKeys(given *mint.KeySet) error {
	if given == nil {
		return nil
	}
	if len(given.Keys) == 0 {
		return errors.New("the key set is empty: an issuer needs a key to sign with")
	}
	for n, k := range given.Keys {
		if err := k.Usable(); err != nil {
			return fmt.Errorf("key %d %w", n+1, err)
		}
	}
	return nil
}
