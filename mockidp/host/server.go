// Package host has an identity provider listen: over http, or over https with a certificate that can be made a bad one.
package host

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/control"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/mint"
)

// Options is everything an identity provider can be started with. The zero value serves an issuer with a new RS256
// key on a free port of the loopback interface.
type Options struct {
	Listen  string       // TCP address, "" is 127.0.0.1:0
	URL     string       // issuer identifier; "" derives it from the listener
	Keys    *mint.KeySet // signing keys, the one in use first; nil makes an RS256 key
	NextKey bool         // Serve publishes the key after the one in use too, now and after each rotation, as Okta does
	CA      *ca.CA       // issues the server's certificate; nil is plain http
	Now     func() time.Time

	Directory       *directory.Directory // nil is empty: nobody can sign in
	SAMLCertificate tls.Certificate      // signs SAML assertions; zero makes one at the first use
	Log             *slog.Logger         // what goes wrong; nil is silence
	AuditLines      io.Writer            // the audit log as JSON lines; nil is none
	ControlSecret   string               // of the control API and of the log at /api/v1/logs; "" switches both off
	ControlListen   string               // address of the control API; "" is a path of the issuer's, /control

	// AllowedHosts are host names that requests may be for, besides the issuer's and those of the loopback interface;
	// "*" is any: only where no browser can reach it, for a web site can give its own name any address.
	AllowedHosts []string

	// Console makes the web console that is served below /console; nil serves none. See package console.
	Console func(*idp.IdP) http.Handler
}

// Server is an IdP that listens.
type Server struct {
	*idp.IdP
	http    *http.Server
	control *http.Server    // nil unless it has an address of its own
	shown   *ca.Shown       // nil over http
	visitor *http.Transport // of Client
	api     string
	stop    context.CancelFunc
	serving sync.WaitGroup

	connections connections
	bodies      bodies

	closing sync.Once
	err     error
}

// Serve starts an identity provider; it stops when ctx ends or Close is called. Errors are a listener that cannot be
// opened, an issuer URL that is none, or keys that cannot sign.
func Serve(ctx context.Context, o Options) (*Server, error) {
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

func serveOn(ctx context.Context, listener net.Listener, o Options) (*Server, error) {
	if o.URL == "" {
		o.URL = web.URLOf(listener, o.CA != nil) + flavourPath(o.Directory)
	}
	s, err := newServer(listener, o)
	if err != nil {
		return nil, err
	}
	if s.shown != nil {
		listener = tls.NewListener(listener, s.shown.TLSConfig())
	}
	ctx, s.stop = context.WithCancel(ctx)
	if err := s.serveControl(o); err != nil {
		s.stop()
		return nil, err
	}
	s.start(s.http, listener)
	s.serving.Go(func() { s.makeKeys(o.Log) })
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// newServer makes a server that does not serve yet.
func newServer(listener net.Listener, o Options) (s *Server, err error) {
	s = &Server{visitor: http.DefaultTransport.(*http.Transport).Clone()}
	var certificate control.Certificate
	if o.CA != nil {
		if s.shown, err = ca.NewShown(o.CA, hosts(listener, o.URL)); err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(o.CA.PEM())
		s.visitor.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		certificate = s
	}
	if s.IdP, err = newIdP(o, certificate); err != nil {
		return nil, err
	}
	s.http = newHTTP(s.bodies.bounded(s.connections.telling(s.IdP)))
	s.http.ConnState, s.http.ConnContext = s.connections.track, s.connections.remember
	s.OnFault(s.connections.retire)
	s.OnDropped(func() (int, int) { return s.connections.count(), int(s.bodies.refused.Load()) })
	s.connections.log, s.bodies.log = o.warn(), o.warn()
	return s, nil
}

// warn logs a sentence, no oftener than every ten seconds.
func (o Options) warn() func(string) {
	if o.Log == nil {
		return func(string) {}
	}
	var last atomic.Int64
	return func(text string) {
		now := time.Now().Unix()
		if then := last.Load(); now-then >= 10 && last.CompareAndSwap(then, now) {
			o.Log.Warn(text)
		}
	}
}

// makeKeys makes keys before they are needed, and not before the first answer.
func (s *Server) makeKeys(log *slog.Logger) {
	if err := s.MakeKeys(); err != nil && log != nil {
		log.Error("the next key cannot be made", "error", err)
	}
}

// serveControl serves the control API on an address of its own, if it is to have one.
func (s *Server) serveControl(o Options) error {
	switch {
	case o.ControlSecret == "":
		return nil
	case o.ControlListen == "":
		s.api = s.Below("/control")
		return nil
	}
	listener, err := net.Listen("tcp", o.ControlListen)
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	s.api = web.URLOf(listener, false)
	s.control = newHTTP(control.HandlerOf(s.target(), o.ControlSecret))
	s.start(s.control, listener)
	return nil
}

// Client is an HTTP client that trusts the certificate of the server's CA, as that of an httptest.Server does; over
// http it is a plain one. Close ends its idle connections.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.visitor} }

// ControlURL is where the control API is, "" when it is off.
func (s *Server) ControlURL() string { return s.api }

func (s *Server) start(server *http.Server, l net.Listener) {
	s.serving.Go(func() { _ = server.Serve(l) }) // ends with ErrServerClosed, for only Close ends it
}

func newHTTP(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: web.Quiet()}
}

// Close stops listening and ends every connection. It can be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.stop()
		s.err = s.http.Close()
		if s.control != nil {
			s.err = errors.Join(s.err, s.control.Close())
		}
		s.visitor.CloseIdleConnections()
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
	return strings.ReplaceAll(f.IssuerPath, "{tenant}", url.PathEscape(cmp.Or(d.Settings.Tenant, f.Tenant)))
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
