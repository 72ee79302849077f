package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/internal/web"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// Target is what a handler controls.
type Target struct {
	IdP         *idp.IdP
	Certificate Certificate // of the server; nil over http
}

// Certificate is that of a server, which can be told to show a bad one.
type Certificate interface {
	SetCertificate(ca.BadCertificate) error
	Certificate() ca.State
}

// Handler serves the control API of identity providers, below /idps/<name>/, and of a canary (nil for none), below
// /canary/<id>/. Every request must carry the secret as a bearer token.
func Handler(secret string, idps map[string]Target, canary *observe.Canary) http.Handler {
	router := mux.NewRouter()
	for name, target := range idps {
		target.routes(router.PathPrefix("/idps/" + name).Subrouter())
	}
	if canary != nil {
		canaryRoutes(router.PathPrefix("/canary/{id}").Subrouter(), canary)
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		controlError(w, http.StatusNotFound, errors.New("no such identity provider, canary or operation"))
	})
	return guard(secret, router)
}

// HandlerOf serves the control API of one identity provider, for callers with the secret. Its description alone is for
// everyone, for tools that make clients from it.
func HandlerOf(target Target, secret string) http.Handler {
	operations := mux.NewRouter()
	target.routes(operations)
	router := mux.NewRouter()
	router.HandleFunc("/openapi.json", describe).Methods(http.MethodGet)
	router.PathPrefix("/").Handler(guard(secret, operations))
	return router
}

// SystemLog is Okta's System Log API, GET /api/v1/logs, for callers with the secret as SSWS or bearer token.
func SystemLog(p *idp.IdP, secret string) http.Handler {
	guarded := guard(secret, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := audit.ParseQuery(r.URL.Query())
		if err != nil {
			web.JSON(w, http.StatusBadRequest, web.OktaError("E0000001", err.Error()))
			return
		}
		web.JSON(w, http.StatusOK, p.Audit().Find(q))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			web.MethodNotAllowed(w, r)
			return
		}
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "SSWS ", "Bearer ", 1))
		guarded.ServeHTTP(w, r)
	})
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

// readControl decodes the body of a request, or answers why it cannot.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	err := web.DecodeStrict(r.Body, into)
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
	web.JSON(w, status, map[string]string{"error": err.Error()})
}
