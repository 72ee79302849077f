package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// Whichever process of a run is killed, what a client left behind ends with it, and no file stays: a daemon of it has a
// session of its own, no parent, and none of the environment that it was started with.
func TestNothingOutlivesAKilledRun(t *testing.T) {
	for _, victim := range []string{"the command", "the run below it"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			files, out := t.TempDir(), t.TempDir()
			seconds := fmt.Sprint(100000 + time.Now().UnixNano()%1e6) // by which the daemon is known
			cmd := process(t, "client", "-q", "--out", out, "--", "sh", "-c", "setsid env -i sleep "+seconds+" & sleep 600")
			cmd.Env = append(cmd.Env, "TMPDIR="+files)
			g.Expect(cmd.Start()).To(Succeed())
			defer func() { _ = cmd.Wait() }()
			defer func() { _ = cmd.Process.Kill() }()
			g.Eventually(running).WithArguments("sleep\x00"+seconds).WithTimeout(time.Minute).Should(HaveLen(1),
				"the daemon runs")
			scratch, err := os.ReadDir(files)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(scratch).NotTo(BeEmpty(), "there is something to clean up")

			doomed := cmd.Process.Pid
			if victim != "the command" {
				threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", doomed)) // the pattern is well-formed
				for _, file := range threads {
					children, _ := os.ReadFile(file)
					_, _ = fmt.Sscan(string(children), &doomed) // most threads have none
				}
				g.Expect(doomed).NotTo(Equal(cmd.Process.Pid))
			}
			g.Expect(syscall.Kill(doomed, syscall.SIGKILL)).To(Succeed())
			g.Eventually(running).WithArguments("sleep\x00" + seconds).WithTimeout(time.Minute).Should(BeEmpty())
			g.Eventually(os.ReadDir).WithArguments(files).WithTimeout(time.Minute).Should(BeEmpty())
			g.Expect(controlGroups(scratch[0].Name())).To(BeEmpty())
		})
	}
}

// controlGroups are those of a run, wherever they are.
func controlGroups(run string) (list []string) {
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, _ error) error {
		if strings.HasPrefix(filepath.Base(path), "emaconform."+run) {
			list = append(list, path)
		}
		return nil // groups come and go
	})
	return list
}

// running are the processes whose command line holds this.
func running(command string) []string {
	var list []string
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	for _, file := range all {
		if text, err := os.ReadFile(file); err == nil && bytes.HasPrefix(text, []byte(command)) {
			list = append(list, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return list
}
