// Package yamlfile reads configuration files, YAML or JSON. It is the one place where such files are decoded: what
// comes from a file can be wrong, but never ends the program, however it is made.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 16 << 20

// Problem is what is wrong with a file as a whole.
type Problem string

func (p Problem) Error() string { return string(p) }

// ErrEmpty says that there is no document in a file.
var ErrEmpty error = Problem("the file is empty")

// Decode reads the one document of a file into a value. Members that the value does not have are mistakes. The error is
// ErrEmpty, another Problem, or the decoder's, which mostly is a yaml.Error that knows its place. A byte order mark is
// skipped.
func Decode(raw []byte, into any) error {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if err := check(raw); err != nil {
		return err
	}
	if !bytes.HasSuffix(raw, []byte("\n")) {
		raw = append(bytes.Clone(raw), '\n') // without it the decoder takes a lone tag at the end for nothing
	}
	return guarded(func() error {
		decoder := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict())
		if err := decoder.Decode(into); errors.Is(err, io.EOF) {
			return ErrEmpty
		} else if err != nil {
			return err
		}
		if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
			return Problem("there is a second document in the file, expected one")
		}
		return nil
	})
}

// Guard does what reads raw by another way than Decode, with the same bounds, and without a panic.
func Guard(raw []byte, read func() error) error {
	if err := check(raw); err != nil {
		return err
	}
	return guarded(read)
}

// guarded turns a panic of the decoder into an error. It panics over tags without a value, for one.
func guarded(decode func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Problem("this is no YAML that can be read: look for a stray !tag, &anchor or *alias " +
				"(quote values that begin with one of these signs)")
		}
	}()
	return decode()
}

// check refuses what would cost the decoder more memory or stack than a file deserves.
func check(raw []byte) error {
	switch {
	case len(raw) > MaxSize:
		return Problem(fmt.Sprintf("larger than %d bytes", MaxSize))
	case !utf8.Valid(raw):
		return Problem("this is no text in UTF-8")
	}
	if line := tooDeep(raw); line > 0 {
		return Problem(fmt.Sprintf("line %d: nested deeper than %d levels", line, maxDepth))
	}
	if !mayAlias(raw) {
		return nil
	}
	return guarded(func() error { return checkAliases(raw) })
}
