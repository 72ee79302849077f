package state

import (
	"cmp"
	"crypto/tls"
	"slices"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// AttributeAMR is the attribute that carries the authentication methods (RFC 8176) of the session.
const AttributeAMR = "amr"

func (s *State) newSAML(certificate tls.Certificate) (*saml.Provider, error) {
	if certificate.Leaf == nil {
		made, err := saml.NewCertificate()
		if err != nil {
			return nil, err
		}
		certificate = made
	}
	return saml.NewProvider(saml.Options{
		URL: s.Base.String(), Certificate: certificate, App: s.SAMLApp, Now: s.Now,
		FirstUse: func(id string, until time.Time) bool {
			before, err := s.SeenBefore(until, s.Now(), "saml", id)
			return err == nil && !before
		},
	})
}

var nameIDFormats = map[directory.NameID]string{
	"": saml.FormatEmail, directory.NameEmail: saml.FormatEmail, directory.NamePersistent: saml.FormatPersistent,
	directory.NameLogin: saml.FormatUnspecified,
}

// SAMLApp is the SAML application of a client. ok is false when there is no such client or it has no SAML sign-on.
func (s *State) SAMLApp(clientID string) (app saml.App, ok bool) {
	client := s.Directory.Load().Client(clientID)
	if client == nil || client.SAML == nil {
		return saml.App{}, false
	}
	return saml.App{ID: client.ID, EntityID: client.SAML.EntityID, ACS: client.SAML.ACS,
		NameIDFormat: nameIDFormats[client.SAML.NameID]}, true
}

// NameID is how assertions in this format name the user.
func NameID(u *directory.User, format string) string {
	switch format {
	case saml.FormatEmail:
		return cmp.Or(u.Email, u.Login)
	case saml.FormatPersistent:
		return u.ID
	}
	return u.Login
}

// SAMLUser is a signed-on user as an application is told. asked is the authentication context class that it asks for.
func SAMLUser(u *directory.User, s vault.Session, format, asked string) *saml.User {
	user := &saml.User{NameID: NameID(u, format), SessionIndex: s.ID, AuthnInstant: s.Auth.Time,
		AuthnContext: saml.ContextPassword, Attributes: map[string][]string{AttributeAMR: s.Auth.AMR, "login": {u.Login}}}
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
