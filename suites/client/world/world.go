package world

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
)

// Identity is how a client gets to prove who its user is.
type Identity string

// The identities that a client can be given.
const (
	Given   Identity = "given"   // an ID token
	Relogin Identity = "relogin" // an ID token, and leave to log in again
	Login   Identity = "login"   // nothing: it logs in with OpenID Connect
	Refresh Identity = "refresh" // an ID token and a refresh token
	SAML    Identity = "saml"    // a SAML assertion
)

// Options is the shape of a world.
type Options struct {
	Identity     Identity // "" is Given
	TwoServers   bool     // a second MCP server, with a RAS of its own
	TLS          bool     // https everywhere, by a CA that the client is told of
	CAFile       string   // PEM file of that CA, with its key; "" is one that lives as long as the process
	Confidential bool     // the client has a secret at the IdP, and the IdP wants it
	Unregistered bool     // the client has no credentials at the RAS: it registers itself there
	// client id at the RAS that is the URL of a document that the client publishes; no secret goes with it
	Published  string
	Document   []byte // that document; nil: it is not known
	OtherHosts bool   // each party has a host of its own, on loopback; see HostsAvailable
	Place      Place  // where the parties are, for clients that are not on this machine
	DPoP       bool   // the client is asked to bind its ID-JAG to a key
	Revision   string // the only MCP revision that is answered; "" is both
	// BasePort, when not 0, is the port of the first party; the others follow. With Secret, which then is part of every
	// client secret, a world looks to the client like the one before: nobody has to configure it anew.
	BasePort int
	Secret   string
	// SecretKnown says that the client is known to use its secret at the IdP: then it is a mistake to leave it out.
	SecretKnown bool
	// RedirectURIs are where logins may end, as they are registered: on loopback with any port. None stands for one at
	// which nobody listens.
	RedirectURIs []string
	// OwnHome gives the client a home directory of its own, which is searched afterwards.
	OwnHome bool
	// ConnectsOnly lets a connection count as use of the MCP server.
	ConnectsOnly bool
	// RequestTimeout is the longest that the client should wait for an answer; 0 leaves it to the client.
	RequestTimeout time.Duration
}

// World is everybody that one run of a client meets.
type World struct {
	Options
	IdP      *IdP
	RAS      *RAS
	MCP      *Server
	OtherRAS *RAS    // nil unless TwoServers
	OtherMCP *Server // nil unless TwoServers
	Consent  *Party  // where a person would be asked for consent: must stay untouched
	Attacker *Party
	Plain    *Party // speaks http in a world with TLS; nil in others

	// Resting, when set, is told when the client has nothing to do, for the world makes it wait; what it returns is called
	// when that is over.
	Resting func() (over func())

	ClientSecret    string // at every RAS
	IdPClientSecret string // at the IdP

	// Certificates are bad certificates for parties, in a world with TLS.
	Certificates map[*Party]mockidp.BadCertificate

	parties []*Party
	front   *front // the port that they share; nil: each has one
	ca      *mockidp.CA
	caFile  string

	mu      sync.Mutex
	seen    []*Seen
	secrets []Secret
	flood   sync.Once
	flooded chan struct{}
}

// Key is what the identity providers of all worlds sign with: made once in a process, for it is slow to make.
var key = sync.OnceValues(func() (*mockidp.KeySet, error) { return mockidp.NewKeySet(jose.ES256) })

var authority = sync.OnceValues(mockidp.NewCA)

// rest tells that the client has to wait.
func (w *World) rest() (over func()) {
	if w.Resting == nil {
		return func() {}
	}
	return w.Resting()
}

// New makes an honest world and opens its ports; nothing is answered before Serve. Close it in any case.
func New(o Options) (*World, error) {
	if o.Identity == "" {
		o.Identity = Given
	}
	w := &World{Options: o, flooded: make(chan struct{}), Certificates: map[*Party]mockidp.BadCertificate{}}
	if err := w.build(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) build() (err error) {
	keys, err := key()
	if err != nil {
		return err
	}
	if w.TLS {
		if err := w.makeCA(); err != nil {
			return err
		}
	}
	if w.Place.PublicURL != "" {
		if err := w.openFront(); err != nil {
			return fmt.Errorf("cannot open the port that all parties share: %w", err)
		}
	}
	names := []string{"IdP", "RAS", "MCP server", "consent page", attackerName}
	if w.TLS {
		names = append(names, plainName)
	}
	if w.TwoServers {
		names = append(names, "second RAS", "second MCP server")
	}
	parties := map[string]*Party{}
	for _, name := range names {
		if parties[name], err = w.party(name); err != nil {
			return err
		}
	}
	w.Consent, w.Attacker, w.Plain = parties["consent page"], parties[attackerName], parties[plainName]
	w.makeConsent()
	if w.IdP, err = w.makeIdP(parties["IdP"], keys); err != nil {
		return err
	}
	w.ClientSecret = w.issue(ClientSecret, w.secret("ras-"), parties["RAS"], parties["second RAS"])
	w.RAS = w.makeRAS(parties["RAS"])
	w.MCP = w.makeServer(parties["MCP server"], w.RAS)
	if w.TwoServers {
		w.OtherRAS = w.makeRAS(parties["second RAS"])
		w.OtherMCP = w.makeServer(parties["second MCP server"], w.OtherRAS)
	}
	w.Attacker.Anything = func(*Call) *Reply {
		return &Reply{JSON: map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 600}}
	}
	return nil
}

// MaxParties is how many ports a world takes at most.
const MaxParties = 8

const (
	attackerName = "attacker"
	plainName    = "host without TLS"
)

func (w *World) party(name string) (*Party, error) {
	p := &Party{Name: name, world: w, documents: map[string]map[string]any{}, endpoints: map[string]*Endpoint{}}
	if w.front != nil {
		p.URL = w.Place.urlOf(name)
	} else if err := w.listen(p); err != nil {
		return nil, fmt.Errorf("cannot open a port for the %s: %w", name, err)
	}
	w.parties = append(w.parties, p)
	return p, nil
}

// listen opens a port for a party.
func (w *World) listen(p *Party) (err error) {
	port := 0
	if w.BasePort != 0 {
		port = w.BasePort + len(w.parties)
	}
	host := cmp.Or(w.Place.Bind, "127.0.0.1")
	if w.OtherHosts {
		host = hostOf(len(w.parties))
	}
	if p.listener, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
		return err
	}
	scheme := "http"
	if w.TLS && p.Name != plainName {
		scheme = "https"
	}
	address := p.listener.Addr().String()
	if p.Name == attackerName && !w.OtherHosts && w.Place.Bind == "" {
		// another host name, for HTTP libraries that tell hosts apart by that
		address = net.JoinHostPort("localhost", strconv.Itoa(p.listener.Addr().(*net.TCPAddr).Port))
	}
	p.URL = scheme + "://" + address
	return nil
}

// hostOf is the host of a party in a world of many hosts: 127.0.0.2 and those behind it.
func hostOf(party int) string { return "127.0.0." + strconv.Itoa(2+party) }

// HostsAvailable reports whether this machine has hosts for a world of many: all of 127.0.0.0/8 is loopback on Linux
// and Windows, and on others what its administrator has added.
var HostsAvailable = sync.OnceValue(func() bool {
	for party := range MaxParties {
		l, err := net.Listen("tcp", net.JoinHostPort(hostOf(party), "0"))
		if err != nil {
			return false
		}
		_ = l.Close() // it was for the question alone
	}
	return true
})

// hosts are those that certificates are for, besides 127.0.0.1.
func (w *World) hosts() (list []string) {
	if w.Place.Bind != "" {
		list = append(list, w.Place.Bind)
	}
	for party := range w.parties {
		if w.OtherHosts {
			list = append(list, hostOf(party))
		}
	}
	return list
}

// clientID is the client's id at every RAS.
func (w *World) clientID() string { return cmp.Or(w.Published, ClientID) }

// secret is a client secret: always another, unless the options want it to stay.
func (w *World) secret(prefix string) string {
	if w.Secret != "" {
		return prefix + w.Secret
	}
	return prefix + rand.Text()
}

// NewClientSecret gives the client a secret at the RAS that ends so.
func (w *World) NewClientSecret(end string) {
	w.ClientSecret = w.issue(ClientSecret, w.secret("ras-")+end, w.RAS.Party)
}

// makeConsent builds the page that a RAS would send the user's browser to, with a registration endpoint: what a client
// that gives up on Enterprise-Managed Authorization would use.
func (w *World) makeConsent() {
	w.Consent.Anything = func(*Call) *Reply { return oauthError(403, "access_denied", "no consent is given here") }
	for path, step := range map[string]string{"/authorize": "consent page", "/register": "client registration"} {
		w.Consent.endpoints[path] = &Endpoint{Step: step, honest: w.Consent.Anything}
	}
}

// Roots are the CAs that a client of this world trusts; nil without TLS.
func (w *World) Roots() *x509.CertPool {
	if w.ca == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(w.ca.PEM())
	return pool
}

// Serve begins to answer, until Close or the end of ctx.
func (w *World) Serve(ctx context.Context) error {
	context.AfterFunc(ctx, func() { _ = w.Close() })
	if w.front != nil {
		w.front.serve(w)
		return nil
	}
	for _, p := range w.parties {
		config, err := w.tls(p)
		if err != nil {
			return err
		}
		p.serve(config)
	}
	return nil
}

func (w *World) tls(p *Party) (*tls.Config, error) {
	if !w.TLS || p == w.Plain {
		return nil, nil
	}
	if bad, ok := w.Certificates[p]; ok {
		return w.ca.BadTLSConfig(bad, w.hosts()...)
	}
	return w.ca.TLSConfig(w.hosts()...)
}

// Certificate is the file with the certificate alone, for clients to trust, of a CA that is kept in a file.
func Certificate(caFile string) string { return caFile + ".crt" }

// makeCA makes or loads the CA and writes its certificate where the client finds it: beside the CA's own file, when it
// has one, so that a client is configured once.
func (w *World) makeCA() (err error) {
	if w.CAFile == "" {
		if w.ca, err = authority(); err != nil {
			return err
		}
		return w.writeCA()
	}
	if w.ca, err = mockidp.LoadOrCreateCA(w.CAFile); err != nil {
		return err
	}
	w.caFile = Certificate(w.CAFile)
	if kept, err := os.ReadFile(w.caFile); err == nil && bytes.Equal(kept, w.ca.PEM()) {
		return nil
	}
	if err := os.WriteFile(w.caFile, w.ca.PEM(), 0o644); err != nil {
		return fmt.Errorf("cannot write the CA's certificate: %w", err)
	}
	return nil
}

func (w *World) writeCA() error {
	f, err := os.CreateTemp("", "emaconform-ca-*.pem")
	if err != nil {
		return fmt.Errorf("cannot write the CA certificate for the client: %w", err)
	}
	w.caFile = f.Name()
	_, err = f.Write(w.ca.PEM())
	return errors.Join(err, f.Close())
}

// Close closes every port and cuts every connection. It can be called twice.
func (w *World) Close() error {
	var errs []error
	for _, p := range w.parties {
		errs = append(errs, stop(p.server, p.listener))
	}
	if w.front != nil {
		errs = append(errs, stop(w.front.server, w.front.listener))
	}
	for _, s := range []*Server{w.MCP, w.OtherMCP} {
		if s != nil {
			s.close()
		}
	}
	if w.caFile != "" && w.CAFile == "" {
		if err := os.Remove(w.caFile); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stop ends a server, and its listener, which a server that has not begun yet does not know; either may be nil.
func stop(s *http.Server, l net.Listener) (err error) {
	if s != nil {
		err = s.Close()
	}
	if l != nil {
		if closed := l.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	return err
}
