package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
)

// Request is a request to send. Form and Body exclude each other.
type Request struct {
	Method string // default: POST with a Form or Body, else GET
	URL    string
	Header http.Header
	Form   []reports.Field // sent urlencoded, in this order, duplicates kept
	Body   []byte
	// Impatient takes a 429 for the answer that it is, where it is what a check wants to see.
	Impatient bool
	// Rush sends the request at once, whatever the host's pace: one of many that are to arrive at the same instant.
	Rush bool
	// Patience is how long the exchange may take; 0: Bounds.Timeout. What our own crowd needs is added to either.
	Patience time.Duration
	// Certificate is that of a TLS client (RFC 8705), with its private key; nil: none is shown.
	Certificate *tls.Certificate
}

// SetField replaces every field of this name by one, or adds it.
func (r *Request) SetField(name, value string) {
	r.DropField(name)
	r.AddField(name, value)
}

// AddField adds a field, even when one of this name is there already.
func (r *Request) AddField(name, value string) {
	r.Form = append(r.Form, reports.Field{Name: name, Value: value})
}

// DropField removes every field of this name.
func (r *Request) DropField(name string) {
	kept := r.Form[:0:0]
	for _, f := range r.Form {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	r.Form = kept
}

// Field returns the first field of this name, or "".
func (r *Request) Field(name string) string {
	for _, f := range r.Form {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func (r *Request) encodedForm() string {
	var b strings.Builder
	for i, f := range r.Form {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.Name) + "=" + url.QueryEscape(f.Value))
	}
	return b.String()
}

func (r *Request) build(ctx context.Context, agent string) (*http.Request, error) {
	body, method := r.Body, r.Method
	if r.Form != nil {
		body = []byte(r.encodedForm())
	}
	if method == "" {
		method = http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if host := req.Header.Get("Host"); host != "" { // net/http sends this one from elsewhere
		req.Host = host
	}
	if r.Form != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", agent)
	}
	return req, nil
}
