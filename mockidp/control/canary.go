package control

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// canaryRoutes registers the control API of a canary.
func canaryRoutes(r *mux.Router, c *observe.Canary) {
	r.HandleFunc("/documents/{path:.*}", func(w http.ResponseWriter, r *http.Request) {
		var reply fault.Reply
		if !readControl(w, r, &reply) {
			return
		}
		c.Publish(mux.Vars(r)["id"], mux.Vars(r)["path"], reply)
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPut)
	r.HandleFunc("/hits", func(w http.ResponseWriter, r *http.Request) {
		web.JSON(w, http.StatusOK, append([]observe.Hit{}, c.Hits(mux.Vars(r)["id"])...))
	}).Methods(http.MethodGet)
}
