package program

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// passed are the variables of our environment that every client gets. The others may hold secrets of the machine or of
// the CI job: a client gets them when the user names them.
var passed = []string{"PATH", "HOME", "LANG", "SYSTEMROOT"}

// room is where one run of a client takes place: a directory of its own, and the environment.
type room struct {
	dir     string // holds all that belongs to the run
	browser *browser
}

func newRoom() (*room, error) {
	dir, err := os.MkdirTemp("", "emaconform-client-")
	if err != nil {
		return nil, err
	}
	r := &room{dir: dir}
	for _, name := range []string{"work", "tmp"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	if err == nil {
		r.browser, err = newBrowser(filepath.Join(dir, "browser"))
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *room) close() { _ = os.RemoveAll(r.dir) }

// environment is what a client gets: little of ours, what the user named, what it was given, and the room's own.
func (r *room) environment(named, given []string) []string {
	var list []string
	for _, name := range append(slices.Clone(passed), named...) {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	list = append(list, "TMPDIR="+filepath.Join(r.dir, "tmp"))
	return append(append(list, given...), r.browser.environment()...)
}

// located makes the names of files among the arguments of a command absolute: it runs in another directory.
func located(args []string) []string {
	list := slices.Clone(args)
	for i, arg := range list {
		if i == 0 && !strings.ContainsRune(arg, filepath.Separator) {
			continue // found by PATH
		}
		if _, err := os.Stat(arg); err == nil && arg != "" && !filepath.IsAbs(arg) {
			if path, err := filepath.Abs(arg); err == nil {
				list[i] = path
			}
		}
	}
	return list
}
