// Package endpoint has what an identity provider answers to clients and browsers: discovery, keys, sign-in, tokens,
// token exchange, sign-out, and SAML sign-on.
package endpoint

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/internal/forms"
	"github.com/emaconform/emaconform/mockidp/internal/page"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// site is the endpoints of one identity provider.
type site struct {
	*state.State
	router *mux.Router
	forms  *forms.Forms
}

// New serves the endpoints of an identity provider, at the paths of its issuer. More can be registered on the router
// before the first request.
func New(s *state.State) *mux.Router {
	p := &site{State: s, router: mux.NewRouter().UseEncodedPath()}
	p.forms = forms.New("form_" + p.cookieName())
	p.route()
	return p.router
}

// route registers every endpoint. Well-known documents are served where RFC 8414 section 3.1 puts them (before the
// issuer's path) and where OpenID Connect Discovery section 4 does (after it).
func (p *site) route() {
	p.router.NotFoundHandler = http.HandlerFunc(p.notFound)
	p.router.HandleFunc(p.Base.Path+"/", p.welcome).Methods(http.MethodGet, http.MethodHead)
	p.router.MethodNotAllowedHandler = http.HandlerFunc(web.MethodNotAllowed)
	base := p.Base.Path
	for _, document := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		p.get(fault.EndpointDiscovery, base+document, p.theOrg, (*call).discovery)
		if base != "" {
			p.get(fault.EndpointDiscovery, document+base, p.theOrg, (*call).discovery)
		}
		p.get(fault.EndpointDiscovery, base+"/oauth2/{server}"+document, p.custom, (*call).discovery)
		p.get(fault.EndpointDiscovery, document+base+"/oauth2/{server}", p.custom, (*call).discovery)
	}
	p.serve(base+"/oauth2/v1", p.theOrg)
	p.serve(base+"/oauth2/{server}/v1", p.custom)
	p.get(fault.EndpointLogin, base+"/login/signin", p.theOrg, (*call).loginPage)
	p.post(fault.EndpointLogin, base+"/login/signin", p.theOrg, (*call).login)
	p.get(fault.EndpointSAML, base+"/app/{app}/sso/saml", p.theOrg, (*call).samlSignOn)
	p.post(fault.EndpointSAML, base+"/app/{app}/sso/saml", p.theOrg, (*call).samlSignOn)
	p.get(fault.EndpointSAML, base+"/app/{app}/sso/saml/metadata", p.theOrg, (*call).samlSignOn)
}

// serve registers the endpoints of an authorization server.
func (p *site) serve(path string, find func(*http.Request) *state.Server) {
	p.get(fault.EndpointKeys, path+"/keys", find, (*call).jwks)
	p.get(fault.EndpointAuthorize, path+"/authorize", find, (*call).authorize)
	p.post(fault.EndpointAuthorize, path+"/authorize", find, (*call).authorize)
	p.post(fault.EndpointToken, path+"/token", find, (*call).token)
	p.get(fault.EndpointUserinfo, path+"/userinfo", find, (*call).userinfo)
	p.post(fault.EndpointUserinfo, path+"/userinfo", find, (*call).userinfo)
	p.post(fault.EndpointIntrospect, path+"/introspect", find, (*call).introspect)
	p.post(fault.EndpointRevoke, path+"/revoke", find, (*call).revoke)
	p.get(fault.EndpointLogout, path+"/logout", find, (*call).logout)
	p.post(fault.EndpointLogout, path+"/logout", find, (*call).logout)
}

func (p *site) get(name, path string, find func(*http.Request) *state.Server, h handler) {
	p.handle(name, path, p.endpoint(name, find, h), http.MethodGet, http.MethodHead)
}

func (p *site) post(name, path string, find func(*http.Request) *state.Server, h handler) {
	p.handle(name, path, p.endpoint(name, find, h), http.MethodPost)
}

// handle registers an endpoint. Those that clients call themselves, and browsers do not go to, answer pages of clients.
func (p *site) handle(name, path string, h http.HandlerFunc, methods ...string) {
	switch name {
	case fault.EndpointDiscovery, fault.EndpointKeys, fault.EndpointToken, fault.EndpointUserinfo,
		fault.EndpointIntrospect, fault.EndpointRevoke:
		h, methods = p.crossOrigin(h), append(methods, http.MethodOptions)
	}
	p.router.HandleFunc(path, h).Methods(methods...)
}

func (p *site) theOrg(*http.Request) *state.Server { return p.Org }

func (p *site) custom(r *http.Request) *state.Server { return p.Servers[mux.Vars(r)["server"]] }

// notFound remembers what was asked for: a server that fetches keys from a wrong path shows itself so.
func (p *site) notFound(w http.ResponseWriter, r *http.Request) {
	p.Unknown.Add(r.Method, r.URL.Path)
	web.NotFound(w, r)
}

// welcome says what this is.
func (p *site) welcome(w http.ResponseWriter, _ *http.Request) {
	page.Write(w, http.StatusOK, page.Notice, page.Data{Title: "A mock identity provider",
		Message: "It is for development and tests: it signs in anyone as anyone, and signs whatever it is asked to. " +
			"Its issuer is " + p.Issuer + ".",
		Links: [][2]string{{"Metadata", p.URL("/.well-known/openid-configuration")}, {"Keys", p.Org.URL + "/keys"}}})
}
