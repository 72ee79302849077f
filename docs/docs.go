// Package docs is the documentation: pages in Markdown, and what is generated from the program itself (every check and
// requirement, commands with their flags, the configuration file). Build writes all of it as a static site.
package docs

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
)

//go:embed results.html pages/*.md layout.html reference.html site.css
var files embed.FS

// Reference is what the site shows of the program.
type Reference struct {
	Root         *cobra.Command // its commands
	Version      string
	Catalogue    reports.Catalogue
	Requirements []catalogue.Requirement
	Checks       []Check
	Weights      func(catalogue.Requirement) string // its level, or its level in each profile where they differ
	Config       string                             // a configuration file with every key
	ConfigSchema []byte                             // JSON Schema of such files
}

// Check is a check as the site shows it.
type Check struct {
	ID, Requirement, Level, Title, Sends, Expects string
	Weights                                       string // its level, or its level in each profile where they differ
	Labels, Needs                                 []string
}

// page is one file of the site.
type page struct {
	Name, Title string        // "build.html", "What to build, in which order"
	Body        template.HTML //
}

// chapters are the pages in the order of the navigation; those without a file in pages/ are generated.
var chapters = []string{
	"index", "ema", "build", "judge-server", "judge-client", "judge-idp", "certify", "verify", "ci", "fleets",
	"threat-model", "profiles", "checks-ras", "checks-rs", "checks-client", "checks-idp", "configuration", "commands",
	"mock-idp",
	"versions",
}

// Build writes the site to a folder that exists: HTML pages, a style sheet and the JSON Schemas of the configuration
// and of the report. The same program writes the same bytes. An error means that a page names a check that does not
// exist, or that a file cannot be written.
func Build(dir string, r Reference) error {
	layout, err := template.ParseFS(files, "layout.html")
	if err != nil {
		return err
	}
	var pages []page
	for _, name := range chapters {
		p, err := r.page(name)
		if err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
		pages = append(pages, p)
	}
	for _, p := range pages {
		var out bytes.Buffer
		// A block that is too wide for the screen is scrolled, also by keyboard.
		p.Body = template.HTML(strings.ReplaceAll(string(p.Body), "<pre", `<pre tabindex="0"`))
		if err := layout.Execute(&out, map[string]any{"Page": p, "Pages": pages, "Reference": r}); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	style, err := files.ReadFile("site.css")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"site.css": style, "config.schema.json": r.ConfigSchema, "report.schema.json": reports.Schema,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reference) page(name string) (page, error) {
	switch role, isRole := strings.CutPrefix(name, "checks-"); {
	case isRole:
		return r.checksPage(name, role)
	case name == "configuration":
		return r.generated(name, "Configuration reference", "configuration", r)
	case name == "commands":
		return r.generated(name, "Commands", "commands", commandsOf(r.Root))
	}
	source, err := files.ReadFile("pages/" + name + ".md")
	if err != nil {
		return page{}, err
	}
	return r.markdown(name, source)
}

// markdown renders a page whose first line is its title. Ids of requirements and checks in code spans become links.
func (r *Reference) markdown(name string, source []byte) (page, error) {
	title, _, _ := strings.Cut(string(source), "\n")
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	document := md.Parser().Parse(text.NewReader(source))
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, source, document); err != nil {
		return page{}, err
	}
	if document.FirstChild() == nil || document.FirstChild().Kind() != ast.KindHeading {
		return page{}, fmt.Errorf("its first line is no title")
	}
	linked, err := r.link(body.String())
	return page{Name: name + ".html", Title: strings.TrimPrefix(title, "# "), Body: template.HTML(linked)}, err
}

var idInCode = regexp.MustCompile(`<code>((RAS|RS|CL|IDP)-[A-Z0-9-]+)(/[a-z0-9_.-]+)?</code>`)

// pageLink is a link to another page, which is a .md file where the pages are read as they are.
var pageLink = regexp.MustCompile(`href="([a-z-]+)\.md(#[a-z-]+)?"`)

// link makes links of ids. An id that does not exist is an error: a page that names it is out of date.
func (r *Reference) link(html string) (string, error) {
	var unknown []string
	html = pageLink.ReplaceAllString(html, `href="$1.html$2"`)
	html = idInCode.ReplaceAllStringFunc(html, func(code string) string {
		parts := idInCode.FindStringSubmatch(code)
		role, ok := r.roleOf(parts[1], parts[1]+parts[3])
		if !ok {
			unknown = append(unknown, parts[1]+parts[3])
			return code
		}
		anchor := parts[1] + strings.ReplaceAll(parts[3], "/", ".")
		return fmt.Sprintf(`<a href="checks-%s.html#%s">%s</a>`, role, anchor, code)
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("there is no check %s", strings.Join(unknown, ", "))
	}
	return html, nil
}

// roleOf is the role of a requirement, and whether the requirement or check of that id exists.
func (r *Reference) roleOf(requirement, id string) (string, bool) {
	for _, q := range r.Requirements {
		if q.ID != requirement {
			continue
		}
		if id == requirement {
			return q.Role, true
		}
		for _, k := range r.Checks {
			if k.ID == id {
				return q.Role, true
			}
		}
	}
	return "", false
}
