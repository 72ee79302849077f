package saml

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"time"

	"github.com/beevik/etree"
	schema "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// AssertionLifetime is how long an assertion can be used, from its issue, as Okta has it. It is valid from a minute
// before, for clocks that differ.
const (
	AssertionLifetime = 5 * time.Minute
	clockSkew         = time.Minute
)

const (
	bearer           = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	unspecifiedNames = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
)

// Assertion returns an honest assertion of who the user is, for the app's default assertion consumer service, not yet
// signed (Core section 2.3.3, Profiles section 4.1.4.2). Every member is free to be changed before Sign.
func (p *Provider) Assertion(app App, user User) *schema.Assertion {
	now := p.o.Now().UTC()
	ends := now.Add(AssertionLifetime)
	return &schema.Assertion{
		ID: newID(), IssueInstant: now, Version: "2.0", Issuer: schema.Issuer{Value: p.EntityID(app.ID)},
		Subject: &schema.Subject{
			NameID: &schema.NameID{Format: app.nameIDFormat(), Value: user.NameID},
			SubjectConfirmations: []schema.SubjectConfirmation{{Method: bearer,
				SubjectConfirmationData: &schema.SubjectConfirmationData{NotOnOrAfter: ends, Recipient: app.defaultACS()}}},
		},
		Conditions: &schema.Conditions{
			NotBefore: now.Add(-clockSkew), NotOnOrAfter: ends,
			AudienceRestrictions: []schema.AudienceRestriction{{Audience: schema.Audience{Value: app.EntityID}}},
		},
		AuthnStatements:     []schema.AuthnStatement{statement(user, now)},
		AttributeStatements: attributes(user),
	}
}

func (a App) defaultACS() string {
	if len(a.ACS) == 0 {
		return ""
	}
	return a.ACS[0]
}

func statement(user User, now time.Time) schema.AuthnStatement {
	s := schema.AuthnStatement{AuthnInstant: now, SessionIndex: newID()}
	if !user.AuthnInstant.IsZero() {
		s.AuthnInstant = user.AuthnInstant.UTC()
	}
	if user.SessionIndex != "" {
		s.SessionIndex = user.SessionIndex
	}
	s.AuthnContext.AuthnContextClassRef = &schema.AuthnContextClassRef{Value: user.context()}
	return s
}

func (u User) context() string {
	if u.AuthnContext == "" {
		return ContextPassword
	}
	return u.AuthnContext
}

func attributes(user User) []schema.AttributeStatement {
	if len(user.Attributes) == 0 {
		return nil
	}
	var s schema.AttributeStatement
	for _, name := range slices.Sorted(maps.Keys(user.Attributes)) {
		attribute := schema.Attribute{Name: name, NameFormat: unspecifiedNames}
		for _, value := range user.Attributes[name] {
			attribute.Values = append(attribute.Values, schema.AttributeValue{Type: "xs:string", Value: value})
		}
		s.Attributes = append(s.Attributes, attribute)
	}
	return []schema.AttributeStatement{s}
}

// Sign returns the assertion as an XML document with an enveloped signature (Core section 5).
func (p *Provider) Sign(a *schema.Assertion) ([]byte, error) {
	signed := *a
	if err := p.signAssertion(&signed); err != nil {
		return nil, err
	}
	return document(signed.Element())
}

// Issue returns a signed assertion in the form in which it is a subject token: base64.
func (p *Provider) Issue(app App, user User) (string, error) {
	signed, err := p.Sign(p.Assertion(app, user))
	return base64.StdEncoding.EncodeToString(signed), err
}

func (p *Provider) signAssertion(a *schema.Assertion) (err error) {
	a.Signature = nil
	a.Signature, err = p.signature(a.Element())
	return err
}

// signature is the enveloped signature of an element. It belongs right after the Issuer, which is for the caller to do:
// the place of an enveloped signature is not signed.
func (p *Provider) signature(el *etree.Element) (*etree.Element, error) {
	context, err := dsig.NewSigningContext(p.key, [][]byte{p.cert.Raw})
	if err != nil {
		return nil, err
	}
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, err
	}
	return context.ConstructSignature(el, true)
}

func document(root *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.SetRoot(root)
	return doc.WriteToBytes()
}

// newID is an XML name: those must not begin with a digit.
func newID() string { return "_" + rand.Text() }
