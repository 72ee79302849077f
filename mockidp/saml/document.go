package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"
)

// Bounds of a document.
const (
	maxDocument = 64 << 10 // bytes
	maxDepth    = 32
	maxElements = 1000
)

// read parses a document that scan lets through.
func read(raw []byte) (*etree.Element, error) {
	if err := scan(raw); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, fmt.Errorf("not well-formed XML: %w", err)
	}
	return doc.Root(), nil
}

// scan refuses what no SAML message needs and attacks are made of: a DTD, processing instructions, comments, which
// split a text in two for some readers, an ID given twice, a second root, names that readers split differently. What is
// let through, every reader sees alike.
func scan(raw []byte) error {
	if len(raw) > maxDocument {
		return fmt.Errorf("the document is larger than %d bytes", maxDocument)
	}
	s := scanner{ids: map[string]bool{}}
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("not well-formed XML: %w", err)
		}
		if err := s.see(token); err != nil {
			return err
		}
	}
	if s.elements == 0 {
		return errors.New("not an XML document")
	}
	return nil
}

type scanner struct {
	depth, elements, tokens int
	ids                     map[string]bool
}

func (s *scanner) see(token xml.Token) error {
	s.tokens++
	switch t := token.(type) {
	case xml.Directive:
		return errors.New("the document has a DTD")
	case xml.Comment:
		return errors.New("the document has a comment")
	case xml.ProcInst:
		if s.tokens > 1 || t.Target != "xml" {
			return errors.New("the document has a processing instruction")
		}
	case xml.CharData:
		if s.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return errors.New("the document has text outside its root element")
		}
	case xml.EndElement:
		s.depth--
	case xml.StartElement:
		if s.depth == 0 && s.elements > 0 {
			return errors.New("the document has more than one root element")
		}
		if badName(t.Name) {
			return errors.New("an element has a malformed name")
		}
		s.depth++
		s.elements++
		if s.depth > maxDepth || s.elements > maxElements {
			return errors.New("the document has too many elements, or they are nested too deep")
		}
		return s.attributes(t.Attr)
	}
	return nil
}

// badName: encoding/xml leaves a colon in a name when it begins or ends with one.
func badName(name xml.Name) bool { return strings.Contains(name.Local, ":") }

func (s *scanner) attributes(attributes []xml.Attr) error {
	seen := map[xml.Name]bool{}
	for _, a := range attributes {
		if seen[a.Name] {
			return errors.New("an element has an attribute twice")
		}
		if badName(a.Name) {
			return errors.New("an attribute has a malformed name")
		}
		seen[a.Name] = true
		switch a.Name.Local {
		case "ID", "Id", "id":
			if s.ids[a.Value] {
				return errors.New("two elements have the same ID")
			}
			s.ids[a.Value] = true
		}
	}
	return nil
}
