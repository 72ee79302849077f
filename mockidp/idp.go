package mockidp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

// IdP is an identity provider as an http.Handler. Make it with NewIdP, or with Serve to have it listen.
type IdP struct {
	issuer *Issuer
	base   *url.URL // the issuer's URL without a slash at its end
	router *mux.Router
	faults faults
	keys   publication
}

// NewIdP makes an identity provider for a server of your own. o.URL is required; Listen and CA are not looked at.
func NewIdP(o ServerOptions) (*IdP, error) {
	base, err := checkIssuer(o.URL)
	if err != nil {
		return nil, err
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	keys, err := signingKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	p := &IdP{base: base, issuer: &Issuer{URL: o.URL, Keys: keys, Now: o.Now}}
	p.keys.restore(keys)
	p.route()
	return p, nil
}

// Issuer mints tokens in this identity provider's name.
func (p *IdP) Issuer() *Issuer { return p.issuer }

// JWKSURI is where the public keys are.
func (p *IdP) JWKSURI() string { return p.url("/oauth2/v1/keys") }

func (p *IdP) url(path string) string { return p.base.String() + path }

func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.router.ServeHTTP(w, r) }

// route registers every endpoint. Well-known documents are served where RFC 8414 section 3.1 puts them (before the
// issuer's path) and where OpenID Connect Discovery section 4 does (after it).
func (p *IdP) route() {
	p.router = mux.NewRouter().UseEncodedPath()
	p.router.NotFoundHandler = http.HandlerFunc(notFound)
	for _, document := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		p.handle(EndpointDiscovery, p.base.Path+document, p.discovery, http.MethodGet)
		if p.base.Path != "" {
			p.handle(EndpointDiscovery, document+p.base.Path, p.discovery, http.MethodGet)
		}
	}
	p.handle(EndpointKeys, p.base.Path+"/oauth2/v1/keys", p.jwks, http.MethodGet)
}

// handle registers an endpoint by its name and path. GET implies HEAD.
func (p *IdP) handle(name, path string, h http.HandlerFunc, methods ...string) {
	if methods[0] == http.MethodGet {
		methods = append(methods, http.MethodHead)
	}
	p.router.HandleFunc(path, p.faults.endpoint(name, h)).Methods(methods...)
}

// discovery is the metadata of Okta's org authorization server.
func (p *IdP) discovery(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "max-age=86400, must-revalidate")
	writeJSON(w, http.StatusOK, map[string]any{"issuer": p.issuer.URL, "jwks_uri": p.JWKSURI()})
}

func (p *IdP) jwks(w http.ResponseWriter, _ *http.Request) { p.keys.serve(w) }

// DefaultMaxAge is how long clients may cache the JWKS unless SetMaxAge says otherwise.
const DefaultMaxAge = 5 * time.Minute

// publication is what the JWKS endpoint publishes, which need not be what is signed with.
type publication struct {
	mu     sync.RWMutex
	set    json.RawMessage
	maxAge time.Duration
}

func (k *publication) restore(keys *KeySet) {
	raw, err := json.Marshal(keys.Public())
	if err != nil {
		panic(err) // keys that usable has seen always have a JSON form
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set, k.maxAge = raw, DefaultMaxAge
}

func (k *publication) publish(set json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set = set
}

func (k *publication) setMaxAge(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.maxAge = d
}

func (k *publication) serve(w http.ResponseWriter) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	w.Header().Set("Cache-Control", cacheFor(k.maxAge))
	writeRaw(w, http.StatusOK, k.set)
}
