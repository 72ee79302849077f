//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package files

// Lock holds nothing here: these systems lock files, but no folders.
func Lock(string) (unlock func(), err error) { return func() {}, nil }
