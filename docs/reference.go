package docs

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/suites/catalogue"
)

// roles are the titles of the pages of checks.
var roles = map[string]string{
	"ras": "Checks: authorization server", "rs": "Checks: MCP server",
	"client": "Checks: client", "idp": "Checks: identity provider",
}

// shown is a requirement with its checks.
type shown struct {
	catalogue.Requirement
	Weights string
	Checks  []Check
}

func (r *Reference) checksPage(name, role string) (page, error) {
	var list []shown
	for _, q := range r.Requirements {
		if q.Role != role {
			continue
		}
		s := shown{Requirement: q, Weights: r.Weights(q)}
		for _, k := range r.Checks {
			if k.Requirement == q.ID {
				s.Checks = append(s.Checks, k)
			}
		}
		list = append(list, s)
	}
	return r.generated(name, roles[role], "checks", map[string]any{"Title": roles[role], "Requirements": list})
}

// generated renders one of the templates of reference.html as a page.
func (r *Reference) generated(name, title, templateName string, data any) (page, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"anchor": func(id string) string { return strings.ReplaceAll(id, "/", ".") },
		"join":   strings.Join,
	}).ParseFS(files, "reference.html")
	if err != nil {
		return page{}, err
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, templateName, data); err != nil {
		return page{}, err
	}
	return page{Name: name + ".html", Title: title, Body: template.HTML(body.String())}, nil
}

// command is a command as the site shows it.
type command struct {
	Path, Anchor, Short, Long, Use, Example, Flags string
}

func commandsOf(root *cobra.Command) []command {
	var list []command
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" {
			return
		}
		list = append(list, command{
			Path: c.CommandPath(), Anchor: strings.ReplaceAll(c.CommandPath(), " ", "-"), Short: c.Short, Long: c.Long,
			Use: c.UseLine(), Example: c.Example, Flags: c.NonInheritedFlags().FlagUsagesWrapped(100),
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return list
}
