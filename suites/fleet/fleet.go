// Package fleet judges many connectors: which belongs to which shard, and what their reports amount to.
package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
	"github.com/emaconform/emaconform/suites/target"
)

// Fleet is the connectors to judge.
type Fleet struct{ Connectors []Connector }

// Connector is a server of a fleet: its name, which is that of its folder of reports, and how it is judged.
type Connector struct {
	Name   string
	Config target.Config
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// defaultsFile is, in a directory of configurations, what all of them share.
const defaultsFile = "defaults.yaml"

// Load reads a fleet: a file with defaults, which are a configuration of emaconform server, and connectors, each with a
// name and what differs from the defaults; or a directory with a configuration for each connector, called by the file's
// name where it has no other, and defaults.yaml. A name that is there twice is an error.
func Load(path string) (*Fleet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the fleet: %w", err)
	}
	f := &Fleet{}
	if info.IsDir() {
		err = f.readDirectory(path)
	} else {
		err = f.readFile(path)
	}
	if err != nil {
		return nil, err
	}
	if len(f.Connectors) == 0 {
		return nil, errors.New(path + ": no connectors")
	}
	return f, nil
}

func (f *Fleet) readFile(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the fleet file: %w", err)
	}
	var file struct {
		Defaults   yaml.MapSlice   `yaml:"defaults"`
		Connectors []yaml.MapSlice `yaml:"connectors"`
	}
	if err := yamlfile.Decode(raw, &file); err != nil {
		return fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	defaults, err := yaml.Marshal(file.Defaults)
	if err != nil {
		return err
	}
	for i, c := range file.Connectors {
		own, err := yaml.Marshal(c)
		if err != nil {
			return err
		}
		if err := f.add(fmt.Sprintf("%s: connectors[%d]", path, i), "", defaults, own); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) readDirectory(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.y*ml"))
	if err != nil {
		return err
	}
	defaults, err := os.ReadFile(filepath.Join(dir, defaultsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot read the fleet's defaults: %w", err)
	}
	for _, path := range files {
		if filepath.Base(path) == defaultsFile {
			continue
		}
		own, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("cannot read a connector: %w", err)
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if err := f.add(path, name, defaults, own); err != nil {
			return err
		}
	}
	return nil
}

// add adds a connector: the defaults, and over them its own. at is where it stands, name how it is called where it does
// not say.
func (f *Fleet) add(at, name string, defaults, own []byte) error {
	k := Connector{}
	for _, part := range [][]byte{defaults, own} {
		if len(bytes.TrimSpace(part)) == 0 {
			continue
		}
		if err := k.Config.Merge(part); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	if k.Config.Name == "" {
		k.Config.Name = name
	}
	k.Name = k.Config.Name
	switch {
	case !nameForm.MatchString(k.Name):
		return fmt.Errorf("%s: name %.60q: expected letters, digits, dots and hyphens: it is a folder", at, k.Name)
	case k.Config.URL == "" && len(k.Config.Setup) == 0:
		return fmt.Errorf("%s: connector %s has no url", at, k.Name)
	case slices.ContainsFunc(f.Connectors, func(o Connector) bool { return strings.EqualFold(o.Name, k.Name) }):
		return fmt.Errorf("%s: two connectors are called %s", at, k.Name)
	}
	f.Connectors = append(f.Connectors, k)
	return nil
}
