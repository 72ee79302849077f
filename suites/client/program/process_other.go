//go:build !unix

package program

import "os/exec"

func detach(*exec.Cmd) {}

func endGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
