// Package preset holds what public documents say of connectors and of platforms that connectors are built on.
package preset

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

//go:embed presets.yaml
var presetsFile []byte

// Preset is what public documents say of a connector, or of a platform that connectors are built on: a default of
// that date, which discovery overrides.
type Preset struct {
	Name          string   `yaml:"name"`
	Title         string   `yaml:"title"`
	Platform      bool     `yaml:"platform"` // has no URL of its own
	AsOf          string   `yaml:"as_of"`
	URL           string   `yaml:"url"`
	Resource      string   `yaml:"resource"`
	Issuer        string   `yaml:"issuer"`
	TokenEndpoint string   `yaml:"token_endpoint"`
	ClientAuth    []string `yaml:"client_auth"` // that emaconform knows, in the metadata's order
	Scopes        []string `yaml:"scopes"`
	MockIdP       string   `yaml:"mock_idp"` // yes, no, unknown
	Administrator []string `yaml:"administrator"`
	NotJudged     []string `yaml:"not_judged"`
	Facts         []fact   `yaml:"facts"`
}

// fact is where a part of it is from.
type fact struct {
	Fact   string `yaml:"fact"`
	Source string `yaml:"source"`
	Date   string `yaml:"date"`
	Mark   string `yaml:"mark"` // documented, reported
}

func load() (list []Preset, err error) { return list, yamlfile.Decode(presetsFile, &list) }

// Find is the preset of this name; the error says which there are.
func Find(name string) (*Preset, error) {
	list, err := load()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range list {
		if p.Name == name {
			return &p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("--preset %q is none of %s (--preset help says what each knows)", name,
		strings.Join(names, ", "))
}

// Lay puts the preset under a configuration: what that names stays. The places that discovery finds are not set but
// expected, so that discovery overrides them and the preflight says where it does.
func (p *Preset) Lay(c *target.Config) (*run.Expected, error) {
	if p.MockIdP == "no" {
		return nil, fmt.Errorf("preset %s: %s cannot be judged with a mock IdP as of %s: %s", p.Name, p.Title, p.AsOf,
			strings.Join(p.NotJudged, "; "))
	}
	c.URL, c.Name = cmp.Or(c.URL, p.URL), cmp.Or(c.Name, p.Title)
	if c.URL == "" && len(c.Setup) == 0 {
		return nil, fmt.Errorf("preset %s: %s is a platform without a URL of its own: name your MCP server with --url",
			p.Name, p.Title)
	}
	if len(c.Scopes) == 0 {
		c.Scopes = p.Scopes
	}
	for n := range c.Clients {
		if k := &c.Clients[n]; k.Auth == "" && k.KeyFile == "" && len(p.ClientAuth) > 0 {
			k.Auth = p.ClientAuth[0]
		}
	}
	for _, known := range []string{p.Issuer, p.TokenEndpoint} {
		if u, err := url.Parse(known); err == nil && u.Host != "" && !slices.Contains(c.AllowedHosts, u.Host) {
			c.AllowedHosts = append(c.AllowedHosts, u.Host)
		}
	}
	return &run.Expected{By: "the preset " + p.Name + " of " + p.AsOf, Resource: p.Resource, Issuer: p.Issuer,
		TokenEndpoint: p.TokenEndpoint}, nil
}

// List prints a line for each.
func List(w io.Writer) error {
	list, err := load()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-20s %-34s %-11s %s\n", "PRESET", "CONNECTOR OR PLATFORM", "AS OF", "MOCK IDP")
	for _, p := range list {
		fmt.Fprintf(w, "%-20s %-34s %-11s %s\n", p.Name, p.Title, p.AsOf, p.MockIdP)
	}
	_, err = fmt.Fprintln(w, "\nMOCK IDP: whether it can be made trusted there, as far as public documents say. "+
		"--preset help tells all.")
	return err
}

// Describe prints what each says, with its sources, in this many columns.
func Describe(w io.Writer, columns int) error {
	list, err := load()
	if err != nil {
		return err
	}
	for _, p := range list {
		fmt.Fprintf(w, "%s: %s, as of %s\n", p.Name, p.Title, p.AsOf)
		for _, row := range [][2]string{{"url", p.URL}, {"resource", p.Resource}, {"issuer", p.Issuer},
			{"token endpoint", p.TokenEndpoint},
			{"client auth", strings.Join(p.ClientAuth, ", ")}, {"scopes", strings.Join(p.Scopes, " ")},
			{"mock IdP trusted", p.MockIdP}} {
			fmt.Fprintf(w, "  %-17s %s\n", row[0], cmp.Or(row[1], "not known from public documents"))
		}
		p.paragraphs(w, columns)
		fmt.Fprintln(w)
	}
	return nil
}

func (p *Preset) paragraphs(w io.Writer, columns int) {
	list := func(title string, lines []string) {
		fmt.Fprintf(w, "  %s\n", title)
		for _, line := range lines {
			fmt.Fprintf(w, "    - %s\n", terminal.Wrap(line, columns, 6))
		}
	}
	list("the administrator", p.Administrator)
	list("not judged", p.NotJudged)
	fmt.Fprintln(w, "  sources")
	for _, f := range p.Facts { // a URL is kept whole, to be copied
		fmt.Fprintf(w, "    - %s\n      %s (%s, %s)\n", terminal.Wrap(f.Fact, columns, 6), f.Source, f.Date, f.Mark)
	}
}
