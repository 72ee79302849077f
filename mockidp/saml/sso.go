package saml

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	schema "github.com/crewjam/saml"

	"github.com/emaconform/emaconform/mockidp/internal/page"
)

// serveSSO answers an AuthnRequest: with the user's assertion, or a refusal for the app to read, or, when the request
// itself is bad, with a page for the person who is looking at it.
func (p *Provider) serveSSO(w http.ResponseWriter, r *http.Request, app App, session Session) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	message, err := readMessage(r)
	if err != nil {
		notice(w, http.StatusBadRequest, err.Error())
		return
	}
	request, err := p.readRequest(app, message)
	if err != nil {
		notice(w, http.StatusBadRequest, err.Error())
		return
	}
	request.RelayState = param(r, "RelayState")
	if r.Method == http.MethodPost {
		back, err := p.redirectURL(app, message, request.RelayState)
		if err != nil {
			notice(w, http.StatusInternalServerError, err.Error())
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	user, err := session(w, r, request)
	if user == nil && err == nil {
		return
	}
	p.answer(w, request, user, err)
}

func notice(w http.ResponseWriter, status int, message string) {
	page.Write(w, status, page.Notice, page.Data{Title: "Sign-on is not possible", Message: message})
}

// answer sends the response through the user's browser (Bindings section 3.5).
func (p *Provider) answer(w http.ResponseWriter, q Request, user *User, err error) {
	if err == nil {
		err = q.meets(user)
	}
	status, known := statusOf(err)
	if !known {
		notice(w, http.StatusInternalServerError, "The session cannot be read.")
		return
	}
	var a *schema.Assertion
	if err == nil {
		a = p.Assertion(q.App, *user)
		confirmed := a.Subject.SubjectConfirmations[0].SubjectConfirmationData
		confirmed.Recipient, confirmed.InResponseTo = q.ACS, q.ID
	}
	response, err := p.response(q, status, a)
	if err != nil {
		notice(w, http.StatusInternalServerError, "The response cannot be signed.")
		return
	}
	fields := [][2]string{{"SAMLResponse", response}}
	if q.RelayState != "" {
		fields = append(fields, [2]string{"RelayState", q.RelayState})
	}
	// The app may redirect the form on to other origins of its own, which the policy of the page has to allow.
	onward := []string{"http:", "https:"}
	page.Write(w, http.StatusOK, page.FormPost, page.Data{Action: q.ACS, Fields: fields, Onward: onward})
}

var errNameID = errors.New("the application has another name identifier format")

// meets is an error when the user's sign-on is not the one that the app asked for. A wish for a transient name is taken
// for no wish, for libraries state it unasked; the application's own format counts, as with Okta.
func (q Request) meets(user *User) error {
	anyFormat := []string{"", FormatUnspecified, FormatTransient, q.App.nameIDFormat()}
	if !slices.Contains(anyFormat, q.nameIDFormat) {
		return errNameID
	}
	if q.AuthnContext != "" && q.AuthnContext != user.context() {
		return ErrContext
	}
	return nil
}

// statusOf is the status for an outcome of sign-on (Core section 3.2.2.2).
func statusOf(err error) (schema.Status, bool) {
	if err == nil {
		return schema.Status{StatusCode: schema.StatusCode{Value: schema.StatusSuccess}}, true
	}
	for _, row := range []struct {
		err         error
		first, then string
	}{
		{ErrDenied, schema.StatusResponder, schema.StatusRequestDenied},
		{ErrNoPassive, schema.StatusResponder, schema.StatusNoPassive},
		{errNameID, schema.StatusRequester, schema.StatusInvalidNameIDPolicy},
		{ErrContext, schema.StatusRequester, schema.StatusNoAuthnContext},
	} {
		if errors.Is(err, row.err) {
			code := schema.StatusCode{Value: row.first, StatusCode: &schema.StatusCode{Value: row.then}}
			return schema.Status{StatusCode: code, StatusMessage: &schema.StatusMessage{Value: row.err.Error()}}, true
		}
	}
	return schema.Status{}, false
}

// response is a signed Response with a signed assertion, if any, as base64.
func (p *Provider) response(q Request, status schema.Status, a *schema.Assertion) (string, error) {
	if a != nil {
		if err := p.signAssertion(a); err != nil {
			return "", err
		}
	}
	response := &schema.Response{
		ID: newID(), InResponseTo: q.ID, Version: "2.0", IssueInstant: p.o.Now().UTC(), Destination: q.ACS,
		Issuer: &schema.Issuer{Value: p.EntityID(q.App.ID)}, Status: status, Assertion: a,
	}
	signature, err := p.signature(response.Element())
	if err != nil {
		return "", err
	}
	response.Signature = signature
	raw, err := document(response.Element())
	return base64.StdEncoding.EncodeToString(raw), err
}
