//go:build !unix

package client

import "time"

// ownCPU is the processor time of this process so far; here nobody knows.
func ownCPU() time.Duration { return 0 }
