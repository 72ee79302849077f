package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/emaconform/emaconform/reports/files"
)

// attendedState is what stays from one attended run to the next: all that the client is configured by.
type attendedState struct {
	Secret   string              `json:"secret"`   // what the client's secrets end in
	Settings map[string][]string `json:"settings"` // flags that were given, by name
}

// lasting are the flags that a client's configuration hangs on; pathFlags those of them that name files.
var (
	lasting = []string{"base-port", "bind", "public-url", "certificate", "certificate-key", "https", "ca",
		"confidential", "redirect-uri", "revision", "client-id-document", "client-document", "listen"}
	pathFlags = []string{"certificate", "certificate-key", "ca", "client-document"}
)

// shortestSecret is what a secret of one's own must have, in characters.
const shortestSecret = 16

// stateFile is where the state is: the one that was named, else one in the user's configuration for each preset.
func (f *attendedFlags) stateFile(preset string) (string, error) {
	if f.state != "" {
		return filepath.Abs(f.state)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place to keep the client's settings in: %w; name a file with --state", err)
	}
	name := "client.json"
	if preset != "" {
		name = "client-" + preset + ".json"
	}
	return filepath.Join(dir, "emaconform", name), nil
}

// restore takes what was not given from the last run, and returns the flags that it took. What is in force then is kept
// by save.
func (f *attendedFlags) restore(flags *pflag.FlagSet, preset string) (taken []string, err error) {
	if f.secret != "" {
		unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
		if len(f.secret) < shortestSecret || strings.ContainsFunc(f.secret, unprintable) {
			return nil, fmt.Errorf("--secret: expected %d printable ASCII characters or more, without blanks", shortestSecret)
		}
	}
	if f.state, err = f.stateFile(preset); err != nil {
		return nil, err
	}
	state, err := readState(f.state)
	if err != nil {
		return nil, err
	}
	for _, name := range lasting {
		if values, ok := state.Settings[name]; ok && !flags.Changed(name) {
			if err := give(flags, name, values); err != nil {
				return nil, fmt.Errorf("--state %s: %s: %w; delete it to begin anew", f.state, name, err)
			}
			taken = append(taken, "--"+name+" "+strings.Join(values, ","))
		}
	}
	f.secret = cmp.Or(f.secret, state.Secret, rand.Text())
	f.kept = attendedState{f.secret, inForce(flags)}
	return taken, nil
}

// save keeps what is in force for the next run.
func (f *attendedFlags) save() error {
	text, err := json.MarshalIndent(f.kept, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(f.state), 0o700)
	}
	if err == nil {
		err = writePrivate(f.state, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("--state: cannot keep the client's settings: %w", err)
	}
	return nil
}

// readState reads a state file; one that is missing holds nothing.
func readState(path string) (state attendedState, err error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state, nil
	case err != nil:
		return state, fmt.Errorf("--state: %w", err)
	case json.Unmarshal(text, &state) != nil || len(state.Secret) < shortestSecret:
		return state, fmt.Errorf("--state %s: expected a JSON object with a secret; delete it to have a new one made", path)
	}
	return state, nil
}

// writePrivate writes a file for its owner alone, whole or not at all.
func writePrivate(path string, text []byte) error {
	complete, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = complete.Write(text)
	if err = errors.Join(err, complete.Close()); err != nil {
		_ = os.Remove(complete.Name())
		return err
	}
	return files.Put(complete.Name(), path)
}

// give sets a flag to these values.
func give(flags *pflag.FlagSet, name string, values []string) error {
	for _, v := range values {
		if err := flags.Set(name, v); err != nil {
			return err
		}
	}
	return nil
}

// inForce are the lasting flags that were given, now or in a run before.
func inForce(flags *pflag.FlagSet) map[string][]string {
	settings := map[string][]string{}
	for _, name := range lasting {
		flag := flags.Lookup(name)
		if !flag.Changed {
			continue
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if path, err := filepath.Abs(values[0]); err == nil && values[0] != "" && slices.Contains(pathFlags, name) {
			values[0] = path
		}
		settings[name] = values
	}
	return settings
}
