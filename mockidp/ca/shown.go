package ca

import (
	"crypto/tls"
	"fmt"
	"sync"
)

// Shown is the certificate that a server shows: a good one, until it is told to show a bad one. No handshake resumes an
// earlier one, so that each client has to look at the certificate of that moment (RFC 8446 section 2.2).
type Shown struct {
	ca    *CA
	hosts []string

	mu     sync.Mutex
	state  State
	config *tls.Config
}

// State is which certificate is shown, and how often it was.
type State struct {
	Kind       BadCertificate `json:"kind,omitempty"`   // "" is a good one
	Handshakes int            `json:"handshakes"`       // that clients have begun, in all
	Shown      int            `json:"shown"`            // full handshakes in which this certificate was sent
	Changes    int            `json:"changes,omitzero"` // of the certificate so far
}

// NewShown shows a good certificate of the CA for these hosts.
func NewShown(ca *CA, hosts []string) (*Shown, error) {
	s := &Shown{ca: ca, hosts: hosts}
	return s, s.Show("")
}

// Show changes the certificate; "" is a good one again.
func (s *Shown) Show(kind BadCertificate) (err error) {
	var config *tls.Config
	if kind == "" {
		config, err = s.ca.TLSConfig(s.hosts...)
	} else {
		config, err = s.ca.BadTLSConfig(kind, s.hosts...)
	}
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config != nil {
		s.state.Changes++
	}
	s.state.Kind, s.state.Shown = kind, 0
	s.config = s.counted(config, s.state.Changes)
	return nil
}

// counted counts the handshakes in which the certificate of this change is sent: a resumed one would send none.
func (s *Shown) counted(config *tls.Config, change int) *tls.Config {
	certificate := config.Certificates[0]
	config.Certificates, config.SessionTicketsDisabled = nil, true
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.state.Changes == change {
			s.state.Shown++
		}
		return &certificate, nil
	}
	return config
}

// TLSConfig shows, in each handshake, the certificate of that moment.
func (s *Shown) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.state.Handshakes++
			return s.config, nil
		},
	}
}

// State is which certificate is shown now, and how often it was.
func (s *Shown) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}
