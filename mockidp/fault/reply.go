package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// Reply is an answer to give in place of the honest one: another document, a redirect, an error, a body of any size, a
// delay, a closed connection. It is its own http.Handler, and JSON so that it can be sent to a control API.
type Reply struct {
	Status int               `json:"status,omitempty"` // 0 is 200
	Header map[string]string `json:"header,omitempty"` // Content-Type is application/json unless it is here
	Body   string            `json:"body,omitempty"`
	Repeat int64             `json:"repeat,omitempty"` // pads the body with spaces to this many bytes; JSON stays valid
	Delay  time.Duration     `json:"-"`                // before anything is sent; in JSON a string such as "1.5s"
	Drop   bool              `json:"drop,omitempty"`   // closes the connection, after Delay, and sends nothing
}

// ReplyFields is Reply without its methods, replyJSON its JSON form.
type (
	ReplyFields Reply
	replyJSON   struct {
		*ReplyFields
		Delay string `json:"delay,omitempty"`
	}
)

// maxPadding bounds Repeat where it comes from another process.
const maxPadding = 1 << 30

// MarshalJSON writes Delay as Go writes durations.
func (r Reply) MarshalJSON() ([]byte, error) {
	j := replyJSON{ReplyFields: (*ReplyFields)(&r)}
	if r.Delay != 0 {
		j.Delay = r.Delay.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON refuses members it does not know, a status that is none and sizes and delays out of bounds.
func (r *Reply) UnmarshalJSON(raw []byte) (err error) {
	j := replyJSON{ReplyFields: (*ReplyFields)(r)}
	if err := web.DecodeStrict(bytes.NewReader(raw), &j); err != nil {
		return err
	}
	if j.Delay != "" {
		if r.Delay, err = time.ParseDuration(j.Delay); err != nil || r.Delay < 0 {
			return fmt.Errorf("delay %q: expected a duration such as \"1.5s\"", j.Delay)
		}
	}
	if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
		return fmt.Errorf("status %d: expected 200 to 599", r.Status)
	}
	if r.Repeat < 0 || r.Repeat > maxPadding {
		return fmt.Errorf("repeat %d: expected 0 to %d bytes", r.Repeat, maxPadding)
	}
	return nil
}

// ServeHTTP gives the reply, whatever the request. The padding is streamed; all stops when the client goes away.
func (r Reply) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !r.wait(req) || r.Drop {
		panic(http.ErrAbortHandler) // closes the connection, or resets the HTTP/2 stream, without a trace in the log
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	padding := max(0, r.Repeat-int64(len(r.Body)))
	w.Header().Set("Content-Length", strconv.FormatInt(int64(len(r.Body))+padding, 10))
	if r.Status != 0 {
		w.WriteHeader(r.Status)
	}
	if req.Method == http.MethodHead {
		return
	}
	if _, err := io.WriteString(w, r.Body); err == nil {
		_, _ = io.CopyN(w, spaces{}, padding)
	}
}

// wait is false when the client went away, or the fault was cleared, before Delay was over.
func (r Reply) wait(req *http.Request) bool {
	timer := time.NewTimer(r.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
