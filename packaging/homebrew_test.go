package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// The Homebrew formula names the archive of each system by its digest, and installs what is in it.
func TestHomebrewFormula(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	checksums := filepath.Join(t.TempDir(), "checksums.txt")
	var text strings.Builder
	for i, system := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"} {
		fmt.Fprintf(&text, "%064d  emaconform_1.2.3_%s.tar.gz\n", i, system)
	}
	g.Expect(os.WriteFile(checksums, []byte(text.String()), 0o600)).To(Succeed())
	formula, err := run(t, "..", "go", "run", "./packaging/homebrew", "1.2.3", checksums)
	g.Expect(err).NotTo(HaveOccurred(), formula)
	for i, in := range []string{
		"on_macos do.*on_intel", "on_macos do.*on_arm", "on_linux do.*on_intel", "on_linux do.*on_arm",
	} {
		g.Expect(formula).To(MatchRegexp(`(?s)%s do\s+url "https://[^"]+"\s+sha256 "%064d"`, in, i))
	}
	config, err := os.ReadFile("../.goreleaser.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	for _, path := range regexp.MustCompile(`dist-extras/\w+/`).FindAllString(formula, -1) {
		g.Expect(string(config)).To(ContainSubstring(path+"*"), "the archives have what the formula installs")
	}
	if ruby, err := exec.LookPath("ruby"); err == nil {
		file := filepath.Join(t.TempDir(), "emaconform.rb")
		g.Expect(os.WriteFile(file, []byte(formula), 0o600)).To(Succeed())
		out, err := run(t, "", ruby, "-c", file)
		g.Expect(err).NotTo(HaveOccurred(), out)
	}

	g.Expect(os.WriteFile(checksums, []byte("abc  emaconform_1.2.3_darwin_arm64.tar.gz\n"), 0o600)).To(Succeed())
	out, err := run(t, "..", "go", "run", "./packaging/homebrew", "1.2.3", checksums)
	g.Expect(err).To(HaveOccurred())
	g.Expect(out).To(ContainSubstring("no SHA-256 digest of emaconform_1.2.3_darwin_arm64.tar.gz"))
}
