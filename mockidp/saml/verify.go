package saml

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	schema "github.com/crewjam/saml"
)

const assertionNamespace = "urn:oasis:names:tc:SAML:2.0:assertion"

// Subject is what a verified assertion says.
type Subject struct {
	Issuer          string // the identity provider's entity id
	NameID          string
	Format          string
	SPNameQualifier string
	SessionIndex    string
	AuthnContext    string
	AuthnInstant    time.Time
	IssueInstant    time.Time
	Attributes      map[string][]string
}

// Reason is why an assertion was refused.
type Reason string

// Reasons to refuse an assertion.
const (
	Malformed Reason = "malformed" // not base64, not XML, not an assertion, or with something in it that does not belong
	Unsigned  Reason = "signature" // unsigned, or not validly signed by this identity provider, as a whole
	Foreign   Reason = "issuer"    // of another identity provider or for another app
	Misplaced Reason = "audience"  // for another audience or recipient
	Untimely  Reason = "time"      // expired or not yet valid
	Replayed  Reason = "replay"    // used before
)

// Refusal is the error of Verify. Its text says what is wrong in words for a log; nothing of the assertion is in it.
type Refusal struct {
	Reason Reason
	err    error
}

func (r *Refusal) Error() string { return "SAML assertion refused: " + r.err.Error() }

// Unwrap returns what is wrong.
func (r *Refusal) Unwrap() error { return r.err }

// Verify checks an assertion that is presented as a subject token on behalf of the app: base64 or base64url of the XML
// document (RFC 7522 section 2.1). It must be signed as a whole by this identity provider, issued to this app and one
// of its assertion consumer services, be valid now, and not have been accepted before (Profiles section 4.1.4.3, RFC
// 7522 section 3). The error is a *Refusal.
func (p *Provider) Verify(encoded string, app App) (*Subject, error) {
	raw, err := decode(encoded)
	if err != nil {
		return nil, &Refusal{Malformed, err}
	}
	root, err := read(raw)
	if err != nil {
		return nil, &Refusal{Malformed, err}
	}
	if err := onlyAssertion(root); err != nil {
		return nil, &Refusal{Malformed, err}
	}
	signed, err := p.verified(root)
	if err != nil {
		return nil, &Refusal{Unsigned, err}
	}
	a, err := assertionOf(signed)
	if err != nil {
		return nil, &Refusal{Malformed, err}
	}
	if refusal := p.check(a, app); refusal != nil {
		return nil, refusal
	}
	until := a.Subject.SubjectConfirmations[0].SubjectConfirmationData.NotOnOrAfter
	if !p.o.FirstUse(a.Issuer.Value+" "+a.ID, until) {
		return nil, &Refusal{Replayed, errors.New("it was used before: each assertion is accepted once")}
	}
	return subjectOf(a), nil
}

func decode(encoded string) ([]byte, error) {
	if len(encoded) > base64.StdEncoding.EncodedLen(maxDocument) {
		return nil, fmt.Errorf("it is larger than %d bytes", maxDocument)
	}
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(encoded)
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	return raw, nil
}

// onlyAssertion is an error unless the root is an assertion and nothing below it is one. Advice, which may hold others
// (Core section 2.6.1), is of no use here.
func onlyAssertion(root *etree.Element) (err error) {
	if root.Tag != "Assertion" || root.NamespaceURI() != assertionNamespace {
		return errors.New("the root element is not a SAML 2.0 Assertion: send the assertion itself, no response around it")
	}
	walk(root, func(el *etree.Element) {
		if el != root && (el.Tag == "Assertion" || el.Tag == "EncryptedAssertion") {
			err = errors.New("there is an assertion within the assertion")
		}
	})
	return err
}

func assertionOf(signed *etree.Element) (*schema.Assertion, error) {
	raw, err := document(signed.Copy())
	if err != nil {
		return nil, err
	}
	var a schema.Assertion
	if err := xml.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("not a SAML 2.0 assertion: %w", err)
	}
	switch {
	case a.Version != "2.0":
		return nil, errors.New("its Version is not 2.0")
	case a.Subject == nil || a.Subject.NameID == nil || strings.TrimSpace(a.Subject.NameID.Value) == "":
		return nil, errors.New("its Subject has no NameID")
	case len(a.AuthnStatements) != 1:
		return nil, errors.New("it does not have one AuthnStatement: it says nothing of a sign-on")
	}
	return &a, nil
}

// check judges what was signed. Each check may rely on the ones before it.
func (p *Provider) check(a *schema.Assertion, app App) *Refusal {
	for _, check := range []struct {
		reason Reason
		of     func(*schema.Assertion, App) error
	}{
		{Foreign, p.checkIssuer}, {Misplaced, checkAudience}, {Misplaced, checkRecipient}, {Untimely, p.checkTime},
	} {
		if err := check.of(a, app); err != nil {
			return &Refusal{check.reason, err}
		}
	}
	return nil
}

func (p *Provider) checkIssuer(a *schema.Assertion, app App) error {
	if a.Issuer.Value != p.EntityID(app.ID) {
		return fmt.Errorf("its Issuer is not %q", p.EntityID(app.ID))
	}
	return nil
}

// checkAudience: each restriction must be met (Core section 2.5.1.4), and there must be one.
func checkAudience(a *schema.Assertion, app App) error {
	if a.Conditions == nil || len(a.Conditions.AudienceRestrictions) == 0 {
		return errors.New("it has no AudienceRestriction")
	}
	for _, restriction := range a.Conditions.AudienceRestrictions {
		if restriction.Audience.Value != app.EntityID {
			return fmt.Errorf("its Audience is not the application's entity id %q", app.EntityID)
		}
	}
	return nil
}

// checkRecipient: there is one confirmation, for the bearer, which names where the assertion was to be delivered.
func checkRecipient(a *schema.Assertion, app App) error {
	confirmations := a.Subject.SubjectConfirmations
	switch {
	case len(confirmations) != 1 || confirmations[0].Method != bearer || confirmations[0].SubjectConfirmationData == nil:
		return errors.New("it does not have one SubjectConfirmation by bearer")
	case !app.hasACS(confirmations[0].SubjectConfirmationData.Recipient):
		return errors.New("its Recipient is none of the application's assertion consumer services")
	}
	return nil
}

func (p *Provider) checkTime(a *schema.Assertion, _ App) error {
	now := p.o.Now()
	confirmed := a.Subject.SubjectConfirmations[0].SubjectConfirmationData
	session := a.AuthnStatements[0].SessionNotOnOrAfter
	switch {
	case confirmed.NotOnOrAfter.IsZero() || a.Conditions.NotOnOrAfter.IsZero():
		return errors.New("it has no NotOnOrAfter")
	case !now.Before(confirmed.NotOnOrAfter) || !now.Before(a.Conditions.NotOnOrAfter):
		return errors.New("it has expired")
	case session != nil && !now.Before(*session):
		return errors.New("the session has ended")
	case now.Before(confirmed.NotBefore) || now.Before(a.Conditions.NotBefore):
		return errors.New("it is not valid yet")
	}
	return nil
}

func subjectOf(a *schema.Assertion) *Subject {
	statement := a.AuthnStatements[0]
	s := &Subject{
		Issuer: a.Issuer.Value, NameID: a.Subject.NameID.Value, Format: a.Subject.NameID.Format,
		SPNameQualifier: a.Subject.NameID.SPNameQualifier,
		SessionIndex:    statement.SessionIndex, AuthnInstant: statement.AuthnInstant, IssueInstant: a.IssueInstant,
		Attributes: map[string][]string{},
	}
	for _, set := range a.AttributeStatements {
		for _, attribute := range set.Attributes {
			for _, value := range attribute.Values {
				s.Attributes[attribute.Name] = append(s.Attributes[attribute.Name], value.Value)
			}
		}
	}
	if class := statement.AuthnContext.AuthnContextClassRef; class != nil {
		s.AuthnContext = class.Value
	}
	return s
}
