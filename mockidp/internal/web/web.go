// Package web has what every handler and server of the identity provider answers alike.
package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// JSON answers with body as JSON.
func JSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	Raw(w, status, raw)
}

// Raw answers with a body that is JSON already.
func Raw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nobody is left to tell
}

// CacheFor is a Cache-Control for so long, in whole seconds.
func CacheFor(d time.Duration) string {
	return fmt.Sprintf("max-age=%d, must-revalidate", int(d/time.Second))
}

// NotFound answers as Okta answers for a path it does not know
// (https://developer.okta.com/docs/reference/error-codes/, E0000008).
func NotFound(w http.ResponseWriter, _ *http.Request) {
	JSON(w, http.StatusNotFound, OktaError("E0000008", "The requested path was not found"))
}

// DecodeStrict reads exactly one JSON value without unknown members.
func DecodeStrict(r io.Reader, into any) error {
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

// Quiet is the log of a server whose clients may do what they like.
func Quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// UnknownServer answers for an authorization server that is none (E0000007 of the same list).
func UnknownServer(w http.ResponseWriter) {
	JSON(w, http.StatusNotFound, OktaError("E0000007", "Not found: there is no such authorization server"))
}

// MethodNotAllowed answers for a method that an endpoint does not have (E0000022 of the same list).
func MethodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	JSON(w, http.StatusMethodNotAllowed, OktaError("E0000022", "The endpoint does not support this HTTP method"))
}

// OktaError is an error of Okta's management API.
func OktaError(code, summary string) map[string]any {
	return map[string]any{"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae" +
		rand.Text(), "errorCauses": []any{}}
}

// UUID is a random UUID (RFC 9562 section 5.4).
func UUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// URLOf is the URL of a listener, its loopback address when it listens on all.
func URLOf(l net.Listener, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// ErrBusy is the error of a body for which there is no room now.
var ErrBusy = errors.New("too many large requests at once: try again")
