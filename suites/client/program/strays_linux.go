package program

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/emaconform/emaconform/suites/engine"
)

// adopt makes this process the parent of whatever a client leaves behind: a daemon that forks twice, and clears its
// environment, becomes a child of ours in place of the system's first process (prctl(2), PR_SET_CHILD_SUBREAPER).
var adopt = sync.OnceFunc(func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })

// family is the processes that this process started itself: all its other children were left behind.
var family = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// start runs a function that starts a process of ours and returns its id; ended is to be called when it has been waited
// for.
func start(run func() (pid int, err error)) (ended func(), err error) {
	adopt()
	family.Lock()
	defer family.Unlock()
	pid, err := run()
	if err != nil {
		return nil, err
	}
	family.pids[pid] = true
	return func() {
		family.Lock()
		defer family.Unlock()
		delete(family.pids, pid)
	}, nil
}

const markName = "EMACONFORM_RUN="

// endStrays ends what a client left behind: what has this entry, NAME=value, in its environment, and those of our
// adopted children, with all their descendants, that do not have the entry of another client that is still running.
func endStrays(entry string) { sweep(func() []int { return strays(entry) }) }

// patience is how long processes that fork while they are ended are chased where no control group holds them.
const patience = 10 * time.Second

// sweep ends the processes that find finds, and has stopped, until it finds none twice in a row: those that fork are a
// step ahead, but each step they are fewer.
func sweep(find func() []int) {
	for began, none := time.Now(), 0; none < 2 && time.Since(began) < patience; {
		doomed := find()
		for _, pid := range doomed {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		for _, pid := range doomed {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		if none++; len(doomed) > 0 {
			none = 0
			time.Sleep(time.Millisecond) // until they are gone, or are our children
		}
	}
}

// seize stops processes and all that come from them, and returns all: a process is stopped before its children are
// looked for, so that it has no more of them.
func seize(list []int) []int {
	for i := 0; i < len(list); i++ {
		_ = syscall.Kill(list[i], syscall.SIGSTOP)
		for _, pid := range childrenOf(list[i]) {
			if !slices.Contains(list, pid) {
				list = append(list, pid)
			}
		}
	}
	return list
}

func strays(entry string) []int {
	var doomed []int
	each(func(pid int) {
		environment := append(environment(pid), 0)
		marked := bytes.Contains(environment, append([]byte(entry), 0))
		if marked || !family.pids[pid] && !bytes.Contains(environment, []byte(markName)) && isStray(pid) {
			doomed = append(doomed, seize([]int{pid})...)
		}
	})
	return doomed
}

// reap takes leave of adopted children that have ended: a bomb leaves thousands of them.
func reap() { each(func(int) {}) }

// each calls do with every child of ours that has not ended, without workers of runs. Those that ended and were adopted
// are taken leave of.
func each(do func(pid int)) {
	family.Lock()
	defer family.Unlock()
	for _, pid := range childrenOf(os.Getpid()) {
		if engine.IsWorker(pid) {
			continue // of another run in this process
		}
		if !family.pids[pid] && isStray(pid) {
			if ended, _ := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); ended == pid {
				continue
			}
		}
		do(pid)
	}
}

// isStray reports whether a child of ours leads a session or a group that a client made: children that other parts of
// this program start stay in our own.
func isStray(pid int) bool {
	group, err := syscall.Getpgid(pid)
	session, err2 := unix.Getsid(pid)
	own, _ := unix.Getsid(0)
	return err == nil && err2 == nil && (session != own || group != syscall.Getpgrp())
}

// environment is that of a process, with a NUL behind each entry; nil when it is gone or another user's.
func environment(pid int) []byte {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)) // none: not ours to end
	return text
}

// childrenOf are the ids of a process's children (proc(5), /proc/PID/task/TID/children).
func childrenOf(pid int) []int {
	var list []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well-formed
	for _, file := range files {
		text, _ := os.ReadFile(file) // none: the thread is gone
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}

// descendants adds to processes all that come from them.
func descendants(list []int) []int {
	for i := 0; i < len(list); i++ {
		for _, pid := range childrenOf(list[i]) {
			if !slices.Contains(list, pid) {
				list = append(list, pid)
			}
		}
	}
	return list
}

// size is how many processes a client has, and their resident size in bytes.
func (h *household) size() (processes int, memory int64) {
	reap()
	list := h.group.members()
	if h.group == nil {
		list = []int{h.cmd.Process.Pid}
		each(func(pid int) {
			if pid != list[0] && bytes.Contains(environment(pid), []byte(h.mark)) {
				list = append(list, pid) // it left its parents
			}
		})
		list = descendants(list)
	}
	pages := int64(0)
	for _, member := range list {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", member))
		if fields := strings.Fields(string(text)); err == nil && len(fields) > 2 {
			resident, _ := strconv.ParseInt(fields[1], 10, 64)
			shared, _ := strconv.ParseInt(fields[2], 10, 64)
			pages += max(0, resident-shared)
		}
	}
	return len(list), pages * int64(os.Getpagesize())
}
