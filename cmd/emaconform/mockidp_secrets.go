package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// ownSecrets gives the clients of the default configuration secrets of this machine: those of a file that only its
// owner can read, made at the first start. The documented ones are known to everyone, every web page too.
func ownSecrets(d *directory.Directory, path string) error {
	kept := map[string]string{}
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("cannot read the secrets of the clients: %w", err)
	default:
		if err := json.Unmarshal(raw, &kept); err != nil || kept == nil {
			return fmt.Errorf("%s: expected a JSON object of client ids and secrets; delete it to have new ones made", path)
		}
	}
	made := false
	for n := range d.Clients {
		k := &d.Clients[n]
		if k.Secret == "" {
			continue
		}
		if kept[k.ID] == "" {
			kept[k.ID], made = rand.Text(), true
		}
		k.Secret = kept[k.ID]
	}
	if !made {
		return nil
	}
	return saveSecrets(path, kept)
}

func saveSecrets(path string, secrets map[string]string) error {
	raw, err := json.MarshalIndent(secrets, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot keep the secrets of the clients: %w; name another file with --secrets", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".secrets-*") // for its owner alone, and whole or not at all
	if err != nil {
		return fmt.Errorf("cannot keep the secrets of the clients: %w; name another file with --secrets", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// secretsFile is where the secrets are kept unless --secrets says otherwise.
func secretsFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place to keep the secrets of the clients in: %w; name a file with --secrets, "+
			"or use the documented ones with --fixed-secrets", err)
	}
	return filepath.Join(dir, "emaconform", "mockidp-secrets.json"), nil
}
