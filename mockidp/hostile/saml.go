package hostile

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"time"
)

// SAMLAssertion returns a well-formed bearer assertion (SAML 2.0 core section 2.3.3) that nobody signed, as base64url,
// the form in which RFC 7522 section 2.1 has it sent. It is valid for five minutes.
func SAMLAssertion(issuer, audience, subject string) string {
	const stamp = "2006-01-02T15:04:05Z"
	now := time.Now().UTC()
	from, until := now.Format(stamp), now.Add(5*time.Minute).Format(stamp)
	assertion := fmt.Sprintf(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" `+
		`ID="_%s" Version="2.0" IssueInstant="%s">`+
		`<saml:Issuer>%s</saml:Issuer><saml:Subject>`+
		`<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">%s</saml:NameID>`+
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">`+
		`<saml:SubjectConfirmationData Recipient="%s" NotOnOrAfter="%s"/></saml:SubjectConfirmation></saml:Subject>`+
		`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s"><saml:AudienceRestriction><saml:Audience>%[5]s</saml:Audience>`+
		`</saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="%[2]s"><saml:AuthnContext>`+
		`<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport`+
		`</saml:AuthnContextClassRef>`+
		`</saml:AuthnContext></saml:AuthnStatement></saml:Assertion>`,
		rand.Text(), from, escape(issuer), escape(subject), escape(audience), until, from, until)
	return base64.RawURLEncoding.EncodeToString([]byte(assertion))
}

func escape(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err)
	}
	return b.String()
}
