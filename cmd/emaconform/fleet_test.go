package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/reference"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/fleet"
)

const fleetCheck = "RAS-AUD-EXACT/aud-begins-*" // which the defect aud/begins fails

// reference fleet: connectors that trust each the identity provider of its own configuration.
type referenceFleet struct {
	t    testing.TB
	path string // of the fleet file
	*fleet.Fleet
	options []fixtures.Options
	targets []*reference.Target
}

// newReferenceFleet starts n connectors and writes their fleet file.
func newReferenceFleet(t testing.TB, n int) *referenceFleet {
	t.Helper()
	g := NewWithT(t)
	f := &referenceFleet{t: t, path: filepath.Join(t.TempDir(), "fleet.yaml")}
	var text strings.Builder
	text.WriteString("defaults:\n  scopes: [notes.read, notes.write]\n  timing: {replay: 1500ms, jwks_patience: " +
		"5s}\nconnectors:\n")
	ports := lowPorts(t, 2*n)
	for i := range n {
		issuer := fmt.Sprintf("http://127.0.0.1:%d", ports[i])
		o, err := fixtures.DefaultOptions(fixtures.TrustedIssuer{Issuer: issuer, JWKSURI: issuer + "/oauth2/v1/keys"})
		g.Expect(err).NotTo(HaveOccurred())
		o.Listen = fmt.Sprintf("127.0.0.1:%d", ports[n+i])
		f.options = append(f.options, o)
		target, err := reference.Start(context.WithoutCancel(t.Context()), o)
		g.Expect(err).NotTo(HaveOccurred())
		f.targets = append(f.targets, target)
		a := o.Client(fixtures.ConnectorA)
		fmt.Fprintf(&text, "  - name: c%02d\n    url: %s\n    idp: {issuer: %s, listen: %s}\n", i, target.ResourceURL(0),
			issuer,
			strings.TrimPrefix(issuer, "http://"))
		fmt.Fprintf(&text, "    clients: [{id: %s, auth: client_secret_basic, secret: %s}]\n    users: [{sub: %s}]\n", a.ID,
			a.Secret,
			o.User(fixtures.Alice).Logins[0].Subject)
	}
	t.Cleanup(func() {
		for _, target := range f.targets {
			_ = target.Close()
		}
	})
	g.Expect(os.WriteFile(f.path, []byte(text.String()), 0o600)).To(Succeed())
	var err error
	f.Fleet, err = fleet.Load(f.path)
	g.Expect(err).NotTo(HaveOccurred())
	return f
}

// lowPorts are ports that nothing listens on, and that nobody gets who asks for any: those begin at 32768.
func lowPorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for port := 20000 + rand.IntN(10000); len(ports) < n && port < 32000; port++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		ports = append(ports, port)
	}
	NewWithT(t).Expect(ports).To(HaveLen(n))
	return ports
}

// restart gives a connector other defects.
func (f *referenceFleet) restart(name string, defects ...string) {
	f.t.Helper()
	for i, k := range f.Connectors {
		if k.Name == name {
			NewWithT(f.t).Expect(f.targets[i].Close()).To(Succeed())
			f.options[i].Defects = defects
			target, err := reference.Start(context.WithoutCancel(f.t.Context()), f.options[i])
			NewWithT(f.t).Expect(err).NotTo(HaveOccurred())
			f.targets[i] = target
		}
	}
}

// Thirty connectors on loopback in five shards: one shard is missing, one crashes, and one flaps. The next night all is
// well.
func TestFleet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	f := newReferenceFleet(t, 30)
	reportsOf := filepath.Join(t.TempDir(), "reports")
	shard := func(ctx context.Context, i, attempt int, stdout *bytes.Buffer) int {
		return execute(ctx, []string{"fleet", "run", f.path, "--shard", fmt.Sprintf("%d/5", i+1), "--check", fleetCheck,
			"--out", filepath.Join(reportsOf, fmt.Sprintf("%d-%d", i, attempt))}, stdout, stdout)
	}
	missing, crashed, flapped := f.Shard(0, 5), f.Shard(1, 5), f.Shard(2, 5)
	for _, s := range [][]fleet.Connector{missing, crashed, flapped} {
		g.Expect(s).NotTo(BeEmpty(), "ports were drawn so that a shard is empty: run again")
	}
	// The second shard's job is stopped at once; what it has not judged has no report.
	stopped, stop := context.WithCancel(t.Context())
	stop()
	var out bytes.Buffer
	g.Expect(shard(stopped, 1, 0, &out)).To(Equal(exitInconclusive))
	// A connector of the third fails, its job is tried again, and it passes.
	f.restart(flapped[0].Name, "aud/begins")
	g.Expect(shard(t.Context(), 2, 0, &out)).To(Equal(exitNotConformant), out.String())
	f.restart(flapped[0].Name)
	for i := 2; i < 5; i++ {
		out.Reset()
		g.Expect(shard(t.Context(), i, 1, &out)).To(Equal(exitConformant), out.String())
	}

	merged := t.TempDir()
	trend, metrics := filepath.Join(merged, "trend.jsonl"), filepath.Join(merged, "fleet.prom")
	merge := func(more ...string) result {
		folders, err := filepath.Glob(filepath.Join(reportsOf, "*"))
		g.Expect(err).NotTo(HaveOccurred())
		return emaconform(t, append(append([]string{"fleet", "merge", f.path}, folders...),
			append(more, "--out", merged, "--trend", trend, "--openmetrics", metrics)...)...)
	}
	first := merge()
	g.Expect(first.code).To(Equal(exitInconclusive), first.stdout+first.stderr)
	g.Expect(first.stdout).To(And(ContainSubstring(fmt.Sprintf("%d not judged", len(missing)+len(crashed))),
		ContainSubstring("Another verdict at each attempt: "+flapped[0].Name)))
	yesterday := filepath.Join(t.TempDir(), "fleet.json")
	g.Expect(os.Rename(filepath.Join(merged, "fleet.json"), yesterday)).To(Succeed())

	for i := range 2 {
		out.Reset()
		g.Expect(shard(t.Context(), i, 1, &out)).To(Equal(exitConformant), out.String())
	}
	second := merge("--since", yesterday)
	g.Expect(second.code).To(Equal(exitConformant), second.stdout+second.stderr)
	g.Expect(second.stdout).To(And(ContainSubstring("30 connectors: 30 conformant."),
		ContainSubstring("changed: "+missing[0].Name+": conformant, was not judged")))
	f.formats(g, merged)
	f.trend(g, merged, missing[0].Name)
}

// formats looks at what a merge wrote.
func (f *referenceFleet) formats(g *WithT, dir string) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	var junit struct {
		Tests int `xml:"tests,attr"`
		Suite []struct {
			Name string     `xml:"name,attr"`
			Case []struct{} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	g.Expect(xml.Unmarshal([]byte(read("junit.xml")), &junit)).To(Succeed())
	g.Expect(junit.Suite).To(HaveLen(30))
	g.Expect(junit.Tests).To(Equal(60), "the verdict and one requirement of each")
	g.Expect(strings.Count(read("fleet.html"), `<td class="cell pass"`)).To(Equal(30))
	g.Expect(strings.Count(read("fleet.md"), "| conformant")).To(Equal(30))
	g.Expect(strings.Count(read("fleet.prom"), `verdict="conformant"} 1`)).To(Equal(30))
	var result fleet.Result
	g.Expect(json.Unmarshal([]byte(read("fleet.json")), &result)).To(Succeed())
	for _, k := range result.Connectors {
		g.Expect(k.Verdict).To(Equal(reports.Conformant))
		g.Expect(read("fleet.html")).To(ContainSubstring(">" + k.Name + "</th>"))
	}
}

// trend reads the trend with the SQL that comes with it.
func (f *referenceFleet) trend(g *WithT, dir, changed string) {
	sqlite, err := exec.LookPath("sqlite3")
	if err != nil {
		f.t.Log("sqlite3 is not installed: the trend was not read by its SQL")
		return
	}
	cmd := exec.CommandContext(f.t.Context(), sqlite, "-csv", ":memory:", ".read trend.sql")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(And(ContainSubstring(`,conformant,30`), ContainSubstring(changed+`,"not judged",conformant`)),
		string(out))
}

func TestFleetIsRefusedInOneLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		NewWithT(t).Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		NewWithT(t).Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
		return path
	}
	good := write("fleet.yaml", "connectors: [{name: a, url: 'http://127.0.0.1:1/mcp'}]")
	twice := write("twice.yaml", "connectors: [{name: a, url: 'https://a.example'}, {name: A, url: 'https://b.example'}]")
	for name, try := range map[string]struct {
		args []string
		says string
	}{
		"two of one name":    {[]string{"run", twice}, "two connectors are called A"},
		"shard out of range": {[]string{"run", good, "--shard", "6/5"}, "--shard 6/5: there is no such shard"},
		"no number":          {[]string{"run", good, "--shard", "a/b"}, "--shard a/b: there is no such shard"},
		"no file":            {[]string{"run", filepath.Join(dir, "none.yaml")}, "cannot read the fleet"},
		"none at a time":     {[]string{"run", good, "--parallel", "0"}, "--parallel 0"},
		"no such profile":    {[]string{"run", good, "--profile", "x"}, `--profile "x" is none of`},
		"no folder":          {[]string{"merge", good, filepath.Join(dir, "none")}, "there is no directory"},
		"no earlier result":  {[]string{"merge", good, dir, "--since", good}, "is no result of a fleet"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out := filepath.Join(dir, "out", strings.ReplaceAll(name, " ", "-"))
			r := emaconform(t, append(append([]string{"fleet"}, try.args...), "--out", out)...)
			g.Expect(r.code).To(Equal(exitUsage), r.stdout+r.stderr)
			g.Expect(r.stderr).To(ContainSubstring(try.says))
			g.Expect(strings.Count(strings.TrimSpace(r.stderr), "\n")).To(BeZero(), r.stderr)
			g.Expect(out).NotTo(BeADirectory(), "nothing is half-written")
		})
	}
}

// A directory of configurations is a fleet, too.
func TestFleetOfADirectory(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"defaults.yaml": "scopes: [read]", "notes.yaml": "url: https://notes.example/mcp",
		"b.yml": "name: tickets\nurl: https://b.example/mcp",
	} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)).To(Succeed())
	}
	f, err := fleet.Load(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Connectors).To(HaveLen(2))
	for _, k := range f.Connectors {
		g.Expect(k.Name).To(BeElementOf("notes", "tickets"))
		g.Expect(k.Config.Scopes).To(Equal([]string{"read"}))
	}
	// Each listens on the default port of its own, so that both can be judged at a time; a fixed one is waited for.
	g.Expect(fleet.Groups(f.Connectors)).To(HaveLen(2))
	for i := range f.Connectors {
		f.Connectors[i].Config.IdP.Listen = "0.0.0.0:9443"
	}
	g.Expect(fleet.Groups(f.Connectors)).To(HaveLen(1))
}
