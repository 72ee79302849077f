package control

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// certificateRoutes registers the control API of a server's certificate, which restore makes a good one again.
func (t Target) certificateRoutes(r *mux.Router) {
	r.HandleFunc("/certificate", func(w http.ResponseWriter, r *http.Request) {
		var asked ca.State
		if !readControl(w, r, &asked) {
			return
		}
		if err := t.Certificate.SetCertificate(asked.Kind); err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPut)
	r.HandleFunc("/certificate", func(w http.ResponseWriter, _ *http.Request) {
		web.JSON(w, http.StatusOK, t.Certificate.Certificate())
	}).Methods(http.MethodGet)
	r.HandleFunc("/restore", func(w http.ResponseWriter, _ *http.Request) {
		if t.Certificate.Certificate().Kind != "" {
			if err := t.Certificate.SetCertificate(""); err != nil {
				controlError(w, http.StatusInternalServerError, err)
				return
			}
		}
		t.IdP.Restore()
		w.WriteHeader(http.StatusNoContent)
	}).Methods(http.MethodPost)
}
