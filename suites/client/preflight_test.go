//go:build unix

package client

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
)

// TestPreflightHearsTheClient wants the client's own words first, the step where it stopped, and what would help.
func TestPreflightHearsTheClient(t *testing.T) {
	for name, c := range map[string]struct{ script, step, saw, fix string }{
		"does nothing": {
			`echo "no idea" >&2; exit 1`, "reach a party of the scenario", "standard error: no idea", "last argument",
		},
		"wants https": {
			`curl -so /dev/null "$0"; echo "refusing non-HTTPS token endpoint" >&2; exit 1`,
			"find the protected resource metadata", "standard error: refusing", "--https",
		},
		"begins with metadata": {
			`curl -so /dev/null "${0%/mcp}/.well-known/oauth-protected-resource/mcp"; echo "stuck" >&2; exit 1`,
			"find the authorization server's metadata", "standard error: stuck", "RFC 8414",
		},
		"falls back": { // which hides from its user that the managed way was refused
			`member() { sed "s/.*\"$1\": *\[*\"\([^\"]*\)\".*/\1/"; }
			post() { curl -so /dev/null -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange "$1"; }
			post "$(echo "$MCP_CONFORMANCE_CONTEXT" | member idp_token_endpoint)"
			as=$(curl -s "${0%/mcp}/.well-known/oauth-protected-resource/mcp" | member authorization_servers)
			curl -so /dev/null "$(curl -s "$as/.well-known/oauth-authorization-server" | member authorization_endpoint)"
			echo "one moment" >&2; exit 1`,
			"redeem it at the Resource Authorization Server", "standard error: one moment",
			"The managed way failed and the client fell back to the consent page",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			report, err := Run(context.Background(), Options{
				Command: []string{"sh", "-c", c.script}, Selection: engine.Selection{Checks: []string{"CL-REDEEM-REQ/grant"}},
			})
			g.Expect(err).NotTo(HaveOccurred())
			last := report.Preflight[len(report.Preflight)-1]
			g.Expect(last.OK).To(BeFalse())
			g.Expect(last.Name).To(Equal(c.step))
			g.Expect(last.Saw).To(HavePrefix(c.saw))
			g.Expect(last.Fix).To(ContainSubstring(c.fix))
		})
	}
}

// TestCAStays wants one CA for all worlds, whose certificate a client can be told to trust once, without its key.
func TestCAStays(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	var first string
	for range 2 {
		report := judgeReferenceIn(t, Options{
			HTTPS: true, CAFile: file, Selection: engine.Selection{Checks: []string{"CL-REDEEM-REQ/grant"}},
		})
		g.Expect(report.Checks[0].Message).To(BeEmpty())
		certificate, err := os.ReadFile(world.Certificate(file))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(certificate)).NotTo(ContainSubstring("PRIVATE KEY"))
		if first == "" {
			first = string(certificate)
		}
		g.Expect(string(certificate)).To(Equal(first))
	}
}

// TestRevision wants checks of the other revision skipped, and the client told of the one.
func TestRevision(t *testing.T) {
	report := judgeReferenceIn(t, Options{
		Revision: world.Revision2026, Selection: engine.Selection{Checks: []string{"CL-EXTENSION", "CL-BEARER"}},
	})
	for _, c := range report.Checks {
		want := "pass"
		if strings.HasSuffix(c.ID, "/session") || strings.HasSuffix(c.ID, "-session-request") {
			want = "skip"
		}
		if string(c.Outcome) != want {
			t.Errorf("%s: %s %s, want %s", c.ID, c.Outcome, c.Message, want)
		}
	}
}
