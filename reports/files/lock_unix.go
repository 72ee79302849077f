//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package files

import (
	"errors"
	"os"
	"syscall"
)

// Lock waits until no other process holds this folder, and holds it until unlock is called or this process ends. It
// leaves nothing behind. A file system that knows no locks is none that two runs share.
func Lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		switch err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOLCK) &&
			!errors.Is(err, syscall.ENOSYS):
			return nil, errors.Join(err, f.Close())
		}
		return func() { _ = f.Close() }, nil
	}
}
