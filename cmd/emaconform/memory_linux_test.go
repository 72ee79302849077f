package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/hostile"
	"github.com/emaconform/emaconform/reports"
)

// What the README promises of a run.
const (
	mostOfARun    = 300 << 20
	mostOfAReport = 10_000_000
)

// Whatever a target sends, all processes of a run together stay within what is promised of them, and so does the
// report: many checks run, against a target that lets everybody in and writes as much as it can wherever it can.
func TestARunStaysWithinItsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves gigabytes")
	}
	for _, does := range hostile.Padding() {
		t.Run(does.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			attacker := hostile.Serve(does)
			defer attacker.Close()
			out := t.TempDir()
			cmd := process(t, "server", "-q", "--out", out, "--url", attacker.URL, "--client-id", "connector", "--user",
				"00u1alice", "--scope", "notes.read", "--request-timeout", "20s",
				"--label", "identifier:aud")
			cmd.Env = append(cmd.Env, "EMACONFORM_CLIENT_SECRET=k3vQ9xLw7TbR2nZsY8mHc4pJ")
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			g.Expect(cmd.Start()).To(Succeed())
			ended := make(chan struct{})
			go func() { _ = cmd.Wait(); close(ended) }() // the exit code is the verdict
			peak := peakOf(cmd.Process.Pid, ended)
			t.Logf("%d MiB", peak>>20)
			report := result{dir: out, stdout: said.String()}.report(t)
			g.Expect(report.Ended).To(BeEmpty(), report.Problem)
			g.Expect(report.Verdict).To(Equal(reports.NotConformant))
			g.Expect(len(report.Checks)).To(BeNumerically(">", 50))
			g.Expect(peak).To(BeNumerically("<=", mostOfARun), "%d MiB", peak>>20)
			files, err := filepath.Glob(filepath.Join(out, "*"))
			g.Expect(err).NotTo(HaveOccurred())
			for _, file := range files {
				info, err := os.Stat(file)
				g.Expect(err).NotTo(HaveOccurred())
				t.Logf("%s has %d bytes", file, info.Size())
				g.Expect(info.Size()).To(BeNumerically("<", mostOfAReport), file)
			}
		})
	}
}

// peakOf is the most memory that a process and all that it starts take up at one time until it has ended, in bytes:
// what each has for itself, and its share of what it has together with others.
func peakOf(pid int, ended <-chan struct{}) (peak int) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return peak
		case <-look.C:
		}
		all := 0
		for _, pid := range append(below(pid), pid) {
			all += shareOf(pid)
		}
		peak = max(peak, all)
	}
}

// shareOf is a process's proportional set size (proc(5), smaps_rollup), in bytes; 0 when it is gone.
func shareOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	fields := strings.Fields(string(text))
	if i := slices.Index(fields, "Pss:"); i >= 0 {
		kB, _ := strconv.Atoi(fields[i+1])
		return kB << 10
	}
	return 0
}
