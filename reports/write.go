package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// format is a way to write a report to a file.
type format struct {
	name, file string
	write      func(io.Writer, *Report) error
}

var formats = []format{
	{"json", "report.json", WriteJSON},
	{"junit", "junit.xml", WriteJUnit},
	{"markdown", "summary.md", WriteMarkdown},
	{"html", "report.html", WriteHTML},
	{"badge", "badge.svg", WriteBadge},
}

// Formats lists the names that WriteAll takes.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// WriteAll writes the report to dir, which it makes when needed, in these formats: json (report.json), junit
// (junit.xml), markdown (summary.md), html (report.html), badge (badge.svg). It returns the paths written. A file
// appears whole or not at all: what stood there before stays until the new one is complete. When one cannot be written
// the others still are; the error names each file that is missing.
func WriteAll(dir string, r *Report, names []string) ([]string, error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder for reports %s: %w", dir, reason(err))
	}
	problems := make([]error, len(chosen))
	var writing sync.WaitGroup
	for i, f := range chosen {
		writing.Go(func() {
			path := filepath.Join(dir, f.file)
			if err := writeFile(path, func(w io.Writer) error { return f.write(w, r) }); err != nil {
				problems[i] = fmt.Errorf("cannot write %s: %w", path, reason(err))
			}
		})
	}
	writing.Wait()
	var written []string
	for i, f := range chosen {
		if problems[i] == nil {
			written = append(written, filepath.Join(dir, f.file))
		}
	}
	return written, errors.Join(problems...)
}

// RemoveOthers removes what an earlier run wrote to dir in formats that are not among names, and the statements made
// from it.
func RemoveOthers(dir string, names []string) error {
	others := []string{"statement.json", "test-result.json"}
	for _, f := range formats {
		if !slices.Contains(names, f.name) {
			others = append(others, f.file)
		}
	}
	for _, name := range others {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cannot remove %s of an earlier run: %w", filepath.Join(dir, name), reason(err))
		}
	}
	return nil
}

func choose(names []string) ([]format, error) {
	var chosen []format
	for _, name := range names {
		i := 0
		for i < len(formats) && formats[i].name != name {
			i++
		}
		if i == len(formats) {
			return nil, fmt.Errorf("unknown report format %q: choose from %s", name, strings.Join(Formats(), ", "))
		}
		chosen = append(chosen, formats[i])
	}
	return chosen, nil
}

// WriteFile writes a file whole or not at all: what stood there before stays until the new one is complete.
func WriteFile(path string, content []byte) error {
	err := writeFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, reason(err))
	}
	return nil
}

// writeFile writes a file beside its place and renames it once it is complete and on disk.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
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
		func() error { return os.Rename(f.Name(), path) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// reason leaves out the name of the temporary file, which would only confuse.
func reason(err error) error {
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
