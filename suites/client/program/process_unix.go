//go:build unix && !linux

package program

import (
	"os/exec"
	"syscall"
)

// detach gives a client a process group of its own, so that it can be ended with whatever it started.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends what is left of a client's process group.
func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
