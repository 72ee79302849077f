package mockidp

import (
	"net/http"

	"github.com/gorilla/mux"
)

// route registers every endpoint. Well-known documents are served where RFC 8414 section 3.1 puts them (before the
// issuer's path) and where OpenID Connect Discovery section 4 does (after it).
func (p *IdP) route() {
	p.router = mux.NewRouter().UseEncodedPath()
	p.router.NotFoundHandler = http.HandlerFunc(notFound)
	p.router.MethodNotAllowedHandler = http.HandlerFunc(methodNotAllowed)
	base := p.base.Path
	for _, document := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		p.get(EndpointDiscovery, base+document, p.theOrg, (*call).discovery)
		if base != "" {
			p.get(EndpointDiscovery, document+base, p.theOrg, (*call).discovery)
		}
		p.get(EndpointDiscovery, base+"/oauth2/{server}"+document, p.custom, (*call).discovery)
		p.get(EndpointDiscovery, document+base+"/oauth2/{server}", p.custom, (*call).discovery)
	}
	p.serve(base+"/oauth2/v1", p.theOrg)
	p.serve(base+"/oauth2/{server}/v1", p.custom)
	p.get(EndpointLogin, base+"/login/signin", p.theOrg, (*call).loginPage)
	p.post(EndpointLogin, base+"/login/signin", p.theOrg, (*call).login)
	p.get(EndpointSAML, base+"/app/{app}/sso/saml", p.theOrg, (*call).samlSignOn)
	p.post(EndpointSAML, base+"/app/{app}/sso/saml", p.theOrg, (*call).samlSignOn)
	p.get(EndpointSAML, base+"/app/{app}/sso/saml/metadata", p.theOrg, (*call).samlSignOn)
	if p.secret != "" {
		p.router.HandleFunc(base+"/api/v1/logs", p.systemLog).Methods(http.MethodGet)
	}
	if p.secret != "" && !p.controlElsewhere {
		p.router.PathPrefix(base + "/control/").Handler(http.StripPrefix(base+"/control", p.ControlHandler()))
	}
}

// serve registers the endpoints of an authorization server.
func (p *IdP) serve(path string, find func(*http.Request) *authServer) {
	p.get(EndpointKeys, path+"/keys", find, (*call).jwks)
	p.get(EndpointAuthorize, path+"/authorize", find, (*call).authorize)
	p.post(EndpointAuthorize, path+"/authorize", find, (*call).authorize)
	p.post(EndpointToken, path+"/token", find, (*call).token)
	p.get(EndpointUserinfo, path+"/userinfo", find, (*call).userinfo)
	p.post(EndpointUserinfo, path+"/userinfo", find, (*call).userinfo)
	p.post(EndpointIntrospect, path+"/introspect", find, (*call).introspect)
	p.post(EndpointRevoke, path+"/revoke", find, (*call).revoke)
	p.get(EndpointLogout, path+"/logout", find, (*call).logout)
	p.post(EndpointLogout, path+"/logout", find, (*call).logout)
}

func (p *IdP) get(name, path string, find func(*http.Request) *authServer, h handler) {
	p.handle(name, path, p.endpoint(name, find, h), http.MethodGet, http.MethodHead)
}

func (p *IdP) post(name, path string, find func(*http.Request) *authServer, h handler) {
	p.handle(name, path, p.endpoint(name, find, h), http.MethodPost)
}

// handle registers an endpoint. Those that clients call themselves, and browsers do not go to, answer pages of clients.
func (p *IdP) handle(name, path string, h http.HandlerFunc, methods ...string) {
	switch name {
	case EndpointDiscovery, EndpointKeys, EndpointToken, EndpointUserinfo, EndpointIntrospect, EndpointRevoke:
		h, methods = p.crossOrigin(h), append(methods, http.MethodOptions)
	}
	p.router.HandleFunc(path, h).Methods(methods...)
}

func (p *IdP) theOrg(*http.Request) *authServer { return p.org }

func (p *IdP) custom(r *http.Request) *authServer { return p.servers[mux.Vars(r)["server"]] }

// Handle registers a handler of your own at a path below the issuer's, for instance of a console.
// Call it before the first request.
func (p *IdP) Handle(path string, h http.Handler) { p.router.PathPrefix(p.base.Path + path).Handler(h) }
