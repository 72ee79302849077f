// Package fleet judges many connectors: which belongs to which shard, and what their reports amount to.
package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"

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

// Load reads a fleet file: defaults, a configuration of emaconform server, and connectors, each with a name and what differs
// from the defaults. A name that stands in it twice is an error.
func Load(path string) (*Fleet, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the fleet file: %w", err)
	}
	var file struct {
		Defaults   yaml.MapSlice   `yaml:"defaults"`
		Connectors []yaml.MapSlice `yaml:"connectors"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	f := &Fleet{}
	for i, c := range file.Connectors {
		k := Connector{}
		if err := merge(&k.Config, file.Defaults); err != nil {
			return nil, fmt.Errorf("%s: defaults: %w", path, err)
		}
		if err := merge(&k.Config, c); err != nil {
			return nil, fmt.Errorf("%s: connectors[%d]: %w", path, i, err)
		}
		k.Name = k.Config.Name
		switch {
		case !nameForm.MatchString(k.Name):
			return nil, fmt.Errorf("%s: connectors[%d]: name %.60q: expected letters, digits, dots and hyphens: it is a folder", path, i, k.Name)
		case k.Config.URL == "" && len(k.Config.Setup) == 0:
			return nil, fmt.Errorf("%s: connector %s has no url", path, k.Name)
		case slices.ContainsFunc(f.Connectors, func(o Connector) bool { return o.Name == k.Name }):
			return nil, fmt.Errorf("%s: two connectors are called %s", path, k.Name)
		}
		f.Connectors = append(f.Connectors, k)
	}
	if len(f.Connectors) == 0 {
		return nil, errors.New(path + ": no connectors")
	}
	return f, nil
}

func merge(c *target.Config, part yaml.MapSlice) error {
	if len(part) == 0 {
		return nil
	}
	raw, err := yaml.Marshal(part)
	if err != nil {
		return err
	}
	return c.Merge(raw)
}

// Shard lists the connectors of shard index of total, counted from 0. Those of one authorization server or host are in one
// shard, so that no two runs disturb each other; a new connector moves no other.
func (f *Fleet) Shard(index, total int) []Connector {
	var list []Connector
	for _, k := range f.Connectors {
		h := fnv.New32a()
		_, _ = h.Write([]byte(k.place())) // never fails
		if int(h.Sum32()%uint32(total)) == index {
			list = append(list, k)
		}
	}
	return list
}

// place is what connectors share that must not be judged at the same time.
func (k Connector) place() string {
	at := k.Config.AuthorizationServer.Issuer
	if at == "" {
		at = k.Config.URL
	}
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		return u.Host
	}
	return k.Name
}
