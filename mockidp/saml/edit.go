package saml

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	schema "github.com/crewjam/saml"
)

// ResponseTo returns a signed Response with this assertion, signed as well, for the app's default assertion consumer
// service: base64, as the parameter SAMLResponse carries it (Bindings section 3.5.4). It answers the request that the
// assertion says it does, none for a sign-on that the identity provider begins.
func (p *Provider) ResponseTo(app App, a *schema.Assertion) (string, error) {
	q := Request{App: app, ACS: app.defaultACS()}
	if confirmed := a.Subject.SubjectConfirmations; len(confirmed) > 0 && confirmed[0].SubjectConfirmationData != nil {
		q.ID, q.ACS = confirmed[0].SubjectConfirmationData.InResponseTo, confirmed[0].SubjectConfirmationData.Recipient
	}
	return p.response(q, schema.Status{StatusCode: schema.StatusCode{Value: schema.StatusSuccess}}, a)
}

// Change edits an assertion that Assertion made, before it is signed. set gives members new values: texts by the names
// of texts below, times as RFC 3339, and attributes as an object of lists. remove takes members away. An error names
// the member that is unknown or not of its kind.
func Change(a *schema.Assertion, set map[string]any, remove []string) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if err := setMember(a, name, set[name]); err != nil {
			return err
		}
	}
	for _, name := range remove {
		away, known := removals[name]
		if !known {
			return fmt.Errorf("delete %q: expected one of %s", name, names(removals))
		}
		away(a)
	}
	return nil
}

func confirmation(a *schema.Assertion) *schema.SubjectConfirmationData {
	return a.Subject.SubjectConfirmations[0].SubjectConfirmationData
}

// texts are the members that are texts: the attributes and elements of these names in Core section 2, in snake case.
var texts = map[string]func(*schema.Assertion) *string{
	"id":             func(a *schema.Assertion) *string { return &a.ID },
	"issuer":         func(a *schema.Assertion) *string { return &a.Issuer.Value },
	"name_id":        func(a *schema.Assertion) *string { return &a.Subject.NameID.Value },
	"name_id_format": func(a *schema.Assertion) *string { return &a.Subject.NameID.Format },
	"recipient":      func(a *schema.Assertion) *string { return &confirmation(a).Recipient },
	"in_response_to": func(a *schema.Assertion) *string { return &confirmation(a).InResponseTo },
	"audience": func(a *schema.Assertion) *string {
		return &a.Conditions.AudienceRestrictions[0].Audience.Value
	},
	"session_index": func(a *schema.Assertion) *string { return &a.AuthnStatements[0].SessionIndex },
	"authn_context": func(a *schema.Assertion) *string {
		return &a.AuthnStatements[0].AuthnContext.AuthnContextClassRef.Value
	},
}

// times are the members that are instants. The end stands in two places, which an honest assertion keeps alike.
var times = map[string]func(*schema.Assertion, time.Time){
	"issue_instant": func(a *schema.Assertion, t time.Time) { a.IssueInstant = t },
	"not_before":    func(a *schema.Assertion, t time.Time) { a.Conditions.NotBefore = t },
	"not_on_or_after": func(a *schema.Assertion, t time.Time) {
		a.Conditions.NotOnOrAfter, confirmation(a).NotOnOrAfter = t, t
	},
	"authn_instant": func(a *schema.Assertion, t time.Time) { a.AuthnStatements[0].AuthnInstant = t },
}

var removals = map[string]func(*schema.Assertion){
	"name_id":        func(a *schema.Assertion) { a.Subject.NameID = nil },
	"recipient":      func(a *schema.Assertion) { confirmation(a).Recipient = "" },
	"in_response_to": func(a *schema.Assertion) { confirmation(a).InResponseTo = "" },
	"audience":       func(a *schema.Assertion) { a.Conditions.AudienceRestrictions = nil },
	"session_index":  func(a *schema.Assertion) { a.AuthnStatements[0].SessionIndex = "" },
	"attributes":     func(a *schema.Assertion) { a.AttributeStatements = nil },
}

func setMember(a *schema.Assertion, name string, value any) error {
	if name == "attributes" {
		return setAttributes(a, value)
	}
	given, isText := value.(string)
	if !isText {
		return fmt.Errorf("set %s: expected a text", name)
	}
	if member, known := texts[name]; known {
		*member(a) = given
		return nil
	}
	put, known := times[name]
	if !known {
		return fmt.Errorf("set %q: expected one of attributes, %s, %s", name, names(texts), names(times))
	}
	t, err := time.Parse(time.RFC3339, given)
	if err != nil {
		return fmt.Errorf(`set %s: expected a time such as "2026-06-18T12:00:00Z"`, name)
	}
	put(a, t.UTC())
	return nil
}

func setAttributes(a *schema.Assertion, value any) error {
	wrong := fmt.Errorf(`set attributes: expected an object of lists such as {"groups": ["Finance"]}`)
	object, ok := value.(map[string]any)
	if !ok {
		return wrong
	}
	user := User{Attributes: map[string][]string{}}
	for name, list := range object {
		values, ok := list.([]any)
		if !ok {
			return wrong
		}
		for _, v := range values {
			text, ok := v.(string)
			if !ok {
				return wrong
			}
			user.Attributes[name] = append(user.Attributes[name], text)
		}
	}
	a.AttributeStatements = attributes(user)
	return nil
}

func names[T any](table map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}
