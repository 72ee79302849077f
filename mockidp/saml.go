package mockidp

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	schema "github.com/crewjam/saml"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// attributeAMR is the attribute that carries the authentication methods (RFC 8176) of the session.
const attributeAMR = "amr"

// SAML is the SAML side of the identity provider: it mints assertions, honest ones and ones that are changed before
// they are signed. Without ServerOptions.SAMLCertificate the first call makes one.
func (p *IdP) SAML() (*saml.Provider, error) { return p.saml() }

func (p *IdP) newSAML(certificate tls.Certificate) (*saml.Provider, error) {
	if certificate.Leaf == nil {
		made, err := saml.NewCertificate()
		if err != nil {
			return nil, err
		}
		certificate = made
	}
	return saml.NewProvider(saml.Options{
		URL: p.base.String(), Certificate: certificate, App: p.SAMLApp, Now: p.Now,
		FirstUse: func(id string, until time.Time) bool {
			before, err := p.seenBefore(until, p.Now(), "saml", id)
			return err == nil && !before
		},
	})
}

var nameIDFormats = map[directory.NameID]string{
	"": saml.FormatEmail, directory.NameEmail: saml.FormatEmail, directory.NamePersistent: saml.FormatPersistent,
	directory.NameLogin: saml.FormatUnspecified,
}

// SAMLApp is the SAML application of a client. ok is false when there is no such client or it has no SAML sign-on.
func (p *IdP) SAMLApp(clientID string) (app saml.App, ok bool) {
	client := p.directory.Load().Client(clientID)
	if client == nil || client.SAML == nil {
		return saml.App{}, false
	}
	return saml.App{ID: client.ID, EntityID: client.SAML.EntityID, ACS: client.SAML.ACS,
		NameIDFormat: nameIDFormats[client.SAML.NameID]}, true
}

// SAMLAssertion makes an honest assertion of a user, by login, for a client with SAML, without a sign-on. Change it
// before SAML().Sign.
func (t *Test) SAMLAssertion(login, clientID string) *schema.Assertion {
	t.tb.Helper()
	provider, err := t.SAML()
	check(t.tb, err)
	app, ok := t.SAMLApp(clientID)
	if !ok {
		t.tb.Fatalf("mock IdP: there is no client %q with SAML sign-on", clientID)
	}
	u, now := t.User(login), t.Now()
	amr := methods(u, true)
	session := vault.Session{Auth: directory.Authentication{Time: now, AMR: amr, ACR: impliedACR(amr)}}
	return provider.Assertion(app, *samlUser(u, session, app.NameIDFormat, ""))
}

// nameID is how assertions in this format name the user.
func nameID(u *directory.User, format string) string {
	switch format {
	case saml.FormatEmail:
		return orText(u.Email, u.Login)
	case saml.FormatPersistent:
		return u.ID
	}
	return u.Login
}

// samlUser is a signed-on user as an application is told. asked is the authentication context class that it asks for.
func samlUser(u *directory.User, s vault.Session, format, asked string) *saml.User {
	user := &saml.User{NameID: nameID(u, format), SessionIndex: s.ID, AuthnInstant: s.Auth.Time,
		AuthnContext: saml.ContextPassword, Attributes: map[string][]string{attributeAMR: s.Auth.AMR, "login": {u.Login}}}
	if u.Email != "" {
		user.Attributes["email"] = []string{u.Email}
	}
	if u.Name != "" {
		user.Attributes["name"] = []string{u.Name}
	}
	if len(u.Groups) > 0 {
		user.Attributes["groups"] = u.Groups
	}
	switch {
	case asked == saml.ContextUnspecified:
		user.AuthnContext = asked
	case asked != saml.ContextPassword && slices.Contains(s.Auth.AMR, "mfa"):
		user.AuthnContext = saml.ContextMFA
	}
	return user
}

// samlSignOn serves a SAML application: sign-on and metadata. /app/{client id}/sso/saml
func (c *call) samlSignOn() *oauth.Error {
	provider, err := c.saml()
	if err != nil {
		c.log.Error("SAML sign-on cannot begin", "error", err)
		return c.notice(http.StatusInternalServerError, "Sign-on is not possible", "There is no certificate to sign with.")
	}
	c.seen.Request = redactForm(c.r.URL.Query())
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
	return samlUser(user, session, q.App.NameIDFormat, q.AuthnContext), nil
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
		a.acr = []string{ACRTwoFactors}
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
	provider, err := c.saml()
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
	if c.vault.Load().EndedSince(user.ID, a.IssueInstant, c.now) {
		return refuse("session", "the user's sessions were ended since")
	}
	amr := a.Attributes[attributeAMR]
	return subject{user: user, email: a.Format == saml.FormatEmail,
		auth: directory.Authentication{Time: a.AuthnInstant, AMR: amr, ACR: impliedACR(amr)},
		saml: &vault.SAMLNameID{Value: a.NameID, Format: a.Format}}, nil
}

// samlUserNamed is the one user whom assertions in this format name so.
func (c *call) samlUserNamed(name, format string) (found *directory.User) {
	for n := range c.dir.Users {
		switch u := &c.dir.Users[n]; {
		case nameID(u, format) != name:
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
