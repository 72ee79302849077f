package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

var jwt = regexp.MustCompile(`eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}`)

// The first thing that a newcomer does.
func TestServerJudgesTheReferenceTarget(t *testing.T) {
	g := NewWithT(t)
	r := emaconform(t, "server")
	report := r.report(t)
	for _, c := range report.Checks {
		g.Expect(c.Outcome).To(Or(Equal(reports.Pass), Equal(reports.Skip)), "%s: %s", c.ID, c.Message)
	}
	g.Expect(r.code).To(Equal(exitConformant))
	g.Expect(r.stdout).To(ContainSubstring("CONFORMANT"))
	g.Expect(report.Verdict).To(Equal(reports.Conformant))
	g.Expect(report.Checks).To(HaveLen(len(check.AllIn("ema", "ras", "rs"))))

	said := r.stdout + r.stderr
	files, err := os.ReadDir(r.dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(files).To(HaveLen(4))
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(r.dir, f.Name()))
		g.Expect(err).NotTo(HaveOccurred())
		said += string(content)
	}
	g.Expect(len(jwt.FindAllString(said, -1))).To(BeZero(), "whole tokens in what was printed or written")
}

func TestServerFindsADefect(t *testing.T) {
	g := NewWithT(t)
	r := emaconform(t, "server", "--defect", "aud/begins", "--check", "RAS-AUD-EXACT")
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(r.stdout).To(ContainSubstring("NOT CONFORMANT"))
	g.Expect(r.report(t).Target.Defects).To(Equal([]string{"aud/begins"}))

	baseline := filepath.Join(t.TempDir(), "baseline.yaml")
	emaconform(t, "server", "--defect", "aud/begins", "--check", "RAS-AUD-EXACT", "--write-baseline", baseline)
	r = emaconform(t, "server", "--defect", "aud/begins", "--check", "RAS-AUD-EXACT", "--baseline", baseline)
	g.Expect(r.code).To(Equal(exitConformant), "what is listed does not gate")
	g.Expect(r.stdout).To(ContainSubstring("NOT CONFORMANT"), "but the verdict stays what it is")
	r = emaconform(t, "server", "--check", "RAS-AUD-EXACT", "--baseline", baseline)
	g.Expect(r.code).To(Equal(exitConformant))
	g.Expect(r.report(t).Baseline.Stale).NotTo(BeEmpty(), "what passes now is to be taken off the list")
}

// A baseline is only replaced by what a whole run found.
func TestABaselineOutlivesARunThatFails(t *testing.T) {
	g := NewWithT(t)
	before := filepath.Join(t.TempDir(), "baseline.yaml")
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	g.Expect(os.WriteFile(before, []byte("precious"), 0o600)).To(Succeed())
	for code, args := range map[int][]string{
		exitUsage:        {"server", "--defect", "aud/begins", "--check", "RAS-NONE"},
		exitInconclusive: {"server", "--timeout", "1ms"},
	} {
		for _, path := range []string{before, missing} {
			g.Expect(emaconform(t, append(args, "--write-baseline", path)...).code).To(Equal(code))
		}
		g.Expect(os.ReadFile(before)).To(BeEquivalentTo("precious"))
		g.Expect(missing).NotTo(BeAnExistingFile())
	}
}

// listener is a run's progress that calls functions.
type listener struct {
	started  func(id string)
	finished func(reports.Check)
}

func (listener) Step(reports.Step) {}
func (listener) Planned(int)       {}
func (listener) Waiting(string)    {}
func (l listener) Started(id string) {
	if l.started != nil {
		l.started(id)
	}
}
func (l listener) Finished(c reports.Check) {
	if l.finished != nil {
		l.finished(c)
	}
}

// judge runs the suite against a reference target that a test has adjusted.
func judge(ctx context.Context, t *testing.T, reference *demo.Target, change func(*run.Options)) *reports.Report {
	t.Helper()
	t.Cleanup(reference.Close)
	o := run.Options{Config: &target.Config{}}
	if err := reference.Configure(&o); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	report, err := run.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Where every new user is stuck first: each missing piece of trust is named.
func TestPreflightNamesTheMissingPieceOfTrust(t *testing.T) {
	nowhere := closedPort(t) + "/keys"
	for name, c := range map[string]struct {
		adjust   func(*fixtures.Options)
		fix      string
		resource string // what the configuration calls the MCP server, when that is wrong
	}{
		"issuer": {func(o *fixtures.Options) { o.Issuers[0].Issuer = "https://other.example" },
			"trusted issuers, exactly as it stands here", ""},
		"keys":   {func(o *fixtures.Options) { o.Issuers[0].JWKSURI = nowhere }, "never fetched our keys", ""},
		"client": {func(o *fixtures.Options) { o.Clients[0].Secret = "another" }, `Register client "connector-a"`, ""},
		"user":   {func(o *fixtures.Options) { o.Users = o.Users[1:] }, "Create an account for subject", ""},
		"scope": {func(o *fixtures.Options) { o.Clients[0].Scopes = []string{fixtures.ScopeAdmin} },
			"Allow the scopes", ""},
		"resource": {nil, "Register the resource https://other.example/mcp", "https://other.example/mcp"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			report := judge(t.Context(), t, &demo.Target{Adjust: c.adjust}, func(o *run.Options) {
				o.Config.Resource = c.resource
			})
			g.Expect(report.Ended).To(Equal(engine.EndedPreflight))
			g.Expect(report.Verdict).To(Equal(reports.NoVerdict))
			g.Expect(report.Problem).To(ContainSubstring(c.fix))
			g.Expect(report.Checks).To(BeEmpty())
		})
	}
}

func TestAnInterruptStillGivesAReport(t *testing.T) {
	g := NewWithT(t)
	ctx, interrupt := context.WithCancel(t.Context())
	report := judge(ctx, t, &demo.Target{}, func(o *run.Options) {
		o.Progress = listener{finished: func(c reports.Check) {
			if c.Outcome == reports.Pass {
				interrupt()
			}
		}}
	})
	g.Expect(report.Ended).To(Equal(engine.EndedInterrupted))
	g.Expect(report.Verdict).To(Equal(reports.NoVerdict))
	g.Expect(report.Checks).To(HaveLen(len(check.AllIn("ema", "ras", "rs"))))
	g.Expect(report.Checks).To(ContainElement(HaveField("Outcome", reports.Pass)), "what was measured is kept")
	g.Expect(report.Checks).To(ContainElement(HaveField("Message", ContainSubstring("not run"))))
}

func TestTheTimeLimitOfARunEndsIt(t *testing.T) {
	report := judge(t.Context(), t, &demo.Target{RoundTrip: 50_000_000}, func(o *run.Options) {
		o.Config.Timing.Run = 1_500_000_000
	})
	NewWithT(t).Expect(report.Ended).To(Equal(engine.EndedTimeLimit))
	NewWithT(t).Expect(report.Problem).To(ContainSubstring("the run's time limit of 1.5s (--timeout, timing.run) is over"))
}

func TestATargetThatDiesInMidRunIsNoticed(t *testing.T) {
	g := NewWithT(t)
	reference := &demo.Target{}
	var passed atomic.Int32
	report := judge(t.Context(), t, reference, func(o *run.Options) {
		o.Progress = listener{finished: func(c reports.Check) {
			if c.Outcome == reports.Pass && passed.Add(1) == 5 {
				reference.Close()
			}
		}}
	})
	g.Expect(report.Ended).To(Equal(engine.EndedTargetLost), report.Problem)
	g.Expect(report.Verdict).To(Equal(reports.NoVerdict))
	g.Expect(report.Counts()[reports.Pass]).To(BeNumerically(">=", 5))
	g.Expect(report.Counts()[reports.Fail]).To(BeZero(), "a dead target broke no requirement")
}

// A worker that dies costs the check that it was running, and no other.
func TestAWorkerThatDiesCostsOneCheck(t *testing.T) {
	const victim = "RAS-JTI-REPLAY/until-expiry" // which waits, so that it is what the signal meets
	g := NewWithT(t)
	var killed atomic.Bool
	report := judge(t.Context(), t, &demo.Target{}, func(o *run.Options) {
		o.Workers = 1
		o.Selection.Checks = []string{"RAS-AUD-EXACT", victim}
		o.Progress = listener{started: func(id string) {
			if id == victim { // beside others at first, then alone, for it is one of those that may have done it
				killed.Store(true)
				kill(t)
			}
		}}
	})
	g.Expect(killed.Load()).To(BeTrue())
	g.Expect(report.Ended).To(BeEmpty())
	for _, c := range report.Checks {
		if c.ID == victim {
			g.Expect(c.Outcome).To(Equal(reports.Inconclusive))
			g.Expect(c.Message).To(ContainSubstring("the worker process ended early"))
			continue
		}
		g.Expect(c.Outcome).To(Equal(reports.Pass), "%s: %s", c.ID, c.Message)
	}
}

// kill ends the child processes of this test: its workers.
func kill(t *testing.T) {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(threads) == 0 {
		t.Skip("needs /proc")
	}
	for _, file := range threads {
		content, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(content)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

func TestReportsThatCannotBeWrittenAreSaid(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "file")
	g.Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
	var out, errs strings.Builder
	code := execute(t.Context(), []string{"server", "--check", "RAS-HAPPY", "--out", filepath.Join(file, "x")}, &out,
		&errs)
	g.Expect(code).To(Equal(exitUsage))
	g.Expect(errs.String()).To(ContainSubstring("cannot make the folder for reports"))
	g.Expect(errs.String()).NotTo(ContainSubstring("RAS-HAPPY"), "it is said before the run")

	dir := t.TempDir()
	g.Expect(os.Mkdir(filepath.Join(dir, "report.html"), 0o700)).To(Succeed()) // in the way of the file
	out.Reset()
	errs.Reset()
	code = execute(t.Context(), []string{"server", "--check", "RAS-HAPPY", "--out", dir}, &out, &errs)
	g.Expect(code).To(Equal(exitUsage))
	g.Expect(out.String()).To(ContainSubstring("CONFORMANT"), "the verdict is not lost")
	g.Expect(errs.String()).To(ContainSubstring("cannot write " + filepath.Join(dir, "report.html")))
	g.Expect(filepath.Join(dir, "report.json")).To(BeAnExistingFile(), "nor are the other reports")
}

// The demo serves the mock IdP over https; http on loopback works as well.
func TestServerOverHTTP(t *testing.T) {
	report := judge(t.Context(), t, &demo.Target{}, func(o *run.Options) {
		o.Config.IdP.CA = ""
		o.Selection.Checks = []string{"RAS-HAPPY", "RAS-ISS-TRUSTED/*", "RAS-TLS/*"}
	})
	NewWithT(t).Expect(report.Verdict).To(Equal(reports.Conformant), "%s %v", report.Problem, report.Counts())
	NewWithT(t).Expect(report.Target.TrustedIssuers[0]).To(HavePrefix("http://"))
	NewWithT(t).Expect(report.Checks).To(ContainElement(HaveField("Message", ContainSubstring("(idp.ca)"))),
		"skipped, with the key")
}

// A target that has the exported keys needs to reach nobody: what needs that is skipped.
func TestServerWithExportedKeys(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "keys.json")
	keys, err := mockidp.LoadOrCreateKeySet(path, jose.ES256)
	g.Expect(err).NotTo(HaveOccurred())
	exported := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(keys.Public())
	}))
	t.Cleanup(exported.Close)
	reference := &demo.Target{Adjust: func(o *fixtures.Options) { o.Issuers[0].JWKSURI = exported.URL }}
	report := judge(t.Context(), t, reference, func(o *run.Options) {
		o.Config.IdP = target.IdP{Listen: "none", Issuer: "https://idp.static.example", Keys: path, Alg: "ES256"}
		o.Selection.Checks = []string{"RAS-HAPPY", "RAS-AUD-EXACT/missing", "RAS-JWKS-ROTATION/new-key",
			"RAS-SIG-VERIFY/*jku*"}
	})
	g.Expect(report.Verdict).To(Equal(reports.Conformant), "%s %v", report.Problem, report.Counts())
	for _, c := range report.Checks {
		if strings.HasPrefix(c.ID, "RAS-JWKS-ROTATION") {
			g.Expect(c.Outcome).To(Equal(reports.Skip))
			g.Expect(c.Message).To(ContainSubstring("(idp.listen)"))
		}
	}
}
