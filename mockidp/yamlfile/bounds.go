package yamlfile

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	maxDepth  = 100       // of values in values; each level costs the parser stack
	maxIndent = 4 << 10   // bytes of white space and signs at the begin of a line
	maxNodes  = 2_000_000 // that aliases may expand a document to
)

// tooDeep is the line at which a document is nested too deeply, 0 when it never is. It counts brackets, in texts as
// well, and the signs at the begin of a line that open a value each.
func tooDeep(raw []byte) int {
	depth, number := 0, 0
	for line := range bytes.Lines(raw) {
		number++
		for _, b := range line {
			switch b {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > maxDepth {
				return number
			}
		}
		if levels, indent := opened(line); levels > maxDepth || indent > maxIndent {
			return number
		}
	}
	return 0
}

// opened counts the values that the begin of a line opens: by "- ", "? ", ": ", !tag and &anchor.
func opened(line []byte) (levels, indent int) {
	for at := 0; at < len(line); {
		switch line[at] {
		case ' ', '\t':
			at++
			indent++
		case '-', '?', ':':
			at++
			levels++
		case '!', '&':
			word := bytes.IndexAny(line[at:], " \t\n")
			if word < 0 {
				return levels, indent
			}
			at += word
			levels++
		default:
			return levels, indent
		}
	}
	return levels, indent
}

// mayAlias reports whether there can be an alias in the document.
func mayAlias(raw []byte) bool {
	return bytes.IndexByte(raw, '*') >= 0 && bytes.IndexByte(raw, '&') >= 0
}

// checkAliases refuses documents that aliases of aliases make far larger than they are.
func checkAliases(raw []byte) error {
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil //nolint:nilerr // the decoder says it, with its place
	}
	m := measure{anchors: map[string]int{}}
	for _, document := range file.Docs {
		if m.size(document.Body) > maxNodes {
			return Problem(fmt.Sprintf("its aliases make it larger than %d values", maxNodes))
		}
	}
	return nil
}

// measure counts the values of a document as they are when aliases are replaced.
type measure struct{ anchors map[string]int }

func (m measure) size(node ast.Node) int {
	switch n := node.(type) {
	case *ast.AnchorNode:
		size := m.size(n.Value)
		if n.Name != nil {
			m.anchors[n.Name.String()] = size
		}
		return size
	case *ast.AliasNode:
		if n.Value == nil {
			return 1
		}
		return m.anchors[n.Value.String()] + 1
	case *ast.TagNode:
		return m.size(n.Value)
	case *ast.MappingValueNode:
		return m.sum(n.Key, n.Value)
	case *ast.MappingNode:
		size := 1
		for _, v := range n.Values {
			size = min(size+m.size(v), maxNodes+1)
		}
		return size
	case *ast.SequenceNode:
		return m.sum(n.Values...)
	}
	return 1
}

func (m measure) sum(nodes ...ast.Node) int {
	size := 1
	for _, n := range nodes {
		size = min(size+m.size(n), maxNodes+1)
	}
	return size
}
