// Package saml is the SAML 2.0 side of the identity provider: it signs users on to applications that ask for it with an
// AuthnRequest (Web Browser SSO profile, redirect and POST bindings), publishes metadata, and verifies the assertions
// that come back as subject tokens.
//
// Messages are those of github.com/crewjam/saml, signatures those of github.com/russellhaering/goxmldsig. "Core",
// "Bindings", "Profiles" and "Metadata" in comments are the OASIS SAML 2.0 documents of these names.
package saml

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// Name identifier formats (Core section 8.3).
const (
	FormatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	FormatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	FormatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	FormatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
)

// Authentication context classes: a password (SAML 2.0 Authentication Context section 3.4.9), any (section 3.4.25), and
// two factors (https://refeds.org/profile/mfa).
const (
	ContextPassword    = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	ContextUnspecified = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
	ContextMFA         = "https://refeds.org/profile/mfa"
)

// App is a SAML application: a service provider that users sign on to.
type App struct {
	ID           string   // the app's endpoints are below /app/<ID>
	EntityID     string   // of the service provider; the audience of its assertions
	ACS          []string // assertion consumer service URLs (HTTP POST); the first is the default
	NameIDFormat string   // "" is FormatEmail
}

func (a App) nameIDFormat() string {
	if a.NameIDFormat == "" {
		return FormatEmail
	}
	return a.NameIDFormat
}

// User is someone who is signed on, as an app is told.
type User struct {
	NameID       string // in the app's NameIDFormat
	SessionIndex string // "" makes one
	AuthnInstant time.Time
	AuthnContext string              // class reference; "" is ContextPassword
	Attributes   map[string][]string // further attributes of the assertion
}

// Sign-on ends that are no error of the app's request. The app gets a response with the status of Core section 3.2.2.2.
var (
	ErrDenied    = errors.New("the user may not use this application")
	ErrNoPassive = errors.New("the user is not signed on and must not be asked")
	ErrContext   = errors.New("the user did not sign on in the way that is asked for")
)

// Options is what a Provider needs.
type Options struct {
	// URL is the identity provider's base URL, without a slash at its end.
	URL string
	// Certificate signs assertions and responses: a pair that NewCertificate or LoadOrCreateCertificate made.
	Certificate tls.Certificate
	// App finds an application by its ID. It is asked at each request, so that applications can come and go.
	App func(id string) (App, bool)
	// FirstUse remembers an identifier until then, and says whether it is new: an assertion is accepted once.
	FirstUse func(id string, until time.Time) bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Session says who is signed on. With no one to name it answers the request itself, as a rule with a login page that
// leads back to the URL of r, and returns nil without an error. ErrDenied, ErrNoPassive and ErrContext go to the app;
// other errors are the identity provider's own.
type Session func(w http.ResponseWriter, r *http.Request, q Request) (*User, error)

// Provider is a SAML identity provider. It is safe for concurrent use.
type Provider struct {
	o    Options
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

// NewProvider checks the options. The error says which one is missing or unfit.
func NewProvider(o Options) (*Provider, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	u, err := url.Parse(o.URL)
	key, isRSA := o.Certificate.PrivateKey.(*rsa.PrivateKey)
	switch {
	case err != nil || u.Host == "" || strings.HasSuffix(o.URL, "/"):
		return nil, fmt.Errorf("SAML: URL %q: expected an absolute URL without a slash at its end", o.URL)
	case o.App == nil || o.FirstUse == nil:
		return nil, errors.New("SAML: App and FirstUse are needed")
	case o.Certificate.Leaf == nil:
		return nil, errors.New("SAML: Certificate is needed: see NewCertificate")
	case !isRSA:
		// goxmldsig writes ECDSA signatures in ASN.1, which XML Signature 1.1 section 6.4.3 does not.
		return nil, fmt.Errorf("SAML: cannot sign with a %T: expected an RSA key", o.Certificate.PrivateKey)
	}
	return &Provider{o: o, cert: o.Certificate.Leaf, key: key}, nil
}

// EntityID is the identity provider's name towards an app: Issuer of its assertions. It is the URL of the metadata
// (Metadata section 4.1). Each app has an identity provider of its own, as with Okta.
func (p *Provider) EntityID(app string) string { return p.SSOURL(app) + "/metadata" }

// SSOURL is where the app sends AuthnRequests.
func (p *Provider) SSOURL(app string) string {
	return p.o.URL + "/app/" + url.PathEscape(app) + "/sso/saml"
}

// Handler serves sign-on and metadata of every app, at the paths of SSOURL and EntityID.
func (p *Provider) Handler(session Session) http.Handler {
	router := mux.NewRouter().UseEncodedPath()
	base, _ := url.Parse(p.o.URL) // NewProvider parsed it
	sso := base.Path + "/app/{app}/sso/saml"
	router.HandleFunc(sso, p.forApp(func(w http.ResponseWriter, r *http.Request, app App) {
		p.serveSSO(w, r, app, session)
	})).Methods(http.MethodGet, http.MethodPost)
	router.HandleFunc(sso+"/metadata", p.forApp(p.serveMetadata)).Methods(http.MethodGet)
	return router
}

func (p *Provider) forApp(serve func(http.ResponseWriter, *http.Request, App)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		id, err := url.PathUnescape(mux.Vars(r)["app"])
		app, ok := p.o.App(id)
		if err != nil || !ok {
			notice(w, http.StatusNotFound, "There is no SAML application of this name.")
			return
		}
		serve(w, r, app)
	}
}

func (a App) hasACS(location string) bool { return slices.Contains(a.ACS, location) }
