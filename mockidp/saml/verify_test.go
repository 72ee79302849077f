package saml_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	schema "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/mockidp/saml"
)

func TestVerifyTellsWhoTheUserIs(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	i.user.AuthnInstant = i.now.Add(-time.Hour).Truncate(time.Second)
	i.user.Attributes = map[string][]string{"groups": {"Engineering", "Finance & Co"}}
	for name, encoding := range map[string]*base64.Encoding{
		"base64": base64.StdEncoding, "base64url": base64.URLEncoding, "base64url without padding": base64.RawURLEncoding,
	} {
		got, err := i.Verify(encoding.EncodeToString(i.signed(t)), i.app)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !got.AuthnInstant.Equal(i.user.AuthnInstant) {
			t.Errorf("%s: AuthnInstant is %s", name, got.AuthnInstant)
		}
		got.AuthnInstant = time.Time{}
		want := saml.Subject{Issuer: i.EntityID("agent"), NameID: alice, Format: saml.FormatEmail, SessionIndex: "session-1",
			AuthnContext: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", IssueInstant: i.now.UTC(),
			Attributes: i.user.Attributes}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %+v, expected %+v", name, *got, want)
		}
	}
}

func TestIssueMakesASubjectToken(t *testing.T) {
	i := newIdP(t, "https://idp.example/tenant")
	token, err := i.Issue(i.app, *i.user)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := i.Verify(token, i.app); err != nil || got.NameID != alice {
		t.Errorf("refused: %v", err)
	}
}

// Each row changes one thing of an honest assertion before it is signed.
func TestVerifyRefusesWhatIsSignedButNotForThisUse(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	const other = "https://other.example/saml"
	ago, soon, never := i.now.Add(-time.Second), i.now.Add(time.Minute), time.Time{}
	type assertion = *schema.Assertion
	restriction := schema.AudienceRestriction{Audience: schema.Audience{Value: other}}
	confirmed := func(change func(*schema.SubjectConfirmationData)) func(assertion) {
		return func(a assertion) { change(a.Subject.SubjectConfirmations[0].SubjectConfirmationData) }
	}
	type data = *schema.SubjectConfirmationData
	for name, c := range map[string]struct {
		change func(assertion)
		want   saml.Reason
	}{
		"unchanged":             {func(assertion) {}, ""},
		"another issuer":        {func(a assertion) { a.Issuer.Value = "https://evil.example" }, saml.Foreign},
		"issuer of another app": {func(a assertion) { a.Issuer.Value = i.EntityID("other") }, saml.Foreign},

		"no conditions":    {func(a assertion) { a.Conditions = nil }, saml.Misplaced},
		"no audience":      {func(a assertion) { a.Conditions.AudienceRestrictions = nil }, saml.Misplaced},
		"another audience": {func(a assertion) { a.Conditions.AudienceRestrictions[0] = restriction }, saml.Misplaced},
		"two restrictions": {func(a assertion) {
			a.Conditions.AudienceRestrictions = append(a.Conditions.AudienceRestrictions, restriction)
		}, saml.Misplaced},

		"another recipient":    {confirmed(func(d data) { d.Recipient = other }), saml.Misplaced},
		"no recipient":         {confirmed(func(d data) { d.Recipient = "" }), saml.Misplaced},
		"the app's second ACS": {confirmed(func(d data) { d.Recipient = i.app.ACS[1] }), ""},
		"no confirmation":      {func(a assertion) { a.Subject.SubjectConfirmations = nil }, saml.Misplaced},
		"no confirmation data": {func(a assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData = nil
		}, saml.Misplaced},
		"another method":          {func(a assertion) { a.Subject.SubjectConfirmations[0].Method += "x" }, saml.Misplaced},
		"confirmed until a while": {confirmed(func(d data) { d.NotOnOrAfter = ago }), saml.Untimely},
		"confirmed for ever":      {confirmed(func(d data) { d.NotOnOrAfter = never }), saml.Untimely},
		"confirmed from soon on":  {confirmed(func(d data) { d.NotBefore = soon }), saml.Untimely},

		"expired":       {func(a assertion) { a.Conditions.NotOnOrAfter = ago }, saml.Untimely},
		"ends now":      {func(a assertion) { a.Conditions.NotOnOrAfter = i.now }, saml.Untimely},
		"never ends":    {func(a assertion) { a.Conditions.NotOnOrAfter = never }, saml.Untimely},
		"begins soon":   {func(a assertion) { a.Conditions.NotBefore = soon }, saml.Untimely},
		"session ended": {func(a assertion) { a.AuthnStatements[0].SessionNotOnOrAfter = &ago }, saml.Untimely},

		"no subject": {func(a assertion) { a.Subject = nil }, saml.Malformed},
		"no name":    {func(a assertion) { a.Subject.NameID = nil }, saml.Malformed},
		"blank name": {func(a assertion) { a.Subject.NameID.Value = " " }, saml.Malformed},
		"no sign-on": {func(a assertion) { a.AuthnStatements = nil }, saml.Malformed},
		"no ID":      {func(a assertion) { a.ID = "" }, saml.Unsigned},
	} {
		t.Run(name, func(t *testing.T) {
			assertion := i.Assertion(i.app, *i.user)
			c.change(assertion)
			raw, err := i.Sign(assertion)
			if err != nil {
				t.Fatal(err)
			}
			subject, reason, err := i.verify(raw)
			if reason != c.want || (err == nil) != (c.want == "") {
				t.Errorf("reason %q, expected %q: %v", reason, c.want, err)
			}
			if err != nil && subject != nil {
				t.Error("a refused assertion has a subject")
			}
		})
	}
}

// Assertions that were made for another use are those of the table by which identity providers are judged, too.
func TestVerifyRefusesAssertionsForAnotherUse(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	reasons := map[string]saml.Reason{"other-audience": saml.Misplaced, "other-recipient": saml.Misplaced,
		"expired": saml.Untimely, "early": saml.Untimely}
	for _, misuse := range hostile.SAMLMisuses() {
		assertion := i.Assertion(i.app, *i.user)
		if err := saml.Change(assertion, misuse.Set(i.now), nil); err != nil {
			t.Fatal(err)
		}
		raw, err := i.Sign(assertion)
		if err != nil {
			t.Fatal(err)
		}
		if _, reason, err := i.verify(raw); reason == "" || reason != reasons[misuse.ID] {
			t.Errorf("%s: reason %q, expected %q: %v", misuse.ID, reason, reasons[misuse.ID], err)
		}
	}
}

// spoiled is an honest, signed assertion with something done to the document.
type spoiled struct {
	name, document string
	want           saml.Reason
	says           string // part of the error, so that each is refused for its own reason
}

func TestVerifyRefusesHostileDocuments(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	honest := string(i.signed(t))
	rows := slices.Concat(attacked(t, honest), resigned(t, i, honest), edited(t, honest), malformed(honest))
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			subject, reason, err := i.verify([]byte(row.document))
			if err == nil || subject != nil {
				t.Fatal("accepted")
			}
			if reason != row.want || !strings.Contains(err.Error(), row.says) {
				t.Errorf("reason %q, expected %q and %q: %v", reason, row.want, row.says, err)
			}
			if strings.Contains(err.Error(), mallory) || strings.Contains(err.Error(), alice) {
				t.Error("the error repeats what the assertion says")
			}
		})
	}
	if _, _, err := i.verify([]byte(honest)); err != nil {
		t.Errorf("after all that the honest assertion is refused: %v", err)
	}
}

const mallory = "mallory@acme.example"

// attacked are those of the table by which identity providers are judged, too. The verifier refuses each for a reason
// of its own, and takes not even what it might.
func attacked(t *testing.T, honest string) (rows []spoiled) {
	type refusal struct {
		reason saml.Reason
		says   string
	}
	reasons := map[string]refusal{
		"unsigned": {saml.Unsigned, "not signed"}, "changed": {saml.Unsigned, "not valid"},
		"redigested": {saml.Unsigned, "not valid"}, "strangers-key": {saml.Unsigned, "trusted certs"},
		"comment": {saml.Malformed, "comment"}, "doctype": {saml.Malformed, "DTD"},
		"doctype-internal": {saml.Malformed, "DTD"}, "entities": {saml.Malformed, "DTD"},
		"wrapped-10": {saml.Malformed, "same ID"},
	}
	for n := 1; n < hostile.XSWVariants; n++ {
		reasons[fmt.Sprintf("wrapped-%d", n)] = refusal{saml.Malformed, "an assertion within the assertion"}
	}
	for _, attack := range hostile.SAMLAttacks() {
		want, known := reasons[attack.ID]
		if !known {
			t.Errorf("nothing is said of the attack %s", attack.ID)
		}
		rows = append(rows, spoiled{attack.ID, string(attack.Make([]byte(honest), mallory)), want.reason, want.says})
	}
	return rows
}

// resigned are signed by the wrong key, or by the right one in a way that is not accepted.
func resigned(t *testing.T, i *idp, honest string) []spoiled {
	stranger := newStranger(t, "https://idp.example")
	by := func(key, certificate *idp, method string) string {
		private := key.cert.PrivateKey.(*rsa.PrivateKey)
		return string(hostile.SignSAML([]byte(honest), private, certificate.cert.Certificate[0], method))
	}
	const sha256 = dsig.RSASHA256SignatureMethod
	return []spoiled{
		{"stranger's key and certificate", by(stranger, stranger, sha256), saml.Unsigned, "trusted certs"},
		{"stranger's key", by(stranger, i, sha256), saml.Unsigned, "not valid"},
		{"SHA-1", by(i, i, dsig.RSASHA1SignatureMethod), saml.Unsigned, "an algorithm that is not accepted"},
	}
}

// edited are changed after they were signed.
func edited(t *testing.T, honest string) []spoiled {
	change := func(old, with string) string {
		if !strings.Contains(honest, old) {
			t.Fatalf("the document has no %q", old)
		}
		return strings.Replace(honest, old, with, 1)
	}
	id := attribute(honest, "ID")
	signature := honest[strings.Index(honest, "<ds:Signature "):strings.Index(honest, "<saml:Subject>")]
	object := change("</ds:Signature>", "<ds:Object/></ds:Signature>")
	attributes := change("</ds:SignatureValue>", "<ds:X/></ds:SignatureValue>")
	return []spoiled{
		{"instruction", change("<saml:Subject>", "<?php x?><saml:Subject>"), saml.Malformed, "processing instruction"},
		{"same ID", change("<saml:Subject>", `<saml:Subject ID="`+id+`">`), saml.Malformed, "same ID"},
		{"same attribute", change(`Version="2.0"`, `Version="2.0" Version="2.0"`), saml.Malformed, "attribute twice"},
		{"version", change(`Version="2.0"`, `Version="1.1"`), saml.Unsigned, "not valid"},
		{"two signatures", change("<saml:Subject>", signature+"<saml:Subject>"), saml.Unsigned, "more than one"},
		{"signature elsewhere", strings.Replace(change(signature, ""), "<saml:NameID", signature+"<saml:NameID", 1),
			saml.Unsigned, "not the assertion's own"},
		{"reference to everything", change(`URI="#`+id+`"`, `URI=""`), saml.Unsigned, "not over the assertion"},
		{"reference elsewhere", change(`URI="#`+id+`"`, `URI="#x"`), saml.Unsigned, "not over the assertion"},
		{"object in the signature", object, saml.Unsigned, "does not belong"},
		{"element in the value", attributes, saml.Unsigned, "does not belong"},
	}
}

// malformed are not the kind of document that is expected.
func malformed(honest string) []spoiled {
	response := `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol">` + honest + `</p:Response>`
	return []spoiled{
		{"entity without a DTD", strings.Replace(honest, alice, "&x;", 1), saml.Malformed, "not well-formed"},
		{"second root", honest + "<x/>", saml.Malformed, "more than one root"},
		{"text after the root", honest + "x", saml.Malformed, "outside its root"},
		{"SAML 1", strings.ReplaceAll(honest, "SAML:2.0:assertion", "SAML:1.0:assertion"), saml.Malformed, "not a SAML 2.0"},
		{"response around it", response, saml.Malformed, "no response around it"},
		{"deep", strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40), saml.Malformed, "too deep"},
		{"long", "<a>" + strings.Repeat("<b/>", 2000) + "</a>", saml.Malformed, "too many elements"},
		{"large", strings.Replace(honest, alice, strings.Repeat("a", 100<<10), 1), saml.Malformed, "larger than"},
		{"encoding", `<?xml version="1.0" encoding="UTF-7"?>` + honest, saml.Malformed, "not well-formed"},
		{"cut off", honest[:len(honest)-5], saml.Malformed, "not well-formed"},
		{"attribute name", `<a :b="c"/>`, saml.Malformed, "malformed name"},
		{"element name", "<a:/>", saml.Malformed, "malformed name"},
		{"nothing", "", saml.Malformed, "not an XML document"},
		{"JSON", `{"sub":"alice"}`, saml.Malformed, "outside its root"},
	}
}

func attribute(document, name string) string {
	_, after, _ := strings.Cut(document, " "+name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// A signature made anew by the same key is as good as the first, and so is an XML declaration before the document.
func TestVerifyAcceptsWhatChangesNothing(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	key := i.cert.PrivateKey.(*rsa.PrivateKey)
	for name, document := range map[string][]byte{
		"signed anew": hostile.SignSAML(i.signed(t), key, i.cert.Certificate[0], dsig.RSASHA256SignatureMethod),
		"declaration": append([]byte(xml.Header), i.signed(t)...),
	} {
		if _, _, err := i.verify(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyAcceptsAnAssertionOnce(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	signed := i.signed(t)
	elsewhere := i.app
	elsewhere.EntityID = "https://elsewhere.example"
	if _, err := i.Verify(base64.StdEncoding.EncodeToString(signed), elsewhere); err == nil {
		t.Fatal("accepted for another app")
	}
	if len(i.used) != 0 {
		t.Error("a refused assertion counts as used")
	}
	if _, _, err := i.verify(signed); err != nil {
		t.Fatalf("first use: %v", err)
	}
	if _, reason, _ := i.verify(signed); reason != saml.Replayed {
		t.Errorf("second use: reason %q", reason)
	}
	for _, until := range i.used {
		if until.Before(i.now) || until.After(i.now.Add(saml.AssertionLifetime)) {
			t.Errorf("it is remembered until %s", until)
		}
	}
	if _, _, err := i.verify(i.signed(t)); err != nil {
		t.Errorf("another assertion of the same user: %v", err)
	}
}

func TestVerifyFollowsTheClock(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	signed := i.signed(t)
	i.sleep(saml.AssertionLifetime - time.Second)
	if _, _, err := i.verify(signed); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	signed = i.signed(t)
	i.sleep(saml.AssertionLifetime)
	if _, reason, _ := i.verify(signed); reason != saml.Untimely {
		t.Errorf("at its end: reason %q", reason)
	}
}

func TestVerifyFetchesNothing(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer server.Close()
	i := newIdP(t, "https://idp.example")
	if _, reason, _ := i.verify(hostile.ExternalEntity(i.signed(t), server.URL)); reason != saml.Malformed {
		t.Errorf("reason %q", reason)
	}
	if fetched.Load() != 0 {
		t.Error("the entity's URL was fetched")
	}
}

func TestVerifyRefusesWhatIsNotBase64(t *testing.T) {
	i := newIdP(t, "https://idp.example")
	for _, encoded := range []string{"", "<saml:Assertion/>", "====", strings.Repeat("A", 1<<20)} {
		if subject, err := i.Verify(encoded, i.app); err == nil || subject != nil {
			t.Errorf("%.20q was accepted", encoded)
		}
	}
}
