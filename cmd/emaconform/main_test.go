package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/drive"
	"github.com/emaconform/emaconform/suites/engine"
)

// Runs start workers by re-executing this binary.
func TestMain(m *testing.M) {
	engine.WorkerMain()
	drive.Main()
	fixture.Main()
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(withConfigOfItsOwn(m))
}

// withConfigOfItsOwn runs the tests with a directory for what commands keep for their user: the user's own is not for
// tests.
func withConfigOfItsOwn(m *testing.M) int {
	dir, err := os.MkdirTemp("", "emaconform-test-config-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Setenv("XDG_CONFIG_HOME", dir); err != nil {
		panic(err)
	}
	return m.Run()
}

// asCommand is set where a test wants the command as a process of its own.
const asCommand = "EMACONFORM_INTERNAL_TEST_MAIN"

// process is the command as a process of its own, which is killed at the end of the test.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
	dir            string // where it was told to write reports
}

// unwrapped is text on one line, however wide the terminal was that it was laid out for.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

// emaconform runs a command in this process, with its reports in a folder of the test's.
func emaconform(t *testing.T, args ...string) result {
	t.Helper()
	r := result{dir: filepath.Join(t.TempDir(), "out")}
	if args[0] == "server" {
		args = append(args, "--out", r.dir)
	}
	var stdout, stderr bytes.Buffer
	r.code = execute(t.Context(), args, &stdout, &stderr)
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

func (r result) report(t *testing.T) *reports.Report {
	t.Helper()
	file, err := os.Open(filepath.Join(r.dir, "report.json"))
	if err != nil {
		t.Fatalf("no report: %v\n%s%s", err, r.stdout, r.stderr)
	}
	defer file.Close()
	report, err := reports.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestMistakesOnTheCommandLineAreUsageErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"server", "--sped", "9"}, "unknown flag: --sped"},
		{[]string{"server", "--profile", "oidc"}, `--profile "oidc" is none of: ema, hardened, id-jag, next`},
		{[]string{"server", "--format", "pdf"}, `--format "pdf" is none of`},
		{[]string{"server", "--check", "RAS-NONE"}, `no check matches "RAS-NONE"`},
		{[]string{"server", "--label", "ras &&"}, "label filter"},
		{[]string{"server", "--label", "must && !slwo"}, `no check has the label "slwo"`},
		{[]string{"server", "--config", missing}, "cannot read the configuration"},
		{[]string{"server", "--baseline", missing}, missing},
		{[]string{"server", "--url", "mcp.example"}, `url: "mcp.example" is no http or https URL`},
		{[]string{"server", "--url", "http://127.0.0.1:1/mcp", "--user", "alice"}, "clients: none"},
		{[]string{"server", "--url", "http://127.0.0.1:1/mcp", "--defect", "x"}, "are for the reference target"},
		{[]string{"server", "--defect", "x"}, `there is no defect "x"`},
		{[]string{"server", "--write-baseline", missing + "/b.yaml"}, "--write-baseline: open " + missing},
		{[]string{"server", "--workers", "-1"}, "--workers -1: expected 0 (choose for me) or more"},
		{[]string{"server", "--round-trip", "-1s"}, "--round-trip -1s: expected 0 or more"},
		{[]string{"server", "--timeout", "0"}, "--timeout 0s: expected more than 0"},
		{[]string{"server", "--check-timeout", "-5s"}, "--check-timeout -5s: expected more than 0"},
		{[]string{"server", "--request-timeout", "0s"}, "--request-timeout 0s: expected more than 0"},
		{[]string{"explain", "RAS-REPLAY"}, `there is no check and no requirement "RAS-REPLAY"`},
		{[]string{"list", "--role", "judge"}, `--role "judge" is none of`},
		{[]string{"render", missing}, "there is no file " + missing},
	} {
		r := emaconform(t, c.args...)
		g := NewWithT(t)
		g.Expect(r.code).To(Equal(exitUsage), "%v", c.args)
		g.Expect(r.stderr).To(ContainSubstring(c.says), "%v", c.args)
		g.Expect(strings.Count(r.stderr, "emaconform: ")).To(Equal(1), "%v says it once", c.args)
	}
}

func TestAFlagWinsOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "ema.yaml")
	g.Expect(os.WriteFile(file, []byte("name: file\nurl: http://file.example\nresource: https://file.example\n"),
		0o600)).To(Succeed())
	s, flags := &settings{}, pflag.NewFlagSet("server", pflag.ContinueOnError)
	s.add(flags)
	g.Expect(flags.Parse([]string{"--resource", "https://flag.example"})).To(Succeed())
	g.Expect(fromEnvironment(flags, []string{"EMACONFORM_NAME=environment",
		"EMACONFORM_RESOURCE=https://environment.example", "HOME=/"})).To(Succeed())
	c, err := s.load(file, flags)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{c.URL, c.Name, c.Resource}).To(Equal([]string{"http://file.example", "environment",
		"https://flag.example"}))
}

func TestUnknownEnvironmentVariableIsAnError(t *testing.T) {
	t.Setenv("EMACONFORM_CLEINT_ID", "x")
	for _, role := range []string{"server", "client"} {
		r := emaconform(t, role)
		NewWithT(t).Expect(r.code).To(Equal(exitUsage))
		says := "environment variable EMACONFORM_CLEINT_ID: there is no such setting"
		NewWithT(t).Expect(r.stderr).To(ContainSubstring(says))
	}
}

// A CI job exports its variables once for all its steps.
func TestVariablesOfAnotherRoleAreLeftAlone(t *testing.T) {
	for name, value := range map[string]string{
		"URL": "http://127.0.0.1:1/mcp", "CLIENT_ID": "connector-a", // of server
		"PARALLEL": "2", "LISTEN": "127.0.0.1:0", // of client, one of them for another kind of run
	} {
		t.Setenv("EMACONFORM_"+name, value)
	}
	r := emaconform(t, "server", "--format", "pdf")
	NewWithT(t).Expect(r.stderr).To(ContainSubstring(`--format "pdf" is none of`), "it got beyond its settings")
	r = emaconform(t, "client", "--format", "pdf")
	NewWithT(t).Expect(r.stderr).To(ContainSubstring(`--format "pdf" is none of`))
}
