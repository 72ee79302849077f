package packaging_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// ofTheProduct are modules that the product needs, or its tests, and the library does not.
var ofTheProduct = regexp.MustCompile(`onsi/ginkgo|onsi/gomega|chromedp|spf13/cobra|modelcontextprotocol|kin-openapi|` +
	`go-pretty|gosaml2|go-oidc|santhosh-tekuri|in-toto|github.com/emaconform/emaconform[@ \n]`)

// A module that imports mockidp has none of these in its module graph, its list of modules or its go.sum, and so
// downloads none of them and has none of their versions chosen for it.
func TestTheLibraryNeedsNothingOfTheProduct(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir, here := t.TempDir(), mustAbs(t, "../mockidp")
	for name, text := range map[string]string{
		"go.mod": "module example.com/consumer\n\ngo 1.26.0\n\nrequire github.com/emaconform/emaconform/mockidp v0.0.0\n\n" +
			"replace github.com/emaconform/emaconform/mockidp => " + here + "\n",
		"consumer_test.go": `package consumer

import (
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	_ "github.com/emaconform/emaconform/mockidp/hostile"
)

func TestMine(t *testing.T) { t.Log(mockidp.New(t).URL()) }
`,
	} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)).To(Succeed())
	}
	command := func(args ...string) string {
		out, err := run(t, dir, "env", append([]string{"GOWORK=off", "GOFLAGS=-mod=mod", "go"}, args...)...)
		g.Expect(err).NotTo(HaveOccurred(), out)
		return out
	}
	command("mod", "tidy")
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	g.Expect(err).NotTo(HaveOccurred())
	required, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	g.Expect(err).NotTo(HaveOccurred())
	for of, text := range map[string]string{"go.mod": string(required), "go.sum": string(sums),
		"go mod graph": command("mod", "graph"), "go list -m all": command("list", "-m", "all")} {
		g.Expect(text).To(ContainSubstring("go-jose"), of)
		g.Expect(ofTheProduct.FindAllString(text, -1)).To(BeEmpty(), of)
	}
}

// Each go.mod says what its own module needs, as it is when nobody resolves it by the workspace.
func TestTheLibraryIsTidy(t *testing.T) {
	t.Parallel()
	out, err := run(t, "../mockidp", "env", "GOWORK=off", "go", "mod", "tidy", "-diff")
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), out)
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
