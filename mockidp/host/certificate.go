package host

import (
	"errors"
	"net/http"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/control"
	"github.com/emaconform/emaconform/mockidp/observe"
)

var errNoTLS = errors.New("this identity provider is served over http: it has no certificate")

// SetCertificate lets the server show a certificate that deserves no trust from now on; "" is a good one again.
// Connections are closed, so that clients have to look at it.
func (s *Server) SetCertificate(kind ca.BadCertificate) error {
	if s.shown == nil {
		return errNoTLS
	}
	if err := s.shown.Show(kind); err != nil {
		return err
	}
	s.connections.renew()
	return nil
}

// Certificate is which certificate the server shows, and how often it did; it is the zero value over http.
func (s *Server) Certificate() ca.State {
	if s.shown == nil {
		return ca.State{}
	}
	return s.shown.State()
}

// target is what the control API drives.
func (s *Server) target() control.Target {
	t := control.Target{IdP: s.IdP}
	if s.shown != nil {
		t.Certificate = s
	}
	return t
}

// ControlHandler serves the control API of identity providers, below /idps/<name>/, and of a canary (nil for none),
// below /canary/<id>/. Every request must carry the secret as a bearer token.
func ControlHandler(secret string, idps map[string]*Server, canary *observe.Canary) http.Handler {
	targets := map[string]control.Target{}
	for name, s := range idps {
		targets[name] = s.target()
	}
	return control.Handler(secret, targets, canary)
}
