package mockidp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
)

// ServerOptions is everything an identity provider can be started with. The zero value serves an issuer with a new RS256
// key on a free port of the loopback interface.
type ServerOptions struct {
	Listen  string  // TCP address, "" is 127.0.0.1:0
	URL     string  // issuer identifier; "" derives it from the listener
	Keys    *KeySet // signing keys, the one in use first; nil makes an RS256 key
	NextKey bool    // Serve publishes the key after the one in use too, now and after each rotation, as Okta does
	CA      *CA     // issues the server's certificate; nil is plain http
	Now     func() time.Time

	Directory       *directory.Directory // nil is empty: nobody can sign in
	SAMLCertificate tls.Certificate      // signs SAML assertions; zero makes one at the first use
	Log             *slog.Logger         // what goes wrong; nil is silence
	AuditLines      io.Writer            // the audit log as JSON lines; nil is none
	ControlSecret   string               // of the control API and of the log at /api/v1/logs; "" switches both off
	ControlListen   string               // address of the control API; "" is a path of the issuer's, /control

	// Console makes the web console that is served below /console; nil serves none. See package console.
	Console func(*IdP) http.Handler
}

// Server is an IdP that listens.
type Server struct {
	*IdP
	http     *http.Server
	control  *http.Server // nil unless it has an address of its own
	identity *identity    // nil over http
	api      string
	stop     context.CancelFunc
	serving  sync.WaitGroup

	closing sync.Once
	err     error
}

// Serve starts an identity provider; it stops when ctx ends or Close is called. Errors are a listener that cannot be
// opened, an issuer URL that is none, or keys that cannot sign.
func Serve(ctx context.Context, o ServerOptions) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s, err := serveOn(ctx, listener, o)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return s, nil
}

func serveOn(ctx context.Context, listener net.Listener, o ServerOptions) (*Server, error) {
	if o.URL == "" {
		o.URL = urlOf(listener, o.CA != nil) + flavourPath(o.Directory)
	}
	idp, err := NewIdP(o)
	if err != nil {
		return nil, err
	}
	s := &Server{IdP: idp, http: newHTTP(idp)}
	ctx, s.stop = context.WithCancel(ctx)
	if err := s.serveControl(o); err != nil {
		s.stop()
		return nil, err
	}
	if o.CA != nil {
		if s.identity, err = newIdentity(o.CA, hosts(listener, o.URL)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		listener = tls.NewListener(listener, s.identity.tlsConfig())
	}
	s.start(s.http, listener)
	s.serving.Go(s.makeKeys)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// makeKeys makes keys before they are needed, and not before the first answer.
func (s *Server) makeKeys() {
	s.org.keys.set()
	if !s.org.keys.ahead {
		return
	}
	next, err := s.newKey()
	if err != nil {
		s.log.Error("the next key cannot be made", "error", err)
		return
	}
	s.org.keys.offer(next)
}

// serveControl serves the control API on an address of its own, if it is to have one.
func (s *Server) serveControl(o ServerOptions) error {
	switch {
	case o.ControlSecret == "":
		return nil
	case o.ControlListen == "":
		s.api = s.url("/control")
		return nil
	}
	listener, err := net.Listen("tcp", o.ControlListen)
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	s.api = urlOf(listener, false)
	s.control = newHTTP(s.ControlHandler())
	s.start(s.control, listener)
	return nil
}

// ControlURL is where the control API is, "" when it is off.
func (s *Server) ControlURL() string { return s.api }

func (s *Server) start(server *http.Server, l net.Listener) {
	s.serving.Go(func() { _ = server.Serve(l) }) // ends with ErrServerClosed, for only Close ends it
}

func newHTTP(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: quiet()}
}

// Close stops listening and ends every connection. It can be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.stop()
		s.err = s.http.Close()
		if s.control != nil {
			s.err = errors.Join(s.err, s.control.Close())
		}
		s.serving.Wait()
	})
	return s.err
}

// flavourPath is what the flavour puts behind the address that an issuer is derived from.
func flavourPath(d *directory.Directory) string {
	if d == nil {
		return ""
	}
	f, err := flavour.Find(d.Settings.Flavour)
	if err != nil {
		return "" // NewIdP says so
	}
	return strings.ReplaceAll(f.IssuerPath, "{tenant}", url.PathEscape(orText(d.Settings.Tenant, f.Tenant)))
}

func urlOf(l net.Listener, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// hosts are the names that the certificate is for: the issuer's host and the address listened on.
func hosts(l net.Listener, issuer string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if u, err := url.Parse(issuer); err == nil {
		names = append(names, u.Hostname())
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil {
		names = append(names, host)
	}
	return names
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

func checkKeys(given *KeySet) error {
	if given == nil {
		return nil
	}
	if len(given.Keys) == 0 {
		return errors.New("the key set is empty: an issuer needs a key to sign with")
	}
	for n, k := range given.Keys {
		if err := k.usable(); err != nil {
			return fmt.Errorf("key %d %w", n+1, err)
		}
	}
	return nil
}
