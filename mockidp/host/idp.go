package host

import (
	"net/http"

	"github.com/emaconform/emaconform/mockidp/control"
	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/internal/state"
)

// NewIdP makes an identity provider for a server of your own. o.URL is required; Listen and CA are not looked at.
func NewIdP(o Options) (*idp.IdP, error) { return newIdP(o, nil) }

// newIdP makes an identity provider with everything that the options want on it. certificate is that of its server, nil
// for none.
func newIdP(o Options, certificate control.Certificate) (*idp.IdP, error) {
	p, err := idp.New(state.Options{URL: o.URL, Keys: o.Keys, NextKey: o.NextKey, Now: o.Now, Directory: o.Directory,
		SAMLCertificate: o.SAMLCertificate, Log: o.Log, AuditLines: o.AuditLines, AllowedHosts: o.AllowedHosts})
	if err != nil {
		return nil, err
	}
	if o.ControlSecret != "" {
		p.Handle("/api/v1/logs", control.SystemLog(p, o.ControlSecret))
	}
	if o.ControlSecret != "" && o.ControlListen == "" {
		api := control.HandlerOf(control.Target{IdP: p, Certificate: certificate}, o.ControlSecret)
		p.Handle("/control/", http.StripPrefix(p.Path()+"/control", api))
	}
	if o.Console != nil {
		p.Handle("/console", o.Console(p))
	}
	return p, nil
}
