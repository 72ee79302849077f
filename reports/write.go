package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/reports/files"
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
// the others still are; the error names each file that is missing. Two runs that write to one folder at the same time
// do not mix: all files are those of one of them.
func WriteAll(dir string, r *Report, names []string) ([]string, error) {
	return writeAll(dir, r, names, nil)
}

// ReplaceAll is WriteAll, and removes what an earlier run wrote to dir in formats that are not among names, and the
// statements made from it: they would be taken for this report's.
func ReplaceAll(dir string, r *Report, names []string) ([]string, error) {
	return writeAll(dir, r, names, others(names))
}

// Remove removes what an earlier run wrote to dir: a report of yesterday must not pass for today's.
func Remove(dir string) error { return errors.Join(remove(dir, others(nil))...) }

// others are the files of a run in formats that are not among names, and the statements made from a report.
func others(names []string) []string {
	list := []string{"statement.json", "test-result.json"}
	for _, f := range formats {
		if !slices.Contains(names, f.name) {
			list = append(list, f.file)
		}
	}
	return list
}

func remove(dir string, names []string) (problems []error) {
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			problems = append(problems, fmt.Errorf("cannot remove %s of an earlier run: %w", filepath.Join(dir, name),
				files.Reason(err)))
		}
	}
	return problems
}

func writeAll(dir string, r *Report, names, others []string) ([]string, error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder for reports %s: %w", dir, files.Reason(err))
	}
	problems, complete := make([]error, len(chosen)), make([]string, len(chosen))
	var writing sync.WaitGroup
	for i, f := range chosen {
		writing.Go(func() {
			complete[i], problems[i] = files.Beside(filepath.Join(dir, f.file), func(w io.Writer) error { return f.write(w, r) })
		})
	}
	writing.Wait()
	unlock, err := files.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the folder for reports %s: %w", dir, files.Reason(err))
	}
	defer unlock()
	var written []string
	for i, f := range chosen {
		path := filepath.Join(dir, f.file)
		if problems[i] == nil {
			problems[i] = files.Put(complete[i], path)
		}
		if problems[i] != nil {
			problems[i] = fmt.Errorf("cannot write %s: %w", path, files.Reason(problems[i]))
			continue
		}
		written = append(written, path)
	}
	problems = append(problems, remove(dir, others)...)
	return written, errors.Join(problems...)
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
