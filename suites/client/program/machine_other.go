//go:build !linux

package program

// machineCPU is not known here.
func machineCPU() (busy, total uint64, ok bool) { return 0, 0, false }
