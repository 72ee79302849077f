package endpoint

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/observe"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// samlSignOn serves a SAML application: sign-on and metadata. /app/{client id}/sso/saml
func (c *call) samlSignOn() *oauth.Error {
	provider, err := c.SAML()
	if err != nil {
		c.Log.Error("SAML sign-on cannot begin", "error", err)
		return c.notice(http.StatusInternalServerError, "Sign-on is not possible", "There is no certificate to sign with.")
	}
	c.seen.Request = observe.RedactForm(c.r.URL.Query())
	answer := &statusWriter{ResponseWriter: c.w, status: http.StatusOK}
	c.w = answer
	provider.Handler(c.samlSession).ServeHTTP(answer, c.r)
	c.seen.Status = answer.status
	return nil
}

// samlSession finds who is signed on, over the sign-in page if need be, and whether they may use the application.
func (c *call) samlSession(_ http.ResponseWriter, r *http.Request, q saml.Request) (*saml.User, error) {
	client := c.dir.Client(q.App.ID)
	if client == nil {
		return nil, errors.New("the client was removed during the request")
	}
	c.seen.Client, c.entry.Client = client.ID, client.ID
	session, waiting, failed := c.session(samlAuthRequest(client, r.URL.Query(), q))
	if waiting {
		return nil, nil
	}
	if failed != nil {
		c.audited(audit.SignOn, failed)
		if failed.Code == "login_required" {
			return nil, saml.ErrNoPassive
		}
		return nil, saml.ErrContext
	}
	user := c.dir.User(session.User)
	c.entry.User = session.User
	if rule, denied := directory.MaySignIn(client, user); denied != nil {
		c.entry.Rule = rule
		c.audited(audit.SignOn, oauth.Fail("access_denied", denied.ID, denied.Description))
		return nil, saml.ErrDenied
	}
	c.audited(audit.SignOn, nil)
	return state.SAMLUser(user, session, q.App.NameIDFormat, q.AuthnContext), nil
}

// samlAuthRequest says what an AuthnRequest asks for in the terms of an authorization request.
func samlAuthRequest(client *directory.Client, query url.Values, q saml.Request) *authRequest {
	a := &authRequest{client: client, query: query, maxAge: -1}
	if q.ForceAuthn {
		a.prompt = append(a.prompt, "login")
	}
	if q.IsPassive {
		a.prompt = append(a.prompt, "none")
	}
	if q.AuthnContext == saml.ContextMFA {
		a.acr = []string{directory.ACRTwoFactors}
	}
	return a
}

// samlSubject verifies a SAML assertion that signed the user on to the client, and takes it once.
func (c *call) samlSubject(client *directory.Client, form url.Values) (subject, *oauth.Error) {
	// One text for every fault: whoever forges assertions learns nothing.
	refuse := func(id, detail string) (subject, *oauth.Error) {
		c.entry.Detail = detail
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_saml_"+id,
			"subject token: the SAML assertion is not valid")
	}
	app, ok := c.SAMLApp(client.ID)
	if !ok {
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_type", "the client has no SAML sign-on")
	}
	provider, err := c.SAML()
	if err != nil {
		return refuse("unavailable", err.Error())
	}
	a, err := provider.Verify(form.Get("subject_token"), app)
	if refusal := (*saml.Refusal)(nil); errors.As(err, &refusal) {
		return refuse(string(refusal.Reason), err.Error())
	}
	user := c.samlUserNamed(a.NameID, a.Format)
	if user == nil {
		return refuse("user_unknown", "no user, or more than one, has this name")
	}
	if c.Vault.Load().EndedSince(user.ID, a.IssueInstant, c.now) {
		return refuse("session", "the user's sessions were ended since")
	}
	amr := a.Attributes[state.AttributeAMR]
	return subject{user: user, email: a.Format == saml.FormatEmail,
		auth: directory.Authentication{Time: a.AuthnInstant, AMR: amr, ACR: directory.ImpliedACR(amr)},
		saml: &vault.SAMLNameID{Value: a.NameID, Format: a.Format}}, nil
}

// samlUserNamed is the one user whom assertions in this format name so.
func (c *call) samlUserNamed(name, format string) (found *directory.User) {
	for n := range c.dir.Users {
		switch u := &c.dir.Users[n]; {
		case state.NameID(u, format) != name:
		case found != nil:
			return nil
		default:
			found = u
		}
	}
	return found
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
