package packaging_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

// Sigstore's own verifier takes both statements of a vendor, with the vendor's key and no other, and as they were
// signed.
func TestSigstoreVerifiesStatements(t *testing.T) {
	t.Parallel()
	g, verifier, dir := NewWithT(t), tool(t, "sigstore"), t.TempDir()
	for _, args := range [][]string{
		{"server", "--quiet", "--check", "RAS-AUD-EXACT/aud-begins-*", "--out", "reports"},
		{"keygen", "--out", "vendor.key"},
		{"keygen", "--out", "other.key"},
		{"attest", "reports/report.json", "--key", "vendor.key", "--out", "signed"},
	} {
		out, err := run(t, dir, program(t), args...)
		g.Expect(err).NotTo(HaveOccurred(), out)
	}
	for file, predicate := range map[string]string{
		"statement.json":   "https://emaconform.dev/attestation/conformance/v1",
		"test-result.json": "https://in-toto.io/attestation/test-result/v0.1",
	} {
		signed := filepath.Join(dir, "signed", file)
		verify := func(statement, key string) (string, error) {
			return run(t, dir, verifier[0], append(verifier[1:], statement, key)...)
		}
		out, err := verify(signed, "vendor.key.pub")
		g.Expect(err).NotTo(HaveOccurred(), out)
		g.Expect(out).To(Equal("application/vnd.in-toto+json https://in-toto.io/Statement/v1 " + predicate + "\n"))
		out, err = verify(signed, "other.key.pub")
		g.Expect(err).To(HaveOccurred())
		g.Expect(out).To(ContainSubstring("SIGNATURE_ERROR"))

		text, err := os.ReadFile(signed)
		g.Expect(err).NotTo(HaveOccurred())
		at := bytes.Index(text, []byte(`"payload"`)) + 100 // in the middle of it
		text[at] = map[bool]byte{true: 'B', false: 'A'}[text[at] == 'A']
		g.Expect(os.WriteFile(filepath.Join(dir, "changed.json"), text, 0o600)).To(Succeed())
		out, err = verify("changed.json", "vendor.key.pub")
		g.Expect(err).To(HaveOccurred())
		g.Expect(out).To(ContainSubstring("SIGNATURE_ERROR"))
	}
}

// The reusable workflow hands subjects, type and predicate to the platform's signer; the statement that a customer gets
// from that holds.
func TestWorkflowMakesAStatement(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("needs jq, as runners of GitHub have it")
	}
	g := NewWithT(t)
	text, err := os.ReadFile("../.github/workflows/judge.yml")
	g.Expect(err).NotTo(HaveOccurred())
	var workflow struct {
		Jobs map[string]struct{ Steps []step }
	}
	g.Expect(yaml.Unmarshal(text, &workflow)).To(Succeed())
	n := newNight(t)
	code, out := n.bash("emaconform client --quiet --check CL-BEARER --out reports")
	g.Expect(code).To(Equal(0), out)
	j := &job{t: t, dir: n.dir, steps: workflow.Jobs["judge"].Steps,
		env:    []string{"PATH=" + n.bin + ":" + os.Getenv("PATH")},
		values: map[string]string{"steps.judge.outputs.report": "reports/report.json"}}
	g.Expect(j.run()).To(Equal(0), j.log.String())

	// What actions/attest makes of its inputs.
	var subjects []map[string]any
	for line := range strings.Lines(j.file("statement/subjects.txt")) {
		digest, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		subjects = append(subjects, map[string]any{"name": name, "digest": map[string]string{"sha256": digest}})
	}
	signed, err := json.Marshal(map[string]any{"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
		"predicateType": j.values["steps.statement.outputs.type"],
		"predicate":     json.RawMessage(j.file("statement/predicate.json"))})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(n.dir, "signed.json"), signed, 0o600)).To(Succeed())
	_, out = n.bash("emaconform verify signed.json --signed-elsewhere")
	g.Expect(out).To(And(ContainSubstring("recomputed: "), Not(ContainSubstring("fit")),
		ContainSubstring("another tool did")))
}
