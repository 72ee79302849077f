package mockidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/audit"
)

// NewControlHandler serves the control API of identity providers, below /idps/<name>/, and of a canary (nil for none),
// below /canary/<id>/. Every request must carry the secret as a bearer token.
func NewControlHandler(secret string, idps map[string]*Server, canary *Canary) http.Handler {
	router := mux.NewRouter()
	for name, idp := range idps {
		routes := router.PathPrefix("/idps/" + name).Subrouter()
		idp.identityRoutes(routes)
		idp.controlRoutes(routes)
	}
	if canary != nil {
		canaryRoutes(router.PathPrefix("/canary/{id}").Subrouter(), canary)
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		controlError(w, http.StatusNotFound, errors.New("no such identity provider, canary or operation"))
	})
	return guard(secret, router)
}

// ControlHandler serves the control API of one identity provider, for callers with the secret of ServerOptions. Its
// description alone is for everyone, for tools that make clients from it.
func (p *IdP) ControlHandler() http.Handler {
	operations := mux.NewRouter()
	p.controlRoutes(operations)
	router := mux.NewRouter()
	router.HandleFunc("/openapi.json", describe).Methods(http.MethodGet)
	router.PathPrefix("/").Handler(guard(p.secret, operations))
	return router
}

// systemLog is Okta's System Log API: GET /api/v1/logs, for callers with the control secret as SSWS or bearer token.
func (p *IdP) systemLog(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "SSWS ", "Bearer ", 1))
	guard(p.secret, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := audit.ParseQuery(r.URL.Query())
		if err != nil {
			writeJSON(w, http.StatusBadRequest, oktaError("E0000001", err.Error()))
			return
		}
		writeJSON(w, http.StatusOK, p.audit.Find(q))
	})).ServeHTTP(w, r)
}

// guard lets only requests with the secret pass, and only so much of their bodies.
func guard(secret string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		if secret == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			controlError(w, http.StatusUnauthorized, errors.New("send the control secret as Authorization: Bearer"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
		next.ServeHTTP(w, r)
	})
}

const maxControlBody = 16 << 20

// restore publishes the signing keys again and clears every fault.
func (p *IdP) restore() {
	p.faults.clear("")
	p.org.keys.restore()
}

// readControl decodes the body of a request, or answers why it cannot.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	err := decodeStrict(r.Body, into)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		controlError(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", tooLarge.Limit))
		return false
	}
	if err != nil {
		controlError(w, http.StatusBadRequest, fmt.Errorf("body: %w", err))
		return false
	}
	return true
}

func controlError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}
