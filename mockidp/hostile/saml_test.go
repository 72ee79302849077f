package hostile_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/mockidp/saml"
)

const evil = "mallory@evil.example"

func samlCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	pair, err := saml.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// signedAssertion is an assertion of alice signed by the pair.
func signedAssertion(t *testing.T, pair tls.Certificate) []byte {
	t.Helper()
	unsigned := hostile.SAMLAssertion("https://idp.example", "https://sp.example", "alice@acme.example")
	raw, err := base64.RawURLEncoding.DecodeString(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	return signedBy(pair, raw)
}

func signedBy(pair tls.Certificate, assertion []byte) []byte {
	key := pair.PrivateKey.(crypto.Signer)
	return hostile.SignSAML(assertion, key, pair.Certificate[0], dsig.RSASHA256SignatureMethod)
}

func elements(t *testing.T, document []byte, path string) []*etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatal(err)
	}
	return doc.FindElements(path)
}

func validBy(pair tls.Certificate, assertion *etree.Element) error {
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{pair.Leaf}})
	_, err := context.Validate(assertion)
	return err
}

// A wrapped document is an attack only when the signature in it is still good for the assertion it was made over and a
// reader that does not look where that is comes to the forged user.
func TestXSWKeepsTheSignatureAndShowsTheForgedUser(t *testing.T) {
	pair := samlCertificate(t)
	signed := signedAssertion(t, pair)
	id := elements(t, signed, "/Assertion")[0].SelectAttrValue("ID", "")
	for variant := 1; variant <= hostile.XSWVariants; variant++ {
		document := hostile.XSW(signed, variant, evil)
		names := elements(t, document, "//Subject/NameID")
		if len(names) != 2 {
			t.Fatalf("%d: %d names, expected those of the original and of the forged assertion", variant, len(names))
		}
		shown := elements(t, document, "/Assertion/Subject/NameID")[0].Text() == evil
		if variant == 9 { // the root is the original, for a reader who takes the first name in the document
			shown = bytes.Index(document, []byte(evil)) < bytes.Index(document, []byte("alice@acme.example"))
		}
		if !shown {
			t.Errorf("%d: a careless reader sees the honest user", variant)
		}
		if err := originalVerifies(t, document, pair, id); err != nil {
			t.Errorf("%d: the signature over the original is spoiled: %v", variant, err)
		}
		if ids := len(elements(t, document, "//*[@ID='"+id+"']")); (ids == 2) != (variant == 10) {
			t.Errorf("%d: %d elements have the original's ID", variant, ids)
		}
	}
}

// originalVerifies puts the original assertion and the signature, wherever they are, together again.
func originalVerifies(t *testing.T, document []byte, pair tls.Certificate, id string) error {
	t.Helper()
	signature := elements(t, document, "//Signature")[0].Copy()
	var original *etree.Element
	for _, candidate := range elements(t, document, "//Assertion") {
		if candidate.SelectAttrValue("ID", "") == id && candidate.FindElement("./Subject/NameID").Text() != evil {
			original = candidate.Copy()
		}
	}
	for _, wrapped := range signature.FindElements(".//Assertion") {
		wrapped.Parent().RemoveChild(wrapped)
	}
	if own := original.FindElement("./Signature"); own != nil {
		original.RemoveChild(own)
	}
	original.InsertChildAt(1, signature)
	return validBy(pair, original)
}

func TestCommentSplitsTheNameUnderAValidSignature(t *testing.T) {
	pair := samlCertificate(t)
	document := hostile.CommentNameID(signedAssertion(t, pair), len("alice@acme"))
	if err := validBy(pair, elements(t, document, "/Assertion")[0]); err != nil {
		t.Errorf("the signature is spoiled: %v", err)
	}
	first, ok := elements(t, document, "//NameID")[0].Child[0].(*etree.CharData)
	if !ok || first.Data != "alice@acme" {
		t.Error("the text up to the comment is not alice@acme")
	}
}

func TestStrippedAndChangedAssertionsDoNotVerify(t *testing.T) {
	pair := samlCertificate(t)
	signed := signedAssertion(t, pair)
	if err := validBy(pair, elements(t, signed, "/Assertion")[0]); err != nil {
		t.Fatalf("the honest one: %v", err)
	}
	stripped := hostile.StripSignature(signed)
	if len(elements(t, stripped, "//Signature")) != 0 || len(elements(t, stripped, "/Assertion/Subject/NameID")) != 1 {
		t.Error("stripping took too little or too much")
	}
	changed := hostile.WithNameID(signed, evil)
	if validBy(pair, elements(t, changed, "/Assertion")[0]) == nil || elements(t, changed, "//NameID")[0].Text() != evil {
		t.Error("the changed assertion verifies, or has not changed")
	}
	other := samlCertificate(t)
	again := signedBy(other, signed)
	root := elements(t, again, "/Assertion")[0]
	if validBy(pair, root) == nil || validBy(other, root) != nil || len(elements(t, again, "//Signature")) != 1 {
		t.Error("signed anew, it is not valid by the other key alone")
	}
}

func TestDocumentTypesDeclareTheEntityThatNamesTheUser(t *testing.T) {
	signed := signedAssertion(t, samlCertificate(t))
	external := hostile.ExternalEntity(signed, "http://canary.example/?a=1&b")
	for name, c := range map[string]struct{ document, declaration string }{
		"external": {string(external), `<!ENTITY x SYSTEM "http://canary.example/?a=1&amp;b">`},
		"bomb":     {string(hostile.EntityBomb(signed)), `<!ENTITY e8 "&e7;&e7;&e7;&e7;&e7;&e7;&e7;&e7;&e7;&e7;">`},
	} {
		if !strings.HasPrefix(c.document, "<!DOCTYPE saml:Assertion [") || !strings.Contains(c.document, c.declaration) {
			t.Errorf("%s: no declaration of the entity", name)
		}
		decoder := xml.NewDecoder(strings.NewReader(c.document))
		decoder.Entity = map[string]string{"x": evil}
		var a struct {
			NameID string `xml:"Subject>NameID"`
		}
		if err := decoder.Decode(&a); err != nil || a.NameID != evil {
			t.Errorf("%s: the name is not what the entity stands for (%v)", name, err)
		}
	}
}

// The digest is the one that the true key would have signed, so that the signature value alone is wrong.
func TestRedigestedAssertionsHaveTheRightDigest(t *testing.T) {
	pair := samlCertificate(t)
	signed := signedAssertion(t, pair)
	digest := func(document []byte) string { return elements(t, document, "//DigestValue")[0].Text() }
	redigested := hostile.Redigested(signed, evil)
	if digest(redigested) != digest(signedBy(pair, hostile.WithNameID(signed, evil))) {
		t.Error("the digest is not that of the assertion")
	}
	if validBy(pair, elements(t, redigested, "/Assertion")[0]) == nil {
		t.Error("it verifies")
	}
}

// Each attack of the table has an id and words of its own, and none is the valid assertion.
func TestAttacksAreSomethingElseThanTheValidAssertion(t *testing.T) {
	signed := signedAssertion(t, samlCertificate(t))
	seen := map[string]bool{}
	for _, attack := range hostile.SAMLAttacks() {
		document := attack.Make(signed, evil)
		if seen[attack.ID] || attack.What == "" {
			t.Errorf("%s: twice, or without words", attack.ID)
		}
		seen[attack.ID] = true
		if bytes.Equal(document, signed) || !bytes.Contains(document, []byte("</saml:Assertion>")) {
			t.Errorf("%s: it is the valid assertion, or none", attack.ID)
		}
	}
	internal := string(hostile.InternalEntity(signed))
	_, rest, _ := strings.Cut(internal, "]>")
	if strings.Replace(rest, "&x;", "alice@acme.example", 1) != string(signed) {
		t.Error("whoever resolves the internal entity does not see the valid assertion")
	}
}
