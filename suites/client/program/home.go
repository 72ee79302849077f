package program

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Home is a directory that a client takes for its user's, so that what it keeps there can be looked at.
type Home struct{ dir string }

// File is a file that a client left in its home directory.
type File struct {
	Name string // below the home directory
	Mode fs.FileMode
	Text []byte // its beginning
}

// NewHome makes an empty home directory, which Remove takes away.
func NewHome() (*Home, error) {
	dir, err := os.MkdirTemp("", "emaconform-home-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a home directory for the client: %w", err)
	}
	return &Home{dir}, nil
}

// Environment makes programs keep their files in the home directory, on the usual systems.
func (h *Home) Environment() []string {
	at := func(name string) string { return filepath.Join(h.dir, name) }
	return []string{
		"HOME=" + h.dir, "USERPROFILE=" + h.dir, "XDG_CONFIG_HOME=" + at(".config"), "XDG_DATA_HOME=" + at(".local/share"),
		"XDG_STATE_HOME=" + at(".local/state"), "XDG_CACHE_HOME=" + at(".cache"), "APPDATA=" + at("AppData"),
	}
}

// Bounds of what is searched.
const (
	maxFiles    = 2000
	maxFileText = 1 << 20
)

// Files are those that the client left, as far as they can be read.
func (h *Home) Files() []File {
	var list []File
	_ = filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		// what cannot be read holds no plain secret
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // the others are still to be searched
		}
		if len(list) == maxFiles {
			return fs.SkipAll
		}
		if kept, err := read(path); err == nil {
			kept.Name, _ = filepath.Rel(h.dir, path)
			list = append(list, kept)
		}
		return nil
	})
	return list
}

func read(path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return File{}, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFileText))
	return File{Mode: info.Mode(), Text: text}, err
}

// Remove takes the directory away, with all that is in it.
func (h *Home) Remove() { _ = os.RemoveAll(h.dir) }
