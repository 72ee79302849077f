//go:build unix

package engine

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// detach gives a worker its own process group: an interrupt from the terminal goes to the parent alone, which decides.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endSignal asks a worker to end, so that it can end what it has started.
var endSignal os.Signal = syscall.SIGTERM

// peakMemory is the largest resident size of a finished process, in bytes.
func peakMemory(p *os.ProcessState) int64 {
	if p == nil { // nobody could wait for it
		return 0
	}
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return rss(usage)
}

// PeakMemory is the largest resident size of this process so far, in bytes.
func PeakMemory() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return rss(&usage)
}

func rss(u *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss) //nolint:unconvert // 32 bits wide on some systems
	}
	return int64(u.Maxrss) * 1024 //nolint:unconvert // 32 bits wide on some systems
}
