package packaging_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// Who imports mockidp builds and downloads what mockidp needs, and nothing that this module needs for its suites and
// tests: Go prunes the rest of the module graph. A module of its own would not make that list shorter.
func TestTheLibraryNeedsNoTestDependencies(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	out, err := run(t, "..", "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}",
		"./mockidp", "./mockidp/mint", "./mockidp/hostile")
	g.Expect(err).NotTo(HaveOccurred(), out)
	for _, module := range strings.Fields(out) {
		for _, unwanted := range []string{
			"onsi/ginkgo", "onsi/gomega", "chromedp", "spf13/cobra", "modelcontextprotocol", "kin-openapi", "go-pretty",
		} {
			g.Expect(module).NotTo(ContainSubstring(unwanted))
		}
	}
}

// The list of results takes no statement without its vendor's key, and none about the reference target.
func TestResultsAreJudgedByTheirPolicy(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	results, reports := filepath.Join(dir, "results"), filepath.Join(dir, "reports")
	folder := filepath.Join(results, "acme", "notes", "1.0")
	g.Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
	for _, name := range []string{"check.sh", "policy.yaml"} {
		data, err := os.ReadFile(filepath.Join("..", "results", name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(results, name), data, 0o755)).To(Succeed())
	}
	key, statement := filepath.Join(dir, "vendor.key"), filepath.Join(folder, "statement.json")
	for _, args := range [][]string{
		{"server", "--quiet", "--check", "RAS-AUD-EXACT", "--out", reports},
		{"keygen", "--out", key},
		{"attest", filepath.Join(reports, "report.json"), "--key", key, "--out", folder},
	} {
		out, err := run(t, dir, program(t), args...)
		g.Expect(err).NotTo(HaveOccurred(), out)
	}
	check := func() (string, error) {
		return run(t, dir, "env", "EMACONFORM="+program(t), "bash", filepath.Join(results, "check.sh"), statement)
	}
	out, err := check()
	g.Expect(err).To(HaveOccurred())
	g.Expect(out).To(ContainSubstring("expected the vendor's public key"))
	g.Expect(os.Rename(key+".pub", filepath.Join(results, "acme", "vendor.key.pub"))).To(Succeed())
	out, err = check()
	g.Expect(err).To(HaveOccurred())
	g.Expect(out).To(And(ContainSubstring("loopback address, a public one is demanded"), ContainSubstring("signed by")))
}

var markdownLink = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// Links between the files of this repository, read as they are, lead somewhere.
func TestLinksOfTheRepository(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, pattern := range []string{"../*.md", "../*/*.md", "../suites/*/*.md"} {
		files, err := filepath.Glob(pattern)
		g.Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			text, err := os.ReadFile(file)
			g.Expect(err).NotTo(HaveOccurred())
			for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
				if !strings.Contains(link[1], ":") {
					g.Expect(filepath.Join(filepath.Dir(file), link[1])).To(Or(BeAnExistingFile(), BeADirectory()), "link in %s", file)
				}
			}
		}
	}
}
