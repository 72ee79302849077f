//go:build !unix

package program

import "time"

// ownCPU is the processor time of this process so far; here nobody knows.
func ownCPU() time.Duration { return 0 }
