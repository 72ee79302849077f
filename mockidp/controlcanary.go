package mockidp

import (
	"net/http"

	"github.com/gorilla/mux"
)

// canaryRoutes registers the control API of a canary.
func canaryRoutes(r *mux.Router, c *Canary) {
	r.HandleFunc("/documents/{path:.*}", func(w http.ResponseWriter, r *http.Request) {
		var reply Reply
		if !readControl(w, r, &reply) {
			return
		}
		c.Publish(mux.Vars(r)["id"], mux.Vars(r)["path"], reply)
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPut)
	r.HandleFunc("/hits", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, append([]Hit{}, c.Hits(mux.Vars(r)["id"])...))
	}).Methods(http.MethodGet)
}
