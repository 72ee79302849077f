// Package console is a web console of the mock identity provider: its people, groups, connectors and policies, its
// audit log and exchanges as they happen, and an inspector of tokens. Pages are rendered on the server and work without
// JavaScript, by keyboard, in the dark and in the light; they load nothing from elsewhere. Unless Options.Write is set
// the console changes nothing.
//
// There is no sign-in: who can reach the identity provider can read its console. It answers only to the issuer's host
// name and to names of the loopback interface, so that no web site can reach it under a name of its own (DNS
// rebinding).
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/forms"
)

// Options are those of a console. Their Handler is what an identity provider takes:
//
//	mockidp.Serve(ctx, mockidp.ServerOptions{Console: console.Options{Write: true}.Handler})
type Options struct {
	// Write adds what changes the identity provider: users, groups, connections, keys, faults, claims, the clock, reset.
	Write bool
	// Connector is shown as part of the flow; nil shows the identity provider's side alone.
	Connector *Connector
	// Judges names the checks that would judge a step of the flow; nil names none.
	Judges func(Step) []Check
}

// Path is where the console is, below the issuer's path.
const Path = "/console"

//go:embed static
var static embed.FS

type console struct {
	idp    *mockidp.IdP
	write  bool
	issuer *url.URL
	base   string // path of the console, without a slash at its end
	forms  *forms.Forms
	router *mux.Router

	connector *Connector
	judges    func(Step) []Check
}

// Handler makes the console of an identity provider.
func (o Options) Handler(idp *mockidp.IdP) http.Handler {
	issuer, err := url.Parse(idp.URL())
	if err != nil {
		panic(err) // NewIdP has parsed it
	}
	c := &console{idp: idp, write: o.Write, issuer: issuer, base: strings.TrimSuffix(issuer.Path, "/") + Path,
		forms: forms.New(formCookie), connector: o.Connector, judges: o.Judges}
	c.route()
	return c
}

// URL is the console's.
func URL(idp *mockidp.IdP) string { return strings.TrimSuffix(idp.URL(), "/") + Path + "/" }

func (c *console) route() {
	c.router = mux.NewRouter().UseEncodedPath()
	c.router.NotFoundHandler = c.show(notFound)
	c.router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.fail(w, r, problem{http.StatusMethodNotAllowed, "This page is not called that way."})
	})
	c.router.Handle(c.base, http.RedirectHandler(c.base+"/", http.StatusFound))
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	c.router.PathPrefix(c.base+"/static/").Methods(http.MethodGet, http.MethodHead).
		Handler(http.StripPrefix(c.base+"/static/", kept(http.FileServerFS(files))))
	for path, page := range map[string]func(*console, *http.Request) (view, error){
		"/": overview, "/people": people, "/people/{id}": person, "/groups": groups, "/clients": clients,
		"/connectors": connectors, "/policies": policies, "/audit": auditLog, "/exchanges": exchanges, "/flow": flow,
		"/exchanges/{id}": exchange, "/inspect": inspectForm, "/faults": faults,
	} {
		c.router.Handle(c.base+path, c.show(page)).Methods(http.MethodGet, http.MethodHead)
	}
	c.router.Handle(c.base+"/inspect", c.show(inspectToken)).Methods(http.MethodPost)
	c.router.HandleFunc(c.base+"/do/{action}", c.act).Methods(http.MethodPost)
}

// kept lets browsers keep files whose address changes with their content.
func kept(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
		}
		h.ServeHTTP(w, r)
	})
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !c.ownHost(r) {
		http.Error(w, "This console answers only at "+URL(c.idp)+" and on loopback.", http.StatusMisdirectedRequest)
		return
	}
	c.router.ServeHTTP(w, r)
}
