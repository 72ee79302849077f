package idp

import (
	schema "github.com/crewjam/saml"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// NewSAMLAssertion makes an honest assertion of a user, by login, for a client with SAML, without a sign-on. Change it
// before SAML().Sign.
func (p *IdP) NewSAMLAssertion(login, clientID string) (*schema.Assertion, error) {
	provider, err := p.SAML()
	if err != nil {
		return nil, err
	}
	app, ok := p.SAMLApp(clientID)
	if !ok {
		return nil, Missing("client with SAML sign-on", clientID)
	}
	u := p.Directory().Login(login)
	if u == nil {
		return nil, Missing("user", login)
	}
	amr := directory.Methods(u, true)
	session := vault.Session{Auth: directory.Authentication{Time: p.Now(), AMR: amr, ACR: directory.ImpliedACR(amr)}}
	return provider.Assertion(app, *state.SAMLUser(u, session, app.NameIDFormat, "")), nil
}

// SAMLResponse signs an assertion and the Response around it (SAML 2.0 core section 3.3.3), as base64: what a browser
// posts to the client's assertion consumer service. The error is a client without SAML sign-on, or what cannot be
// signed.
func (p *IdP) SAMLResponse(clientID string, a *schema.Assertion) (string, error) {
	provider, err := p.SAML()
	if err != nil {
		return "", err
	}
	app, ok := p.SAMLApp(clientID)
	if !ok {
		return "", Missing("client with SAML sign-on", clientID)
	}
	return provider.ResponseTo(app, a)
}
