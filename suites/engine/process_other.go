//go:build !unix

package engine

import (
	"os"
	"os/exec"
)

func detach(*exec.Cmd) {}

func peakMemory(*os.ProcessState) int64 { return 0 }

// PeakMemory is not known here.
func PeakMemory() int64 { return 0 }

// endSignal ends a worker.
var endSignal = os.Kill
