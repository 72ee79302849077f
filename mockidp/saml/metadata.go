package saml

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"

	schema "github.com/crewjam/saml"
)

const protocol = "urn:oasis:names:tc:SAML:2.0:protocol"

// Metadata is what the app's service provider needs to know of the identity provider (Metadata section 2.4.3).
func (p *Provider) Metadata(app App) *schema.EntityDescriptor {
	certificate := schema.X509Certificate{Data: base64.StdEncoding.EncodeToString(p.cert.Raw)}
	key := schema.KeyDescriptor{Use: "signing", KeyInfo: schema.KeyInfo{
		X509Data: schema.X509Data{X509Certificates: []schema.X509Certificate{certificate}},
	}}
	signedRequests := false
	return &schema.EntityDescriptor{
		EntityID: p.EntityID(app.ID), ValidUntil: p.cert.NotAfter,
		IDPSSODescriptors: []schema.IDPSSODescriptor{{
			SSODescriptor: schema.SSODescriptor{
				RoleDescriptor: schema.RoleDescriptor{
					ProtocolSupportEnumeration: protocol, KeyDescriptors: []schema.KeyDescriptor{key},
				},
				NameIDFormats: []schema.NameIDFormat{schema.NameIDFormat(app.nameIDFormat())},
			},
			WantAuthnRequestsSigned: &signedRequests,
			SingleSignOnServices: []schema.Endpoint{
				{Binding: schema.HTTPRedirectBinding, Location: p.SSOURL(app.ID)},
				{Binding: schema.HTTPPostBinding, Location: p.SSOURL(app.ID)},
			},
		}},
	}
}

func (p *Provider) serveMetadata(w http.ResponseWriter, _ *http.Request, app App) {
	document, err := xml.MarshalIndent(p.Metadata(app), "", "  ")
	if err != nil {
		notice(w, http.StatusInternalServerError, "The metadata cannot be written.")
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(append([]byte(xml.Header), document...)) // the client went away: nobody is left to tell
}
