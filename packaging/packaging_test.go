// Package packaging_test builds what a release consists of, and uses it as its users would.
package packaging_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
)

// binary is the program as it is released, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "emaconform-packaging-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "emaconform")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "../cmd/emaconform")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// run runs a command and returns what it wrote to both streams.
func run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func program(t *testing.T) string {
	t.Helper()
	path, err := binary()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return path
}

// The container's root file system, as the Dockerfile describes it, read-only and for a user without rights: a run of
// the reference target works in it.
func TestContainer(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("needs root on Linux, to enter a root file system of its own")
	}
	root := t.TempDir()
	g.Expect(os.Chmod(filepath.Dir(root), 0o755)).To(Succeed()) // a user without rights has to get there
	d := readDockerfile(t)
	g.Expect(d["FROM"]).To(Equal("scratch"))
	source, destination, _ := strings.Cut(d["COPY"], " ")
	g.Expect(source).To(Equal("bin/emaconform"), "what `make build` makes")
	data, err := os.ReadFile(program(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(data)).To(BeNumerically("<=", 40<<20), "the image is this file")
	g.Expect(os.WriteFile(filepath.Join(root, destination), data, 0o755)).To(Succeed())
	reports := filepath.Join(root, d["WORKDIR"])
	for _, dir := range []string{reports, filepath.Join(root, "proc")} {
		g.Expect(os.MkdirAll(dir, 0o755)).To(Succeed())
	}
	g.Expect(os.Chmod(reports, 0o777)).To(Succeed())
	var entry []string
	g.Expect(json.Unmarshal([]byte(d["ENTRYPOINT"]), &entry)).To(Succeed())

	// What a container engine does: namespaces, /proc, a volume, and the rest read-only.
	script := `set -e
mount --bind "$1" "$1"; mount -t proc proc "$1/proc"; mount --bind "$1$2" "$1$2"; mount -o remount,bind,ro "$1"
! touch "$1/written" 2>/dev/null
cd "$1"
exec env -i "$5" PATH="$PATH" chroot --userspec="$3" "$1" "$4" server --quiet --check 'RAS-AUD-*' --out "$2/out"`
	out, err := run(t, "", "unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "sh",
		root, d["WORKDIR"], d["USER"], entry[0], d["ENV"])
	if strings.Contains(out, "Operation not permitted") {
		t.Skip("this machine does not let root make namespaces")
	}
	g.Expect(err).NotTo(HaveOccurred(), out)
	for _, name := range []string{"report.json", "report.html", "junit.xml", "summary.md"} {
		g.Expect(filepath.Join(reports, "out", name)).To(BeAnExistingFile())
	}
	left, err := os.ReadDir(reports)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(HaveLen(1), "nothing but the reports stays")
}

// readDockerfile returns the instructions of the Dockerfile, each of which it has once.
func readDockerfile(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../Dockerfile")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	instructions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && name != "#" {
			instructions[name] = rest
		}
	}
	return instructions
}

// The npm packages, installed from their archives without a network, run the binary and pass on how it ended.
func TestNPM(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, command := range []string{"node", "npm"} {
		if _, err := exec.LookPath(command); err != nil {
			t.Skip(command + " is not installed")
		}
	}
	architecture, ok := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if !ok {
		t.Skip("there is no package for " + runtime.GOARCH)
	}
	platform, dir := runtime.GOOS+"-"+architecture, t.TempDir()
	out, err := run(t, "", "node", "npm/build.mjs", "1.2.3", dir, platform+"="+program(t))
	g.Expect(err).NotTo(HaveOccurred(), out)
	for _, name := range []string{platform, "emaconform"} {
		out, err = run(t, dir, "npm", "pack", "--silent", "./"+name)
		g.Expect(err).NotTo(HaveOccurred(), out)
	}
	user := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(user, "package.json"), []byte(`{"private":true}`), 0o644)).To(Succeed())
	out, err = run(t, user, "npm", "install", "--offline", "--no-audit", "--no-fund",
		filepath.Join(dir, "emaconform-"+platform+"-1.2.3.tgz"), filepath.Join(dir, "emaconform-1.2.3.tgz"))
	g.Expect(err).NotTo(HaveOccurred(), out)
	out, err = run(t, user, "npx", "--offline", "emaconform", "version")
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).To(ContainSubstring("catalogue"))
	_, err = run(t, user, "npx", "--offline", "emaconform", "server", "--nonsense")
	var exit *exec.ExitError
	g.Expect(err).To(BeAssignableToTypeOf(exit))
	g.Expect(err.(*exec.ExitError).ExitCode()).To(Equal(2)) //nolint:errorlint // asserted above

	g.Expect(os.RemoveAll(filepath.Join(user, "node_modules", "@emaconform"))).To(Succeed())
	out, err = run(t, user, "npx", "--offline", "emaconform", "version")
	g.Expect(err).To(HaveOccurred())
	g.Expect(out).To(ContainSubstring("@emaconform/" + platform + " is not installed"))
}

// Man pages and completions are made for the archives of a release.
func TestExtras(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	out, err := run(t, "..", "go", "run", "./packaging/extras", dir)
	g.Expect(err).NotTo(HaveOccurred(), out)
	for name, has := range map[string]string{
		"man/emaconform.1": ".TH", "man/emaconform-mockidp.1": "audience",
		"completions/emaconform.bash": "__start_emaconform",
		"completions/_emaconform":     "#compdef emaconform", "completions/emaconform.fish": "complete -c emaconform",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(bytes.Contains(data, []byte(has))).To(BeTrue(), "%s should contain %s", name, has)
	}
}
