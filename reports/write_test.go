package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/emaconform/emaconform/reports/files"
)

func TestWriteAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for", "it")
	written, err := WriteAll(dir, sample(), Formats())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"report.json", "junit.xml", "summary.md", "report.html", "badge.svg"}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if !slices.Equal(written, want) {
		t.Errorf("written are %v", written)
	}
	if names := listed(t, dir); len(names) != 5 {
		t.Errorf("the folder holds %v", names)
	}
	for _, path := range written {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 || info.Size() == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestStoredReportRendersTheSame: every format follows from the JSON alone.
func TestStoredReportRendersTheSame(t *testing.T) {
	for name, r := range map[string]*Report{
		"sample": sample(), "poisoned": poisoned(), "stopped": stopped(), "with a baseline": withBaseline(),
	} {
		stored, err := Read(bytes.NewReader(jsonOf(t, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		writers := map[string]func(io.Writer, *Report) error{
			"text": func(w io.Writer, r *Report) error { return WriteText(w, r, true, 100) },
		}
		for _, f := range formats[1:] {
			writers[f.name] = f.write
		}
		for format, write := range writers {
			var now, later bytes.Buffer
			if err := errors.Join(write(&now, r), write(&later, stored)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(now.Bytes(), later.Bytes()) {
				t.Errorf("%s: %s differs when the stored report is rendered", name, format)
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	dir := t.TempDir()
	written, err := WriteAll(dir, sample(), []string{"json", "pdf"})
	if err == nil || !strings.Contains(err.Error(), `"pdf": choose from json, junit, markdown, html`) || len(written) > 0 {
		t.Errorf("%v, %v", written, err)
	}
	if names := listed(t, dir); len(names) > 0 {
		t.Errorf("the folder holds %v", names)
	}
}

// TestFullDisk: each writer passes the error on, and what stood in the file before is still there, whole.
func TestFullDisk(t *testing.T) {
	for _, f := range formats {
		if err := f.write(full{}, sample()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s to a full disk: %v", f.name, err)
		}
		if device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
			if err := f.write(device, sample()); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s to /dev/full: %v", f.name, err)
			}
			device.Close()
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := files.Beside(path, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("half of it", 100_000))
		return errors.Join(err, &os.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC})
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error is %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "before" || len(listed(t, dir)) != 1 {
		t.Errorf("the folder holds %v, the file %d bytes", listed(t, dir), len(text))
	}
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := WriteAll(filepath.Join(file, "reports"), sample(), []string{"json"})
	if want := "cannot make the folder for reports " + filepath.Join(file, "reports") + ": not a directory"; err == nil ||
		err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	taken := filepath.Join(base, "summary.md")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	written, err := WriteAll(base, sample(), []string{"json", "markdown", "junit"})
	if want := fmt.Sprintf("cannot write %s: ", taken); err == nil || !strings.HasPrefix(err.Error(), want) ||
		strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want one that names %s", err, taken)
	}
	if len(written) != 2 || len(listed(t, base)) != 4 {
		t.Errorf("written are %v, the folder holds %v", written, listed(t, base))
	}
}

// TestTwoRunsInOneFolderDoNotMix wants all files to be those of one run, whoever was first.
func TestTwoRunsInOneFolderDoNotMix(t *testing.T) {
	dir := t.TempDir()
	names := []string{"json", "junit", "markdown", "html"}
	var running sync.WaitGroup
	for n := range 8 {
		running.Go(func() {
			r := sample()
			r.Target.Name = fmt.Sprintf("target-%d", n)
			if _, err := ReplaceAll(dir, r, names); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	seen := map[string]bool{}
	for _, file := range listed(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`target-[0-9]`).FindAllString(string(text), -1) {
			seen[name] = true
		}
	}
	if len(seen) != 1 || len(listed(t, dir)) != len(names) {
		t.Errorf("the folder holds %v, of the runs %v", listed(t, dir), seen)
	}
}
