package saml

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"slices"

	schema "github.com/crewjam/saml"
)

// serveSSO answers an AuthnRequest: with the user's assertion, or a refusal for the app to read, or, when the request
// itself is bad, with a page for the person who is looking at it.
func (p *Provider) serveSSO(w http.ResponseWriter, r *http.Request, app App) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	message, err := readMessage(r)
	if err != nil {
		badRequest(w, err)
		return
	}
	request, err := p.readRequest(app, message)
	if err != nil {
		badRequest(w, err)
		return
	}
	request.RelayState = param(r, "RelayState")
	if r.Method == http.MethodPost {
		back, err := p.redirectURL(app, message, request.RelayState)
		if err != nil {
			http.Error(w, "cannot pack the request", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	user, err := p.o.Session(w, r, request)
	if user == nil && err == nil {
		return
	}
	p.answer(w, request, user, err)
}

func badRequest(w http.ResponseWriter, err error) {
	http.Error(w, "Sign-on is not possible. "+err.Error(), http.StatusBadRequest)
}

// answer sends the response through the user's browser (Bindings section 3.5).
func (p *Provider) answer(w http.ResponseWriter, q Request, user *User, err error) {
	if err == nil {
		err = q.meets(user)
	}
	status, known := statusOf(err)
	if !known {
		http.Error(w, "The session cannot be read.", http.StatusInternalServerError)
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
		http.Error(w, "cannot sign the response", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+submitHash)
	form := map[string]string{"ACS": q.ACS, "Response": response, "RelayState": q.RelayState, "Script": submit}
	_ = postForm.Execute(w, form) // the client went away: nobody is left to tell
}

var (
	errNameID       = errors.New("the application has another name identifier format")
	errAuthnContext = errors.New("the user signed on in another way")
)

// meets is an error when the user's sign-on is not the one that the app asked for. A wish for a transient name is taken
// for no wish, for libraries state it unasked; the application's own format counts, as with Okta.
func (q Request) meets(user *User) error {
	anyFormat := []string{"", FormatUnspecified, FormatTransient, q.App.nameIDFormat()}
	if !slices.Contains(anyFormat, q.nameIDFormat) {
		return errNameID
	}
	if q.AuthnContext != "" && q.AuthnContext != user.context() {
		return errAuthnContext
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
		{errAuthnContext, schema.StatusRequester, schema.StatusNoAuthnContext},
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

const submit = "document.forms[0].submit()"

var submitHash = func() string {
	sum := sha256.Sum256([]byte(submit))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// postForm sends itself; without JavaScript the person presses the button.
var postForm = template.Must(template.New("").Funcs(template.FuncMap{
	"js": func(s string) template.JS { return template.JS(s) },
}).Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Signing on</title></head>
<body>
<form method="post" action="{{.ACS}}">
<input type="hidden" name="SAMLResponse" value="{{.Response}}">
{{if .RelayState}}<input type="hidden" name="RelayState" value="{{.RelayState}}">{{end}}
<button>Continue to the application</button>
</form>
<script>{{js .Script}}</script>
</body>
</html>
`))
