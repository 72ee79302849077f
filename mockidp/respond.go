package mockidp

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"
)

func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	writeRaw(w, status, raw)
}

func writeRaw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nobody is left to tell
}

func cacheFor(d time.Duration) string {
	return fmt.Sprintf("max-age=%d, must-revalidate", int(d/time.Second))
}

// notFound answers as Okta answers for a path it does not know
// (https://developer.okta.com/docs/reference/error-codes/, E0000008).
func notFound(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, oktaError("E0000008", "The requested path was not found"))
}

// decodeStrict reads exactly one JSON value without unknown members.
func decodeStrict(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("expected the end of the document after the first JSON value")
	}
	return nil
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// unknownServer answers for an authorization server that is none (E0000007 of the same list).
func unknownServer(w http.ResponseWriter) {
	writeJSON(w, http.StatusNotFound, oktaError("E0000007", "Not found: there is no such authorization server"))
}

func methodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusMethodNotAllowed, oktaError("E0000022", "The endpoint does not support this HTTP method"))
}

// oktaError is an error of Okta's management API.
func oktaError(code, summary string) map[string]any {
	return map[string]any{"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae" + rand.Text(), "errorCauses": []any{}}
}

// uuid is a random UUID (RFC 9562 section 5.4).
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
