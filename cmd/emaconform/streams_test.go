package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/hostile"
	"github.com/emaconform/emaconform/reports/redact"
)

// A target that echoes what it is sent, in whatever encoding, in answers or behind them, finds no way to an output: not
// to the streams, not to any file.
func TestNoStreamShowsWhatATargetEchoes(t *testing.T) {
	const secret = "k3vQ9xLw7TbR2nZsY8mHc4pJ"
	if testing.Short() {
		t.Skip("what is echoed keeps a run waiting")
	}
	for _, does := range hostile.Behaviours() {
		switch does.Name {
		case "echo: base64, one in", "echo: in lines", "an answer that nobody asked for at the token endpoint":
		default:
			continue // what reports say of the others is seen beside them
		}
		t.Run(does.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			attacker := hostile.Serve(does)
			defer attacker.Close()
			out, files := t.TempDir(), t.TempDir()
			cmd := process(t, "server", "--out", out, "--url", attacker.URL, "--client-id", "connector", "--user",
				"00u1alice", "--scope", "notes.read", "--check", "RAS-AUD-EXACT/missing,RAS-SIG-VERIFY/flipped",
				"--timeout", "20s")
			cmd.Env = append(cmd.Env, "EMACONFORM_CLIENT_SECRET="+secret, "TMPDIR="+files)
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			_ = cmd.Run() // the exit code is the verdict
			shown := map[string]string{"the streams": said.String()}
			for _, dir := range []string{out, files} {
				g.Expect(filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
					if err == nil && !entry.IsDir() {
						text, err := os.ReadFile(path)
						shown[path] = string(text)
						return err
					}
					return err
				})).To(Succeed())
			}
			g.Expect(len(shown)).To(BeNumerically(">", 3), "reports were written")
			secrets := redact.New(attacker.URL, "connector", "00u1alice", "notes.read")
			secrets.Hide("secret", secret)
			g.Expect(attacker.Heard()).NotTo(BeEmpty())
			for _, s := range attacker.Heard() {
				secrets.Know("what was sent", strings.TrimPrefix(s, "Basic "))
			}
			for name, text := range shown {
				for _, span := range secrets.Find(text) {
					t.Errorf("%s: %d characters of a secret are shown behind %q", name, span.To-span.From,
						text[max(0, span.From-60):span.From])
				}
			}
		})
	}
}
