package program

import (
	"bytes"
	"os"
	"strconv"
)

// machineCPU is what all processors of this machine have been doing since it started, in ticks: how much of it was
// work, of whomever, and all of it. ok is false where that cannot be learnt.
func machineCPU() (busy, total uint64, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	const idle, waits, steal = 4, 5, 8 // proc(5); what stands behind is counted in others
	if len(fields) <= steal || string(fields[0]) != "cpu" {
		return 0, 0, false
	}
	for i, field := range fields[1 : steal+1] {
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil {
			return 0, 0, false
		}
		if total += n; i+1 != idle && i+1 != waits {
			busy += n
		}
	}
	return busy, total, true
}
