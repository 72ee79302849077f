package packaging_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// Sigstore's own verifier takes both statements of a vendor, with the vendor's key and no other, and as they were signed.
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
