package mockidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

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
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		controlError(w, http.StatusNotFound, errors.New("no such identity provider, canary or operation"))
	})
	return guard(secret, router)
}

// ControlHandler serves the control API of one identity provider, for callers with the secret of ServerOptions.
func (p *IdP) ControlHandler() http.Handler {
	router := mux.NewRouter()
	p.controlRoutes(router)
	return guard(p.secret, router)
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

// controlRoutes registers the control API of one identity provider.
func (p *IdP) controlRoutes(r *mux.Router) {
	r.HandleFunc("/jwks", p.putJWKS).Methods(http.MethodPut)
	r.HandleFunc("/jwks/max-age", p.putMaxAge).Methods(http.MethodPut)
	r.HandleFunc("/faults", p.postFault).Methods(http.MethodPost)
	r.HandleFunc("/faults", p.getFaults).Methods(http.MethodGet)
	r.HandleFunc("/faults", p.deleteFaults).Methods(http.MethodDelete)
	r.HandleFunc("/counts", p.getCounts).Methods(http.MethodGet)
	r.HandleFunc("/restore", p.postRestore).Methods(http.MethodPost)
}

func (p *IdP) putJWKS(w http.ResponseWriter, r *http.Request) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if !readControl(w, r, &set) {
		return
	}
	raw, err := json.Marshal(set)
	if err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	p.org.keys.publish(raw)
	w.WriteHeader(http.StatusNoContent)
}

type maxAge struct {
	Seconds int `json:"seconds"`
}

func (p *IdP) putMaxAge(w http.ResponseWriter, r *http.Request) {
	var age maxAge
	if !readControl(w, r, &age) {
		return
	}
	if age.Seconds < 0 {
		controlError(w, http.StatusBadRequest, fmt.Errorf("seconds %d: expected 0 or more", age.Seconds))
		return
	}
	p.org.keys.setMaxAge(time.Duration(age.Seconds) * time.Second)
	w.WriteHeader(http.StatusNoContent)
}

func (p *IdP) postFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !readControl(w, r, &f) {
		return
	}
	if err := p.faults.add(f); err != nil {
		controlError(w, http.StatusBadRequest, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *IdP) getFaults(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, append([]Fault{}, p.faults.list()...))
}

func (p *IdP) deleteFaults(w http.ResponseWriter, r *http.Request) {
	p.faults.clear(r.URL.Query().Get("endpoint"))
	w.WriteHeader(http.StatusNoContent)
}

func (p *IdP) getCounts(w http.ResponseWriter, _ *http.Request) {
	counts := map[string]int{}
	for _, name := range Endpoints() {
		counts[name] = p.faults.count(name)
	}
	writeJSON(w, http.StatusOK, counts)
}

func (p *IdP) postRestore(w http.ResponseWriter, _ *http.Request) {
	p.restore()
	w.WriteHeader(http.StatusNoContent)
}

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
