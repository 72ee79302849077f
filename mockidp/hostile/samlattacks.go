package hostile

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
)

// SAMLAttack is something that is done to one valid assertion without its key. Whoever reads assertions refuses it.
type SAMLAttack struct {
	ID   string
	What string // continues "refuses …"
	// Make changes a valid assertion; name is whom a forged one names.
	Make func(signed []byte, name string) []byte
	// Whole: who reads the whole name of the valid assertion, and no other, may take it as well.
	Whole bool
	// Lax: it is bad practice to take it, and no sentence forbids it.
	Lax bool
	// Heavy: it could hurt whoever reads it.
	Heavy bool
}

// wrappings says where each variant of XSW puts the signed assertion.
var wrappings = [XSWVariants]string{
	"within the forged one's signature", "at the end, with its signature behind it", "as first child", "as last child",
	"at the end, its signature in the forged one's place", "within KeyInfo", "within Advice",
	"within the signature's Object",
	"outside, the forged one within its signature's Object", "as last child with the same ID",
}

// SAMLAttacks is the table of them, by which package saml is tested, and with which identity providers are judged.
func SAMLAttacks() []SAMLAttack {
	list := []SAMLAttack{
		{ID: "unsigned", What: "an assertion without its signature",
			Make: func(d []byte, _ string) []byte { return StripSignature(d) }},
		{ID: "changed", What: "an assertion with another name under the signature", Make: WithNameID},
		{ID: "redigested", What: "an assertion with another name and a digest that fits it", Make: Redigested},
		{ID: "strangers-key", What: "an assertion signed by a stranger, whose certificate it brings along",
			Make: func(d []byte, name string) []byte {
				key, certificate := samlStranger()
				return SignSAML(WithNameID(d, name), key, certificate, dsig.RSASHA256SignatureMethod)
			}},
		{ID: "comment", What: "an assertion with a comment in its NameID", Whole: true,
			Make: func(d []byte, _ string) []byte { return CommentNameID(d, min(3, len(NameID(d)))) }},
		{ID: "doctype", What: "an assertion with a document type and an external entity",
			Make: func(d []byte, _ string) []byte { return ExternalEntity(d, "file:///etc/hostname") }},
		{ID: "doctype-internal", What: "an assertion with a document type, whose entity stands for the right name",
			Make: func(d []byte, _ string) []byte { return InternalEntity(d) }, Lax: true},
		{ID: "entities", What: "an assertion whose entities unfold to a gigabyte", Heavy: true,
			Make: func(d []byte, _ string) []byte { return EntityBomb(d) }},
	}
	for n := 1; n <= XSWVariants; n++ {
		list = append(list, SAMLAttack{ID: fmt.Sprintf("wrapped-%d", n),
			What: fmt.Sprintf("an assertion that is wrapped around the signed one (%s)", wrappings[n-1]),
			Make: func(d []byte, name string) []byte { return XSW(d, n, name) }})
	}
	return list
}

// SAMLMisuse is an assertion that its identity provider signed, for another use than the one that it is presented for.
type SAMLMisuse struct {
	ID   string
	What string // continues "refuses …"
	// Set are the members that make it so, in the words of saml.Change.
	Set func(now time.Time) map[string]any
}

// SAMLMisuses is the table of them. They cannot be made without the identity provider: it has to be asked for them.
func SAMLMisuses() []SAMLMisuse {
	const other = "https://other.example/saml"
	fixed := func(member string) func(time.Time) map[string]any {
		return func(time.Time) map[string]any { return map[string]any{member: other} }
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return []SAMLMisuse{
		{"other-audience", "an assertion for another application", fixed("audience")},
		{"other-recipient", "an assertion for another recipient", fixed("recipient")},
		{"expired", "an assertion that has expired", func(now time.Time) map[string]any {
			return map[string]any{"issue_instant": at(now.Add(-time.Hour)), "not_before": at(now.Add(-time.Hour)),
				"not_on_or_after": at(now.Add(-55 * time.Minute))}
		}},
		{"early", "an assertion that is not valid yet", func(now time.Time) map[string]any {
			return map[string]any{"not_before": at(now.Add(time.Hour)), "not_on_or_after": at(now.Add(65 * time.Minute))}
		}},
	}
}

// samlStranger is a key that nobody trusts, and its certificate.
var samlStranger = sync.OnceValues(func() (*rsa.PrivateKey, []byte) {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour)}
	return key, must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
})

// digests are the hashes of references, by the end of their URIs (XML Signature section 6.2, RFC 9231 section 2.1).
var digests = map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384,
	"sha512": crypto.SHA512}

// Redigested returns the assertion with another user and a digest that fits under the signature value that it has: good
// for who compares digests and does not verify the signature over them.
func Redigested(signed []byte, nameID string) []byte {
	root := parse(WithNameID(signed, nameID))
	bare := root.Copy()
	bare.RemoveChild(child(bare, "Signature"))
	reference := child(child(child(root, "Signature"), "SignedInfo"), "Reference")
	prefixes := ""
	if inclusive := reference.FindElement(".//InclusiveNamespaces"); inclusive != nil {
		prefixes = inclusive.SelectAttrValue("PrefixList", "")
	}
	canonical := must(dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(bare))
	method := child(reference, "DigestMethod").SelectAttrValue("Algorithm", "")
	hash, known := digests[method[strings.LastIndexAny(method, "#/")+1:]]
	if !known {
		hash = crypto.SHA256
	}
	sum := hash.New()
	sum.Write(canonical)
	child(reference, "DigestValue").SetText(base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	return write(root)
}

// InternalEntity returns the assertion with a document type that declares an entity, which stands for the name that the
// assertion has: the signature is good for whoever resolves it, and so is nobody but whoever reads document types.
func InternalEntity(signed []byte) []byte {
	return withDTD(signed, `<!ENTITY x "`+escape(NameID(signed))+`">`)
}
