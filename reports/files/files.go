// Package files writes files whole or not at all, also where two programs write to one folder.
package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes a file whole or not at all: what stood there before stays until the new one is complete.
func Write(path string, content []byte) error {
	complete, err := Beside(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err == nil {
		err = Put(complete, path)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, Reason(err))
	}
	return nil
}

// Put moves a complete file to its place.
func Put(complete, path string) error {
	err := os.Rename(complete, path)
	if err != nil {
		_ = os.Remove(complete)
	}
	return err
}

// Beside writes a file beside its place, until it is complete and on disk, and says where.
func Beside(path string, write func(io.Writer) error) (complete string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 64<<10)
	steps := []func() error{
		func() error { return write(buffered) },
		buffered.Flush,
		f.Sync,
		func() error { return f.Chmod(0o644) },
		f.Close,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", err
		}
	}
	return f.Name(), nil
}

// Reason leaves out the name of the temporary file, which would only confuse.
func Reason(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	default:
		return err
	}
}
