package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/prove"
)

// deployed is a vendor's connector: the reference target behind a server of the vendor's, which may serve proofs. It is
// not the built-in target to anybody.
type deployed struct {
	config, url string
	proof       atomic.Pointer[string] // what is served below /.well-known/emaconform/; nil: nothing
	once        bool                   // the proof is gone after it was asked for
}

// newDeployed starts a connector and writes its configuration.
func newDeployed(t *testing.T) *deployed {
	t.Helper()
	g := NewWithT(t)
	f := newReferenceFleet(t, 1)
	d := &deployed{config: filepath.Join(t.TempDir(), "ema.yaml")}
	k := f.Connectors[0].Config
	behind, err := url.Parse(k.URL)
	g.Expect(err).NotTo(HaveOccurred())
	behind.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := d.proof.Load(); p != nil && strings.HasPrefix(r.URL.Path, "/.well-known/emaconform/") {
			_, _ = w.Write([]byte(*p))
			if d.once {
				d.proof.Store(nil)
			}
			return
		}
		r.Host = behind.Host
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	text := fmt.Sprintf("name: notes\nurl: %s/mcp\nresource: %s\nallowed_hosts: [%s]\nidp: {issuer: %s, listen: %s}\n",
		front.URL, k.URL,
		behind.Host, k.IdP.Issuer, k.IdP.Listen)
	text += fmt.Sprintf("clients: [{id: %s, auth: client_secret_basic, secret: %s}]\nusers: [{sub: %s}]\nscopes: "+
		"[notes.read, notes.write]\n",
		k.Clients[0].ID, k.Clients[0].Secret, k.Users[0].Sub)
	g.Expect(os.WriteFile(d.config, []byte(text), 0o600)).To(Succeed())
	d.url = front.URL + "/mcp"
	return d
}

// serving lets it prove itself by this nonce.
func (d *deployed) serving(nonce string) *deployed {
	proof := prove.Of(nonce)
	d.proof.Store(&proof)
	return d
}

// attest judges it and makes a statement of the result, signed with a key of the vendor's.
func (d *deployed) attest(t *testing.T, flags ...string) (statement, key string, run result) {
	t.Helper()
	g := NewWithT(t)
	run = emaconform(t, append([]string{"server", "--config", d.config, "--quiet", "--check", fleetCheck}, flags...)...)
	g.Expect(run.code).To(Equal(exitConformant), run.stdout+run.stderr)
	key = filepath.Join(t.TempDir(), "vendor.key")
	g.Expect(emaconform(t, "keygen", "--out", key).code).To(Equal(exitConformant))
	r := emaconform(t, "attest", filepath.Join(run.dir, "report.json"), "--key", key)
	g.Expect(r.code).To(Equal(exitConformant), r.stderr)
	return filepath.Join(run.dir, "statement.json"), key + ".pub", run
}

// From the run to the customer: the target proves itself, the statement says so, and it is still the same target.
func TestVendorProvesAndCustomerVerifies(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := newDeployed(t).serving("ask-42")
	statement, key, run := d.attest(t, "--prove", "--nonce", "ask-42")
	g.Expect(run.report(t).Proof).To(HaveValue(And(HaveField("Before", true), HaveField("After", true))))

	r := emaconform(t, "verify", statement, "--key", key, "--nonce", "ask-42", "--target", d.url)
	g.Expect(r.code).To(Equal(exitConformant), r.stdout+r.stderr)
	told := unwrapped(r.stdout)
	g.Expect(told).To(And(ContainSubstring("VERIFIED: conformant (partial)"),
		ContainSubstring("it served the run's nonce before and after"),
		ContainSubstring("is what was judged"), ContainSubstring("anything about a public deployment")))
	g.Expect(strings.Count(r.stdout, "\n")).To(BeNumerically("<=", 20))

	r = emaconform(t, "verify", statement, "--key", key, "--nonce", "another")
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(r.stdout).To(ContainSubstring("not the one that was asked for"))

	r = emaconform(t, "verify", statement, "--key", key, "--target", "http://127.0.0.1:1/mcp")
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(r.stdout).To(ContainSubstring("NOT VERIFIED"))

	r = emaconform(t, "verify", statement, "--key", key, "--rerun", "-1", "--config", d.config)
	g.Expect(r.code).To(Equal(exitUsage))
	g.Expect(r.stderr).To(ContainSubstring("--rerun -1: expected how many checks"))
	r = emaconform(t, "verify", statement, "--key", key, "--rerun", "20", "--config", d.config)
	g.Expect(r.code).To(Equal(exitConformant), r.stdout+r.stderr)
	g.Expect(r.stdout).To(MatchRegexp(`\d of the passed checks ran again`))
	other := newDeployed(t)
	r = emaconform(t, "verify", statement, "--key", key, "--rerun", "20", "--config", other.config)
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(unwrapped(r.stdout)).To(ContainSubstring("reaches another target"))
}

// A proof that is taken down before the run is over proves nothing.
func TestProofThatIsTakenDown(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := newDeployed(t).serving("ask-43")
	d.once = true
	statement, key, run := d.attest(t, "--prove", "--nonce", "ask-43")
	g.Expect(run.report(t).Proof).To(HaveValue(And(HaveField("Before", true), HaveField("After", false))))
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	g.Expect(os.WriteFile(policy, []byte("proof: true\n"), 0o600)).To(Succeed())
	r := emaconform(t, "verify", statement, "--key", key, "--policy", policy)
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(unwrapped(r.stdout)).To(And(
		ContainSubstring("nothing proves that the run was against the target"),
		ContainSubstring("not served before and after")))
}

// The list of results takes a statement that satisfies its policy, and makes a page of all.
func TestResultsOfVendors(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := newDeployed(t).serving("list")
	statement, key, _ := d.attest(t, "--prove", "--nonce", "list")
	list, page := t.TempDir(), filepath.Join(t.TempDir(), "results.html")
	at := filepath.Join(list, "acme", "notes", "1.0")
	g.Expect(os.MkdirAll(at, 0o755)).To(Succeed())
	for from, to := range map[string]string{statement: filepath.Join(at, "statement.json"),
		key: filepath.Join(list, "acme", "vendor.key.pub")} {
		data, err := os.ReadFile(from)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(to, data, 0o600)).To(Succeed())
	}
	policy := filepath.Join(list, "policy.yaml")
	g.Expect(os.WriteFile(policy, []byte("level: partial\nproof: true\n"), 0o600)).To(Succeed())
	r := emaconform(t, "results", list, "--out", page)
	g.Expect(r.code).To(Equal(exitConformant), r.stdout+r.stderr)
	text, err := os.ReadFile(page)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(ContainSubstring("acme notes 1.0"),
		ContainSubstring("<td>ras</td><td>conformant</td><td>ema</td>"),
		ContainSubstring("before and after")))

	// The policy of this repository takes public deployments alone; a page with one that does not hold is not written.
	real, err := os.ReadFile("../../results/policy.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(policy, real, 0o600)).To(Succeed())
	g.Expect(os.Remove(page)).To(Succeed())
	r = emaconform(t, "results", list, "--out", page)
	g.Expect(r.code).To(Equal(exitNotConformant))
	g.Expect(r.stderr).To(ContainSubstring("a public one is demanded"))
	g.Expect(page).NotTo(BeAnExistingFile())
}

// An interrupted run is never a certificate, and a baseline stands in the statement by digest.
func TestWhatAStatementSaysOfItsRun(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := newDeployed(t)
	baseline := filepath.Join(t.TempDir(), "baseline.yaml")
	g.Expect(os.WriteFile(baseline, []byte("- {check: RAS-AUD-EXACT, reason: later}\n"), 0o600)).To(Succeed())
	statement, _, run := d.attest(t, "--baseline", baseline)
	raw, err := os.ReadFile(statement)
	g.Expect(err).NotTo(HaveOccurred())
	var envelope struct{ Payload []byte }
	g.Expect(json.Unmarshal(raw, &envelope)).To(Succeed())
	var made struct {
		Predicate struct {
			Target   reports.Target
			Baseline string `json:"baseline_digest"`
		}
	}
	g.Expect(json.Unmarshal(envelope.Payload, &made)).To(Succeed())
	data, err := os.ReadFile(baseline)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Predicate.Baseline).To(Equal(reports.Digest(data)))
	g.Expect(made.Predicate.Target.Version).NotTo(BeEmpty())

	report := run.report(t)
	report.Ended, report.Problem = "interrupted", "stopped by hand"
	report.Checks, report.NotRun = nil, nil
	reports.Finish(report)
	_, err = reports.WriteAll(run.dir, report, []string{"json"})
	g.Expect(err).NotTo(HaveOccurred())
	r := emaconform(t, "attest", filepath.Join(run.dir, "report.json"), "--statement-only", "--out",
		filepath.Join(run.dir, "new"))
	g.Expect(r.code).To(Equal(exitUsage))
	g.Expect(r.stderr).To(ContainSubstring("an interrupted run is never a certificate"))
	g.Expect(filepath.Join(run.dir, "new")).NotTo(BeADirectory(), "nothing is half-written")
}
