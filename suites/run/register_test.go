package run_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "setup.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSetupCommandRegistersUsWithTheTarget(t *testing.T) {
	g := NewWithT(t)
	seen := filepath.Join(t.TempDir(), "trust.json")
	t.Setenv("SEEN", seen)
	c := &target.Config{
		URL: "http://127.0.0.1:1/mcp",
		IdP: target.IdP{CA: filepath.Join(t.TempDir(), "ca.pem")}, SecondIdP: &target.IdP{Alg: "ES256"},
		Setup: target.Setup{script(t,
			`cat > "$SEEN"; echo '{"clients":[{"id":"made-for-you","secret":"s3cret"}],"users":[{"sub":"u1"}]}'`)},
	}
	report, err := run.Run(t.Context(), run.Options{Config: c})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Ended).To(Equal(engine.EndedPreflight), "nothing listens there")
	g.Expect(c.Clients).To(ConsistOf(And(HaveField("ID", "made-for-you"), HaveField("Auth", "client_secret_basic"))))

	var trust run.Trust
	raw, err := os.ReadFile(seen)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(raw, &trust)).To(Succeed())
	g.Expect(trust.IdP.Issuer).To(HavePrefix("https://"))
	g.Expect(trust.IdP.CA).To(ContainSubstring("BEGIN CERTIFICATE"))
	g.Expect(trust.IdP.JWKSURI).To(HavePrefix(trust.IdP.Issuer))
	g.Expect(trust.IdP.JWKS.Keys).NotTo(BeEmpty())
	for _, key := range trust.IdP.JWKS.Keys {
		g.Expect(key.IsPublic()).To(BeTrue())
	}
	g.Expect(trust.Second.JWKS.Keys[0].Algorithm).To(Equal("ES256"))
}

func TestSetupCommandThatFails(t *testing.T) {
	for body, says := range map[string]string{
		"echo first >&2; echo 'no such tenant' >&2; exit 3": "exit status 3; it said: no such tenant",
		"echo '{\"clients\":[{\"idd\":\"x\"}]}'":            `there is no key "idd"`,
	} {
		c := &target.Config{URL: "http://127.0.0.1:1/mcp", Setup: target.Setup{script(t, "cat >/dev/null; "+body)}}
		_, err := run.Run(t.Context(), run.Options{Config: c})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}
