package mockidp

import (
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
func notFound(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusNotFound, map[string]any{
		"errorCode": "E0000008", "errorSummary": "The requested path was not found", "errorLink": "E0000008",
		"errorCauses": []any{},
	})
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
