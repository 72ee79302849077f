//go:build !linux

package program

// Guard does nothing where processes cannot adopt others.
func Guard() (leave func()) { return func() {} }
