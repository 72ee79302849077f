package mockidp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/gorilla/mux"
)

// identity is the certificate that a server shows: a good one, until it is told to show a bad one.
type identity struct {
	ca    *CA
	hosts []string

	mu         sync.Mutex
	kind       BadCertificate
	config     *tls.Config
	handshakes int
}

func newIdentity(ca *CA, hosts []string) (*identity, error) {
	i := &identity{ca: ca, hosts: hosts}
	return i, i.show("")
}

// show changes the certificate; "" is the good one.
func (i *identity) show(kind BadCertificate) (err error) {
	var config *tls.Config
	if kind == "" {
		config, err = i.ca.TLSConfig(i.hosts...)
	} else {
		config, err = i.ca.BadTLSConfig(kind, i.hosts...)
	}
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.kind, i.config = kind, config
	return nil
}

// tlsConfig shows, in each handshake, the certificate of that moment.
func (i *identity) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.handshakes++
			return i.config, nil
		},
	}
}

func (i *identity) state() identityState {
	i.mu.Lock()
	defer i.mu.Unlock()
	return identityState{i.kind, i.handshakes}
}

type identityState struct {
	Kind       BadCertificate `json:"kind,omitempty"`
	Handshakes int            `json:"handshakes"`
}

var errNoTLS = errors.New("this identity provider is served over http: it has no certificate")

// SetCertificate lets the server show a certificate that deserves no trust from now on; "" is a good one again. Idle
// connections are closed, so that clients have to look at it.
func (s *Server) SetCertificate(kind BadCertificate) error {
	if s.identity == nil {
		return errNoTLS
	}
	if err := s.identity.show(kind); err != nil {
		return err
	}
	s.http.SetKeepAlivesEnabled(false)
	s.http.SetKeepAlivesEnabled(true)
	return nil
}

// Handshakes counts the TLS handshakes that clients have begun; it is 0 over http.
func (s *Server) Handshakes() int {
	if s.identity == nil {
		return 0
	}
	return s.identity.state().Handshakes
}

// identityRoutes registers the control API of a server's certificate.
func (s *Server) identityRoutes(r *mux.Router) {
	if s.identity == nil {
		return
	}
	r.HandleFunc("/certificate", func(w http.ResponseWriter, r *http.Request) {
		var asked identityState
		if !readControl(w, r, &asked) {
			return
		}
		if err := s.SetCertificate(asked.Kind); err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPut)
	r.HandleFunc("/certificate", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.identity.state())
	}).Methods(http.MethodGet)
	r.HandleFunc("/restore", func(w http.ResponseWriter, _ *http.Request) {
		if s.identity.state().Kind != "" {
			if err := s.SetCertificate(""); err != nil {
				controlError(w, http.StatusInternalServerError, err)
				return
			}
		}
		s.restore()
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPost)
}
