package client

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endStrays ends what left its client's process group, known by an entry of its environment, NAME=value.
func endStrays(entry string) {
	for range 10 { // one that forks may be a step ahead
		found := false
		environments, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
		for _, file := range environments {
			environment, err := os.ReadFile(file)
			if err != nil || !bytes.Contains(append(environment, 0), append([]byte(entry), 0)) {
				continue // another user's, gone, or not ours
			}
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
			}
		}
		if !found {
			return
		}
	}
}
