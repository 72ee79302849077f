// Package idp is an identity provider as a value: its endpoints as an http.Handler, who and what it knows, its clock,
// keys, faults and edits, and what it saw and decided. Users of the library know it as mockidp.IdP.
package idp

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/endpoint"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// IdP is an identity provider as an http.Handler. It is safe for concurrent use.
type IdP struct {
	state    *state.State
	router   *mux.Router
	guarded  http.Handler
	updating sync.Mutex // held while the directory is exchanged
	faulted  func()     // hears of changes of faults; never nil
	refused  func() (connections, requests int)
}

// New makes an identity provider. Errors are an issuer that is none, keys that cannot sign, a directory that does not
// compile.
func New(o state.Options) (*IdP, error) {
	s, err := state.New(o)
	if err != nil {
		return nil, err
	}
	router := endpoint.New(s)
	return &IdP{state: s, router: router, guarded: endpoint.Guard(s, o.AllowedHosts, router), faulted: func() {},
		refused: func() (int, int) { return 0, 0 }}, nil
}

// ServeHTTP answers a request to one of the endpoints.
func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.guarded.ServeHTTP(w, r) }

// Handle registers a handler of your own at a path below the issuer's, for instance of a console.
// Call it before the first request.
func (p *IdP) Handle(path string, h http.Handler) {
	p.router.PathPrefix(p.state.Base.Path + path).Handler(h)
}

// OnFault has a server told of each change of faults, so that it can end connections that were kept alive before it.
// Call it before the first request.
func (p *IdP) OnFault(changed func()) { p.faulted = changed }

// OnDropped says what the server that listens turned away. Call it before the first request.
func (p *IdP) OnDropped(refused func() (connections, requests int)) { p.refused = refused }

// Unknown is the requests to paths where nothing is: how many, and the last one.
func (p *IdP) Unknown() observe.Unknown { return p.state.Unknown.Seen() }

// Dropped is what was not kept, or turned away, because there was too much of it.
type Dropped struct {
	observe.Dropped
	Audit       uint64 `json:"audit"`       // entries of the audit log that made room for later ones
	Connections int    `json:"connections"` // refused
	Requests    int    `json:"requests"`    // refused
}

// Dropped is what was not kept, or turned away, so far.
func (p *IdP) Dropped() Dropped {
	d := Dropped{Dropped: p.state.Exchanges.Dropped(), Audit: p.state.Audit.Dropped()}
	d.Connections, d.Requests = p.refused()
	return d
}

// URL is the issuer identifier. Unlike Issuer it needs no keys, which take a while to be made.
func (p *IdP) URL() string { return p.state.Issuer }

// Path is the issuer's path, without a slash at its end.
func (p *IdP) Path() string { return p.state.Base.Path }

// Below is the URL of a path below the issuer's, which begins with a slash.
func (p *IdP) Below(path string) string { return p.state.URL(path) }

// JWKSURI is where the public keys are (RFC 8414 section 2, RFC 7517 section 5).
func (p *IdP) JWKSURI() string { return p.state.Org.URL + "/keys" }

// TokenURL is the token endpoint (RFC 6749 section 3.2), where ID tokens are exchanged for ID-JAGs (RFC 8693).
func (p *IdP) TokenURL() string { return p.state.Org.URL + "/token" }

// AuthorizeURL is the authorization endpoint (RFC 6749 section 3.1).
func (p *IdP) AuthorizeURL() string { return p.state.Org.URL + "/authorize" }

// Metadata is the document at the well-known locations of the org authorization server (RFC 8414, OpenID Connect
// Discovery).
func (p *IdP) Metadata() map[string]any { return endpoint.Metadata(p.state, p.state.Org) }

// Issuer mints tokens in this identity provider's name, with the keys that are in force at the call.
func (p *IdP) Issuer() *mint.Issuer {
	return &mint.Issuer{URL: p.state.Issuer, Keys: p.state.Org.Keys.Set(), Now: p.Now}
}

// Now is the identity provider's time.
func (p *IdP) Now() time.Time { return p.state.Now() }

// SAML is the SAML side of the identity provider: it mints assertions, honest ones and ones that are changed before
// they are signed. Without a certificate in the options the first call makes one.
func (p *IdP) SAML() (*saml.Provider, error) { return p.state.SAML() }

// SAMLApp is the SAML application of a client. ok is false when there is no such client or it has no SAML sign-on.
func (p *IdP) SAMLApp(clientID string) (app saml.App, ok bool) { return p.state.SAMLApp(clientID) }
