package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
)

// TestAMachineThatStopsOrIsBusyChangesNoVerdict is the part of the disturbance matrix that is about our own machine:
// the suite is stopped in mid-run and continued, as a whole or its worker alone, and others want every core.
func TestAMachineThatStopsOrIsBusyChangesNoVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	server := []string{"server", "--check", strings.Join(disturbedChecks.Checks, ","), "--profile", "hardened"}
	client := []string{"client", "--check", strings.Join(disturbedClientChecks, ",")}
	for name, run := range map[string][]string{
		"server":           server,
		"server with flaw": slices.Concat(server, []string{"--defect", "aud/begins"}),
		"client":           client,
		"client with flaw": slices.Concat(client, []string{"--defect", "takes-any-issuer"}),
	} {
		calm := sync.OnceValue(func() *reports.Report { return ownProcess(t, run, nil) })
		for how, disturb := range map[string]func(*testing.T, int){
			"all is stopped":        func(t *testing.T, pid int) { standStill(t, append(below(pid), pid)...) },
			"the worker is stopped": func(t *testing.T, pid int) { standStill(t, below(pid)...) },
			"others want the cores": hog,
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				r, calm := ownProcess(t, run, disturb), calm()
				g.Expect(r.Ended).To(BeEmpty(), r.Problem)
				g.Expect(of(r, reports.Fail)).To(Equal(of(calm, reports.Fail)), "the failing checks")
				g.Expect(r.Verdict).To(Equal(calm.Verdict))
				g.Expect(len(of(r, reports.Inconclusive))).To(BeNumerically("<=", len(r.Checks)/100), "%v",
					of(r, reports.Inconclusive))
			})
		}
	}
}

// ownProcess runs the command as a process of its own, disturbs it when the first checks have ended, and returns its
// report.
func ownProcess(t *testing.T, args []string, disturb func(*testing.T, int)) *reports.Report {
	t.Helper()
	out := t.TempDir()
	cmd := process(t, slices.Concat(args, []string{"--format", "json", "--out", out})...)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	for begun := regexp.MustCompile(`^ *\d+ of \d+ checks`); lines.Scan(); {
		if begun.MatchString(lines.Text()) && disturb != nil {
			disturb(t, cmd.Process.Pid)
			disturb = nil
		}
	}
	_, _ = io.Copy(io.Discard, progress)
	_ = cmd.Wait() // the exit code is the verdict
	if disturb != nil {
		t.Fatal("the run was not disturbed: it told of no check that had ended")
	}
	return result{dir: out}.report(t)
}

// standStill stops processes for longer than a busy machine would.
func standStill(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	time.Sleep(4 * time.Second)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// below are the processes that a process started, and those that they did.
func below(pid int) (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), ") ") // the name before may hold anything
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			all = append(append(all, child), below(child)...)
		}
	}
	return all
}

// hog keeps every core busy until the end of the test.
func hog(t *testing.T, _ int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for range 2 * runtime.NumCPU() {
		busy := exec.CommandContext(ctx, "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cancel(); _ = busy.Wait() })
	}
}
