package program

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroup is a control group of its own for one run of a client (cgroups(7), version 2): whatever the client starts is
// in it and cannot leave it, however often it forks, and ends at one word to the kernel. nil where there are none that
// we may make; then processes are ended one by one.
type cgroup struct {
	dir  string
	file *os.File
}

// mostTasks is how many processes and threads a client may have at a time where the kernel counts them, beyond any
// honest one.
const mostTasks = 4096

// newCgroup makes a control group below our own. What a killed run leaves is known by its name, by which endGroups
// finds it.
func newCgroup() *cgroup {
	parent := ownCgroup()
	if parent == "" {
		return nil
	}
	g := &cgroup{dir: filepath.Join(parent, groupName(os.TempDir())+rand.Text())}
	if os.Mkdir(g.dir, 0o700) != nil {
		return nil // most of the time: it is not ours to divide
	}
	if _, err := os.Stat(filepath.Join(g.dir, "cgroup.kill")); err != nil { // before Linux 5.14
		g.close()
		return nil
	}
	file, err := os.Open(g.dir)
	if err != nil {
		g.close()
		return nil
	}
	g.file = file
	_ = g.write("pids.max", strconv.Itoa(mostTasks)) // it is not there when our own group leaves that to others
	return g
}

// groupName is how the names of the groups begin that belong to a run with this directory for temporary files.
func groupName(temporary string) string { return "emaconform." + filepath.Base(temporary) + "." }

// ownCgroup is the directory of the control group that this process is in, "" where there is none. It is a variable so
// that a test can do without.
var ownCgroup = func() string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	return findCgroup(mounts, groups)
}

// findCgroup finds the directory of a process's group in its /proc/PID/mountinfo and /proc/PID/cgroup.
func findCgroup(mounts, groups []byte) string {
	own := ""
	for line := range strings.Lines(string(groups)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			own = strings.TrimSuffix(path, "\n")
		}
	}
	for scan := bufio.NewScanner(bytes.NewReader(mounts)); own != "" && scan.Scan(); {
		// 36 35 98:0 ROOT MOUNTPOINT rw,noatime master:1 - TYPE SOURCE OPTIONS
		before, after, _ := strings.Cut(scan.Text(), " - ")
		fields := strings.Fields(before)
		if !strings.HasPrefix(after, "cgroup2 ") || len(fields) < 5 {
			continue
		}
		below, err := filepath.Rel(fields[3], own)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return filepath.Join(fields[4], below)
		}
	}
	return ""
}

// hold makes a command start in the group.
func (g *cgroup) hold(cmd *exec.Cmd) {
	if g != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(g.file.Fd())
	}
}

// members are the ids of the processes in the group.
func (g *cgroup) members() []int {
	if g == nil {
		return nil
	}
	text, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs")) // none: it is gone
	var list []int
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
			list = append(list, pid)
		}
	}
	return list
}

// end ends all that is in the group, at once: none is left to fork while others are ended.
func (g *cgroup) end() {
	if g == nil || g.write("cgroup.kill", "1") != nil {
		return
	}
	// they are on their way out
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
		events, err := os.ReadFile(filepath.Join(g.dir, "cgroup.events"))
		if err != nil || bytes.Contains(events, []byte("populated 0")) {
			return
		}
	}
}

// close removes the group, which has ended.
func (g *cgroup) close() {
	if g == nil {
		return
	}
	if g.file != nil {
		_ = g.file.Close()
	}
	_ = os.Remove(g.dir)
}

// write writes one of the group's files, of which the kernel has made as many as there are.
func (g *cgroup) write(name, value string) error {
	file, err := os.OpenFile(filepath.Join(g.dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

// endGroups ends and removes the groups that clients of a run have whose names begin so.
func endGroups(name string) {
	parent := ownCgroup()
	if parent == "" {
		return
	}
	dirs, _ := os.ReadDir(parent) // none: there are none
	for _, dir := range dirs {
		if dir.IsDir() && strings.HasPrefix(dir.Name(), name) {
			g := &cgroup{dir: filepath.Join(parent, dir.Name())}
			g.end()
			g.close()
		}
	}
}
