package reports

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskThatRunsFull writes to a real file system that is too small for the larger reports.
func TestDiskThatRunsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"); err != nil {
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
	if err == nil || err.Error() != "cannot write "+before+": no space left on device\n"+
		"cannot write "+filepath.Join(dir, "report.html")+": no space left on device" {
		t.Errorf("error is %v", err)
	}
	if len(written) != 3 {
		t.Errorf("written are %v", written)
	}
	if text, _ := os.ReadFile(before); string(text) != "before" {
		t.Error("the report of the last run is gone")
	}
	if names := strings.Join(listed(t, dir), " "); names != "badge.svg junit.xml report.json summary.md" {
		t.Errorf("the folder holds %s", names)
	}
}
