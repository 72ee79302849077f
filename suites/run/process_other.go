//go:build !unix

package run

import (
	"os"
	"os/exec"
)

func detach(*exec.Cmd) {}

func peakMemory(*os.ProcessState) int64 { return 0 }

func ownPeakMemory() int64 { return 0 }
