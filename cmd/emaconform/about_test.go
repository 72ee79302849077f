package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"golang.org/x/net/html"

	"github.com/emaconform/emaconform/suites/catalogue"
)

func TestVersionNamesTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	r := emaconform(t, "version")
	g.Expect(r.code).To(Equal(exitConformant))
	g.Expect(r.stdout).To(ContainSubstring("catalogue  " + catalogue.Version + " " + catalogue.Digest()))
	g.Expect(r.stdout).To(MatchRegexp(`(?m)^binary     sha256:[0-9a-f]{64}$`))
}

func TestSchemas(t *testing.T) {
	g := NewWithT(t)
	for _, which := range []string{"report", "config"} {
		r := emaconform(t, "schema", which)
		g.Expect(r.code).To(Equal(exitConformant), r.stderr)
		g.Expect(json.Valid([]byte(r.stdout))).To(BeTrue())
	}
	r := emaconform(t, "schema", "baseline")
	g.Expect(r.code).To(Equal(exitUsage))
	g.Expect(r.stderr).To(ContainSubstring(`"baseline"`))
}

func TestManPages(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "man1")
	r := emaconform(t, "docs", "man", "--out", dir)
	g.Expect(r.code).To(Equal(exitConformant), r.stderr)
	page, err := os.ReadFile(filepath.Join(dir, "emaconform-server.1"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(page)).To(And(ContainSubstring(".TH"), ContainSubstring("idp-issuer")))
}

// Links lead somewhere, and what the pages tell people to type exists.
func TestDocumentationSite(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "site")
	r := emaconform(t, "docs", "site", "--out", dir)
	g.Expect(r.code).To(Equal(exitConformant), r.stderr)
	pages := map[string]*sitePage{}
	files, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		pages[file.Name()] = readSitePage(t, filepath.Join(dir, file.Name()))
	}
	g.Expect(len(pages)).To(BeNumerically(">", 15))
	for name, page := range pages {
		for _, link := range page.links {
			u, err := url.Parse(link)
			g.Expect(err).NotTo(HaveOccurred(), "%s: %s", name, link)
			if u.Scheme != "" {
				continue // other people's pages are not asked for
			}
			to := pages[u.Path]
			if u.Path == "" {
				to = page
			}
			if to == nil || u.Fragment != "" && !to.anchors[u.Fragment] {
				t.Errorf("%s: dead link %s", name, link)
			}
		}
		if name != "commands.html" { // made from the commands themselves
			commandsExist(t, name, page.code.String())
		}
	}
	for _, requirement := range catalogue.All() {
		g.Expect(pages["checks-"+requirement.Role+".html"].anchors).To(HaveKey(requirement.ID))
	}
}

var commandLine = regexp.MustCompile(`(?m)^ *emaconform ([a-z][a-z-]*)(.*)$`)

// commandsExist finds lines such as "emaconform server --url …" whose command or flags the program does not have.
func commandsExist(t *testing.T, page, text string) {
	t.Helper()
	root := newRoot()
	for _, line := range commandLine.FindAllStringSubmatch(text, -1) {
		command, _, err := root.Find(strings.Fields(line[1] + line[2]))
		if err != nil {
			t.Errorf("%s: there is no command %q", page, line[1])
			continue
		}
		own, _, _ := strings.Cut(line[2], " -- ") // what follows is the client's
		own, _, _ = strings.Cut(own, "#")
		for _, word := range strings.Fields(own) {
			flag, isFlag := strings.CutPrefix(word, "--")
			flag, _, _ = strings.Cut(flag, "=")
			if isFlag && command.Flags().Lookup(flag) == nil {
				t.Errorf("%s: emaconform %s has no flag --%s", page, line[1], flag)
			}
		}
	}
}

// sitePage is what links can be followed to, and from.
type sitePage struct {
	links   []string
	anchors map[string]bool
	code    strings.Builder // of its blocks
}

func readSitePage(t *testing.T, path string) *sitePage {
	t.Helper()
	page := &sitePage{anchors: map[string]bool{}}
	if filepath.Ext(path) != ".html" {
		return page
	}
	file, err := os.Open(path)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	root, err := html.Parse(file)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Parent != nil && node.Parent.Parent.Data == "pre" {
			page.code.WriteString(node.Data)
		}
		for _, attribute := range node.Attr {
			switch attribute.Key {
			case "href", "src":
				page.links = append(page.links, attribute.Val)
			case "id":
				page.anchors[attribute.Val] = true
			}
		}
	}
	return page
}
