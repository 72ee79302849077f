package control

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// operation is one row of the control API: what its handler and its description are made from.
type operation struct {
	method, path string
	summary      string
	query        []string     // names of optional query parameters
	in, out      reflect.Type // of the bodies; nil is none
	serve        func(*idp.IdP, http.ResponseWriter, *http.Request)
}

// none is the body of a request or an answer that has none.
type none struct{}

// arguments are the path and query parameters of a request.
type arguments struct{ r *http.Request }

func (a arguments) key() string              { return mux.Vars(a.r)["key"] }
func (a arguments) query(name string) string { return a.r.URL.Query().Get(name) }

// op makes an operation that reads an In and answers with an Out. Errors are answered as 400, or 404 for what is not
// there.
func op[In, Out any](method, path, summary string, do func(*idp.IdP, arguments, In) (Out, error),
	query ...string) operation {
	o := operation{method: method, path: path, summary: summary, query: query, in: reflect.TypeFor[In](),
		out: reflect.TypeFor[Out]()}
	empty := reflect.TypeFor[none]()
	if o.in == empty {
		o.in = nil
	}
	if o.out == empty {
		o.out = nil
	}
	hasIn, hasOut := o.in != nil, o.out != nil
	o.serve = func(p *idp.IdP, w http.ResponseWriter, r *http.Request) {
		var in In
		if hasIn && !readControl(w, r, &in) {
			return
		}
		out, err := do(p, arguments{r}, in)
		var missing *idp.MissingError
		switch {
		case errors.As(err, &missing):
			controlError(w, http.StatusNotFound, err)
		case err != nil:
			controlError(w, http.StatusBadRequest, err)
		case !hasOut:
			w.WriteHeader(http.StatusNoContent)
		default:
			web.JSON(w, http.StatusOK, out)
		}
	}
	return o
}

// routes registers the control API of one identity provider.
func (t Target) routes(r *mux.Router) {
	if t.Certificate != nil {
		t.certificateRoutes(r)
	}
	for _, o := range operations() {
		r.HandleFunc(o.path, func(w http.ResponseWriter, q *http.Request) { o.serve(t.IdP, w, q) }).Methods(o.method)
	}
	r.HandleFunc("/openapi.json", describe).Methods(http.MethodGet)
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		controlError(w, http.StatusNotFound, errors.New("no such operation: see openapi.json"))
	})
}

func describe(w http.ResponseWriter, _ *http.Request) { web.Raw(w, http.StatusOK, OpenAPI()) }
