package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	schema "github.com/crewjam/saml"
)

// Bounds of a request: its size, in transit and unpacked, and its age, within which a person logs in.
const (
	maxRequest     = 64 << 10
	requestMaxAge  = 15 * time.Minute
	requestMaxSkew = 3 * time.Minute
)

// Request is an app's wish to have a user signed on (Core section 3.4.1).
type Request struct {
	App          App
	ID           string
	ACS          string    // where the answer goes
	IssuedAt     time.Time // with ForceAuthn, the user must have signed on after this
	ForceAuthn   bool
	IsPassive    bool   // the user must not be asked: ErrNoPassive
	AuthnContext string // the class that the app asks for, if any
	RelayState   string

	nameIDFormat string // the app asks for, if any
}

// readMessage takes the SAMLRequest off an HTTP request: deflated in the query (Bindings section 3.4.4.1) or plain in a
// form (section 3.5.4).
func readMessage(r *http.Request) (message []byte, err error) {
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return nil, fmt.Errorf("cannot read the form: %w", err)
		}
	}
	encoded := param(r, "SAMLRequest")
	if encoded == "" {
		return nil, errors.New("the SAMLRequest parameter is missing: sign-on begins at the application")
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("SAMLRequest is not base64")
	}
	if r.Method == http.MethodPost {
		return raw, nil
	}
	inflate := flate.NewReader(bytes.NewReader(raw))
	message, err = io.ReadAll(io.LimitReader(inflate, maxRequest+1))
	if err != nil {
		return nil, errors.New("SAMLRequest is not deflated as the HTTP-Redirect binding wants it")
	}
	if len(message) > maxRequest {
		return nil, fmt.Errorf("SAMLRequest unpacks to more than %d bytes", maxRequest)
	}
	return message, nil
}

func param(r *http.Request, name string) string {
	if r.Method == http.MethodPost {
		return r.PostForm.Get(name)
	}
	return r.URL.Query().Get(name)
}

// redirectURL is a message that came by POST as the GET request with the same meaning: a login page can lead back to
// it.
func (p *Provider) redirectURL(app App, message []byte, relayState string) (string, error) {
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := deflate.Write(message); err != nil {
		return "", err
	}
	if err := deflate.Close(); err != nil {
		return "", err
	}
	query := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(packed.Bytes())}}
	if relayState != "" {
		query.Set("RelayState", relayState)
	}
	return p.SSOURL(app.ID) + "?" + query.Encode(), nil
}

// readRequest reads an AuthnRequest and checks that it is the app's own, meant for here, fresh, and that its answer
// goes to one of the app's assertion consumer services. The error is for the person who sees the page: the app, which
// may be somebody else's, does not get it.
func (p *Provider) readRequest(app App, message []byte) (Request, error) {
	if err := scan(message); err != nil {
		return Request{}, err
	}
	var q schema.AuthnRequest
	if err := xml.Unmarshal(message, &q); err != nil {
		return Request{}, fmt.Errorf("expected an AuthnRequest of %s: %w", protocol, err)
	}
	age := p.o.Now().Sub(q.IssueInstant)
	switch {
	case q.Version != "2.0":
		return Request{}, fmt.Errorf("the Version is %q, expected 2.0", q.Version)
	case q.ID == "":
		return Request{}, errors.New("the AuthnRequest has no ID")
	case q.Issuer == nil || strings.TrimSpace(q.Issuer.Value) != app.EntityID:
		return Request{}, fmt.Errorf("the Issuer is not the application's entity id %q", app.EntityID)
	case q.Destination != "" && q.Destination != p.SSOURL(app.ID):
		return Request{}, fmt.Errorf("the Destination is %q, expected %q", q.Destination, p.SSOURL(app.ID))
	case age > requestMaxAge || age < -requestMaxSkew:
		return Request{}, fmt.Errorf("the IssueInstant %s is not within the last %s", q.IssueInstant, requestMaxAge)
	case q.ProtocolBinding != "" && q.ProtocolBinding != schema.HTTPPostBinding:
		return Request{}, fmt.Errorf("the ProtocolBinding is %q, expected %s", q.ProtocolBinding, schema.HTTPPostBinding)
	}
	acs, err := app.acsFor(q)
	if err != nil {
		return Request{}, err
	}
	return requestOf(app, q, acs), nil
}

func requestOf(app App, q schema.AuthnRequest, acs string) Request {
	request := Request{App: app, ID: q.ID, ACS: acs, IssuedAt: q.IssueInstant,
		ForceAuthn: q.ForceAuthn != nil && *q.ForceAuthn, IsPassive: q.IsPassive != nil && *q.IsPassive}
	if q.RequestedAuthnContext != nil && len(q.RequestedAuthnContext.AuthnContextClassRefs) > 0 {
		request.AuthnContext = strings.TrimSpace(q.RequestedAuthnContext.AuthnContextClassRefs[0])
	}
	if q.NameIDPolicy != nil && q.NameIDPolicy.Format != nil {
		request.nameIDFormat = *q.NameIDPolicy.Format
	}
	return request
}

// acsFor is where the answer goes: the URL or the place in App.ACS that the request names, else the app's default. It
// is never a URL that the app did not register.
func (a App) acsFor(q schema.AuthnRequest) (string, error) {
	if location := q.AssertionConsumerServiceURL; location != "" {
		if !a.hasACS(location) {
			return "", fmt.Errorf("AssertionConsumerServiceURL %q is not registered for this application", location)
		}
		return location, nil
	}
	place := 0
	if index := q.AssertionConsumerServiceIndex; index != "" {
		n, err := strconv.Atoi(index)
		if err != nil {
			return "", fmt.Errorf("AssertionConsumerServiceIndex %q is not a number", index)
		}
		place = n
	}
	if place < 0 || place >= len(a.ACS) {
		return "", fmt.Errorf("the application has no assertion consumer service %d", place)
	}
	return a.ACS[place], nil
}
