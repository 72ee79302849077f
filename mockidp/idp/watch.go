package idp

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
)

// settle is how long a file has to stay unchanged before it is read: editors write in several steps.
const settle = 100 * time.Millisecond

// Loader reads a directory from a file: directory.Load, or one that lays something over what it reads.
type Loader func(path string) (*directory.Directory, error)

// Watch reloads the directory from a file whenever that changes, until ctx ends. Sessions and tokens are kept as Update
// keeps them. report hears of each reload: nil, or why the file was not taken and the directory stayed as it was.
func (p *IdP) Watch(ctx context.Context, path string, load Loader, report func(error)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	// The folder is watched, for many editors put a new file in the place of the old one.
	if err := watcher.Add(filepath.Dir(path)); err != nil {
		return errors.Join(err, watcher.Close())
	}
	go func() {
		defer func() { _ = watcher.Close() }()
		var quiet <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-watcher.Events:
				if !ok {
					return
				}
				if filepath.Clean(e.Name) == filepath.Clean(path) && !e.Has(fsnotify.Chmod) && !e.Has(fsnotify.Remove) {
					quiet = time.After(settle)
				}
			case err := <-watcher.Errors:
				report(err)
			case <-quiet:
				report(p.Reload(path, load))
			}
		}
	}()
	return nil
}

// Reload reads the directory from a file. It is an error to change what only a restart can change.
func (p *IdP) Reload(path string, load Loader) error {
	next, err := load(path)
	if err != nil {
		return err
	}
	now, then := p.Directory().Settings, next.Settings
	for name, changed := range map[string]bool{"issuer": now.Issuer != then.Issuer, "listen": now.Listen != then.Listen,
		"flavour": now.Flavour != then.Flavour, "authorization_servers": !reflect.DeepEqual(now.Servers, then.Servers)} {
		if changed {
			return errors.New(path + ": settings." + name + " has changed: restart to change it; nothing was reloaded")
		}
	}
	if err := p.Replace(next); err != nil {
		return err
	}
	p.state.Record(audit.Entry{Type: audit.ConfigChanged, Outcome: audit.Success, Detail: filepath.Base(path)})
	return nil
}
