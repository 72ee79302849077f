package directory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
)

// Load reads and compiles a YAML (or JSON) file. The error names the file, and for each mistake the line.
func Load(path string) (*Directory, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, yamlfile.MaxSize+1))
	if err != nil {
		return nil, err
	}
	d, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// Parse compiles a directory from YAML. Keys that it does not know are mistakes.
func Parse(raw []byte) (*Directory, error) {
	var d Directory
	if err := yamlfile.Decode(raw, &d); errors.Is(err, yamlfile.ErrEmpty) {
		return nil, errors.New("the file is empty: declare at least users, clients, connectors and connections")
	} else if err != nil {
		return nil, located(err)
	}
	if err := d.Compile(); err != nil {
		return nil, withLines(raw, err)
	}
	return &d, nil
}

// located is a decoder's error as one line: where, and what.
func located(err error) error {
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		return fmt.Errorf("line %d: %s", syntax.GetToken().Position.Line, syntax.GetMessage())
	}
	return err
}

// withLines puts line numbers before the problems of a compilation.
func withLines(raw []byte, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	file, parseErr := parser.ParseBytes(raw, 0)
	if parseErr != nil {
		return err
	}
	var lines []error
	for _, e := range joined.Unwrap() {
		if problem := (*Problem)(nil); errors.As(e, &problem) {
			if line := lineOf(file, problem.Path); line > 0 {
				e = fmt.Errorf("line %d: %w", line, e)
			}
		}
		lines = append(lines, e)
	}
	return errors.Join(lines...)
}

// lineOf is where the path is in the file, or where the nearest part of it is that the file has; 0 when none is.
func lineOf(file *ast.File, path string) int {
	for path != "$" && path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil && node.GetToken() != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// YAML is the directory as a file that Load takes.
func (d *Directory) YAML() ([]byte, error) { return yaml.Marshal(d) }
