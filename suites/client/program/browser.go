package program

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// browser stands in for the commands by which programs open a browser, and keeps what they are asked to open: nobody's
// real browser comes up in a run, and a consent page that a client sends its user to is seen.
type browser struct {
	dir         string
	undelivered atomic.Int32 // logins that did not come back to the client
	unanswered  atomic.Value // where the last of them ended: a string
}

// names of those commands on Linux and macOS.
var browserNames = []string{"xdg-open", "open", "sensible-browser", "x-www-browser", "www-browser"}

const browserScript = `#!/bin/sh
for url; do printf '%s\n' "$url" >> "${0%/*}/opened"; done
`

// newBrowser makes the stand-in in this directory, which it makes.
func newBrowser(dir string) (*browser, error) {
	err := os.Mkdir(dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("cannot stand in for a browser: %w", err)
	}
	for _, name := range browserNames {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(browserScript), 0o700))
	}
	return &browser{dir: dir}, err
}

// environment makes programs find the stand-in before the real ones.
func (b *browser) environment() []string {
	path := b.dir + string(os.PathListSeparator) + os.Getenv("PATH")
	return []string{"PATH=" + path, "BROWSER=" + filepath.Join(b.dir, browserNames[0])}
}

func (b *browser) opened() []byte {
	text, _ := os.ReadFile(filepath.Join(b.dir, "opened")) // none: nothing was opened
	return text
}
