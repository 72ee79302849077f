package reports

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestDiskThatRunsFull writes to a real file system that is too small for the larger reports.
func TestDiskThatRunsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=96k"); err != nil {
		t.Skipf("needs the right to mount a file system: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	before := filepath.Join(dir, "report.json")
	if err := os.WriteFile(before, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	written, err := WriteAll(dir, sample(), Formats())
	if err == nil {
		t.Fatal("nothing was said")
	}
	for _, large := range []string{"report.json", "report.html"} {
		if !strings.Contains(err.Error(), "cannot write "+filepath.Join(dir, large)+": no space left on device") {
			t.Errorf("%s is not named in %v", large, err)
		}
	}
	// Reports are written side by side: a small one may meet the full disk, too, while a large one is being written.
	want := []string{"report.json"}
	for _, path := range written {
		want = append(want, filepath.Base(path))
	}
	if missing := strings.Count(err.Error(), "cannot write"); missing+len(written) != len(Formats()) {
		t.Errorf("%d reports of %d are written, %d are named: %v", len(written), len(Formats()), missing, err)
	}
	if text, _ := os.ReadFile(before); string(text) != "before" {
		t.Error("the report of the last run is gone")
	}
	slices.Sort(want)
	if names := listed(t, dir); !slices.Equal(names, want) {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}
