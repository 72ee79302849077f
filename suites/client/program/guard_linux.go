package program

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
)

// guardVariable in the environment tells a process of this program that another one watches over it: the other one's
// id.
const guardVariable = "EMACONFORM_INTERNAL_GUARD"

// Guard keeps what a run leaves behind within its lifetime, even when the run is killed. It runs this program once
// more, as a child with a directory of its own for temporary files, and does not return: it passes signals on, and when
// the child has ended, in whatever way, it ends all that the child left and removes its files. In the child it returns
// at once. When it is killed itself, the child is asked to end. leave is to be called when the child's work is done.
// What has the entry kept, NAME=value, in its environment stays, unless that is "".
func Guard(kept string) (leave func()) {
	if os.Getenv(guardVariable) != "" {
		return guarded(kept)
	}
	self, err := os.Executable()
	if err != nil {
		return func() {}
	}
	scratch, err := os.MkdirTemp("", "emaconform-run-")
	if err != nil {
		return func() {}
	}
	adopt()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", guardVariable, os.Getpid()), "TMPDIR="+scratch)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	runtime.LockOSThread() // the child is told when this thread ends
	if err := cmd.Start(); err != nil {
		_ = os.RemoveAll(scratch)
		return func() {}
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	_ = cmd.Wait() // how it ended is in its state
	endAll(scratch, kept)
	_ = os.RemoveAll(scratch)
	code := cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal()) // as a shell says it
	}
	os.Exit(code)
	return nil
}

// guarded is Guard in the child. When the other process was killed, nobody waits for a report: all ends at once.
func guarded(kept string) func() {
	guard, scratch := os.Getenv(guardVariable), os.TempDir()
	_ = os.Unsetenv(guardVariable)
	clean := func() bool {
		if fmt.Sprint(os.Getppid()) == guard {
			return false // it does so
		}
		endAll(scratch, kept)
		_ = os.RemoveAll(scratch)
		return true
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		for range asked {
			if clean() {
				os.Exit(128 + int(syscall.SIGKILL))
			}
		}
	}()
	return func() { clean() }
}

// endAll ends every child of this process, with all that come from them, and all that is in groups of the run that has
// this directory for temporary files, but what is kept.
func endAll(scratch, kept string) {
	endGroups(groupName(scratch))
	sweep(func() []int {
		return seize(slices.DeleteFunc(childrenOf(os.Getpid()), func(pid int) bool {
			return kept != "" && bytes.Contains(append(environment(pid), 0), append([]byte(kept), 0))
		}))
	})
}
