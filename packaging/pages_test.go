package packaging_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/axe"
	"github.com/emaconform/emaconform/fixtures/chromium"
)

// Pages that the program writes have no barriers: of reports with failures and without, of a fleet, of the
// documentation and of the results.
func TestPagesHaveNoBarriers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	g, dir := NewWithT(t), t.TempDir()
	tab, stop := context.WithTimeout(chromium.Tab(t, 1200, 900), 5*time.Minute)
	t.Cleanup(stop)
	fleet := filepath.Join(dir, "fleet.yaml")
	g.Expect(os.WriteFile(fleet, []byte("connectors: [{name: good, url: 'http://127.0.0.1:9/mcp'}]"), 0o600)).To(Succeed())
	for _, args := range [][]string{
		{"server", "--quiet", "--defect", "aud/begins", "--check", "RAS-AUD-EXACT", "--check", "RS-*", "--out", "failed"},
		{"idp", "--quiet", "--check", "IDP-JAG-*", "--out", "passed"},
		{"docs", "site", "--out", "site"},
		{"results", mustAbs(t, "../results"), "--out", "site/results.html"},
		{"fleet", "merge", fleet, "failed"},
	} {
		out, err := run(t, dir, program(t), args...)
		if want := map[string]int{"server": 1, "fleet": 3}[args[0]]; want != 0 {
			g.Expect(err).To(MatchError(fmt.Sprintf("exit status %d", want)), out)
		} else {
			g.Expect(err).NotTo(HaveOccurred(), out)
		}
	}
	for _, page := range []string{
		"failed/report.html", "passed/report.html", "fleet.html", "site/index.html", "site/build.html", "site/checks-rs.html",
		"site/configuration.html", "site/commands.html", "site/results.html",
	} {
		g.Expect(chromedp.Do(tab, chromedp.Navigate("file://"+filepath.Join(dir, page)))).To(Succeed())
		axe.NoBarriers(t, tab, page)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return abs
}
