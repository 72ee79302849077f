package saml

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// shape is the one form of a signature that is accepted: the children of each of its elements, in order. What is not
// here has none. There is no Object, no second Reference, nothing to hide a second assertion in.
var shape = map[string][]string{
	"Signature":  {"SignedInfo", "SignatureValue", "KeyInfo"},
	"SignedInfo": {"CanonicalizationMethod", "SignatureMethod", "Reference"},
	"Reference":  {"Transforms", "DigestMethod", "DigestValue"},
	"Transforms": {"Transform", "Transform"},
	"KeyInfo":    {"X509Data"},
	"X509Data":   {"X509Certificate"},
}

const exclusive = string(dsig.CanonicalXML10ExclusiveAlgorithmId)

// algorithms are those accepted, by element. SHA-1 and the canonicalizations that keep comments are not among them.
var algorithms = map[string][]string{
	"CanonicalizationMethod": {exclusive},
	"SignatureMethod":        {dsig.RSASHA256SignatureMethod},
	"DigestMethod":           {"http://www.w3.org/2001/04/xmlenc#sha256"},
	"Transform":              {dsig.EnvelopedSignatureAltorithmId.String(), exclusive},
}

// verified checks the enveloped signature of root by the provider's certificate and returns what was signed, read anew
// from the signed bytes: nothing else of the document is to be looked at after this.
func (p *Provider) verified(root *etree.Element) (*etree.Element, error) {
	signature, err := onlySignature(root)
	if err != nil {
		return nil, err
	}
	if err := checkShape(signature); err != nil {
		return nil, err
	}
	id := root.SelectAttrValue("ID", "")
	reference := signature.FindElement("./SignedInfo/Reference")
	if id == "" || reference == nil || reference.SelectAttrValue("URI", "") != "#"+id {
		return nil, errors.New("the signature is not over the assertion itself")
	}
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{p.cert}})
	context.Clock = dsig.NewFakeClockAt(p.o.Now())
	signed, err := context.Validate(root)
	if err != nil {
		return nil, fmt.Errorf("the signature is not valid: %w", err)
	}
	return signed, nil
}

// onlySignature finds the one signature of the document, which must be the root's own child.
func onlySignature(root *etree.Element) (*etree.Element, error) {
	var found []*etree.Element
	walk(root, func(el *etree.Element) {
		if el.Tag == "Signature" && el.NamespaceURI() == dsig.Namespace {
			found = append(found, el)
		}
	})
	switch {
	case len(found) == 0:
		return nil, errors.New("the assertion is not signed")
	case len(found) > 1:
		return nil, errors.New("the document has more than one signature")
	case found[0].Parent() != root:
		return nil, errors.New("the signature is not the assertion's own")
	}
	return found[0], nil
}

func checkShape(signature *etree.Element) (err error) {
	walk(signature, func(el *etree.Element) {
		var children []string
		for _, child := range el.ChildElements() {
			children = append(children, child.Tag)
		}
		allowed, limited := algorithms[el.Tag]
		switch {
		case el.NamespaceURI() != dsig.Namespace || !slices.Equal(children, shape[el.Tag]):
			err = fmt.Errorf("the signature's %s has content that does not belong there", el.Tag)
		case limited && !slices.Contains(allowed, el.SelectAttrValue("Algorithm", "")):
			err = fmt.Errorf("the signature's %s is of an algorithm that is not accepted", el.Tag)
		}
	})
	return err
}

func walk(el *etree.Element, visit func(*etree.Element)) {
	visit(el)
	for _, child := range el.ChildElements() {
		walk(child, visit)
	}
}
