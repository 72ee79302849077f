package program

import (
	"os/exec"
	"syscall"
)

// detach gives a client a process group of its own, so that it can be ended with whatever it started, and lets it end
// with this process, even one that is killed. The thread that starts it must live as long as it (Go issue 27505).
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// endGroup ends what is left of a client's process group.
func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
