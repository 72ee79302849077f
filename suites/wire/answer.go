package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
)

// Answer is what came back. Err is set when there was no complete answer: connection, time or size.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most Bounds.Body bytes
	Err    error
	// Handshake says that there was no TLS connection, for the target does not take our certificate: Err is set, too.
	Handshake bool
	Took      time.Duration // from sending to the last byte, without the wait for a turn

	// Exchange is the record of this exchange, already in the recorder.
	Exchange *reports.Exchange
}

// ErrTooLarge means that a body went on after Bounds.Body bytes.
var ErrTooLarge = errors.New("the body is larger than we read")

// Doubt says why the answer is none that the target can be judged by, or "": there was no complete one, a gateway
// answered in the target's place, or the target asks for patience.
func (a *Answer) Doubt() string {
	switch {
	case errors.Is(a.Err, ErrTooLarge), a.Handshake:
		return "" // it answered, and how
	case a.Err != nil:
		return a.Summary()
	}
	switch a.Status {
	case http.StatusTooManyRequests:
		return "the target answers 429 Too Many Requests"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Sprintf("HTTP %d, as a gateway answers", a.Status)
	}
	return ""
}

// Throttled reports whether the target still answered 429 after we had waited as long as we will.
func (a *Answer) Throttled() bool { return a.Err == nil && a.Status == http.StatusTooManyRequests }

// MediaType is the media type of the answer in lower case, without parameters.
func (a *Answer) MediaType() string {
	mt, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(strings.TrimSpace(a.Header.Get("Content-Type")))
	}
	return mt
}

// Object decodes the body as one JSON object with nothing behind it.
func (a *Answer) Object() (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the body is no JSON (%s)", a.describeBody())
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the body is JSON but no object")
	}
	if d.More() {
		return nil, fmt.Errorf("the body has more behind the JSON object")
	}
	return object, nil
}

func (a *Answer) describeBody() string {
	switch trimmed := bytes.TrimSpace(a.Body); {
	case len(trimmed) == 0:
		return "it is empty"
	case trimmed[0] == '<':
		return "it looks like HTML"
	default:
		return fmt.Sprintf("%d bytes of %s", len(a.Body), a.MediaType())
	}
}

// String returns a string member of the JSON body, or "".
func (a *Answer) String(member string) string {
	if a == nil || a.Err != nil {
		return ""
	}
	object, err := a.Object()
	if err != nil {
		return ""
	}
	s, _ := object[member].(string)
	return s
}

// Summary tells in a few words what was answered, without any secret: "400 invalid_grant", "302 to https://…", "no
// answer: …".
func (a *Answer) Summary() string {
	if a.Err != nil {
		if a.Status != 0 {
			return fmt.Sprintf("HTTP %d, then %v", a.Status, a.Err)
		}
		return fmt.Sprintf("no answer: %v", a.Err)
	}
	s := strconv.Itoa(a.Status)
	if code := a.String("error"); code != "" {
		return s + " " + Printable(code, 60)
	}
	if a.Status == http.StatusOK && a.String("access_token") != "" {
		return s + " with an access token"
	}
	if loc := a.Header.Get("Location"); loc != "" && a.Status/100 == 3 {
		return s + " to " + Printable(WithoutQuery(loc), 120)
	}
	if mt := a.MediaType(); mt != "" {
		s += " " + Printable(mt, 60)
	}
	return s
}

// GomegaString keeps bodies and tokens out of failure messages.
func (a *Answer) GomegaString() string { return a.Summary() }

// WithoutQuery cuts the query and the fragment off a URL, where tokens would stand.
func WithoutQuery(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		return u[:i]
	}
	return u
}

// Printable makes a hostile string fit to be shown: one line, at most n characters, all of them to be seen.
func Printable(s string, n int) string { return reports.Line(s, n) }
