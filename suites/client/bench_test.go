//go:build unix

package client

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/fixtures/thirdparty"
)

// The two benchmarks judge the same client, the reference client: by all scenarios here, and by the one scenario of
// Enterprise-Managed Authorization, with two checks, of the official MCP conformance runner. Compare ms/check.

func BenchmarkScenarios(b *testing.B) {
	args, environment, err := fixture.Command()
	if err != nil {
		b.Fatal(err)
	}
	checks := 0
	for b.Loop() {
		report, err := Run(context.Background(), Options{Command: args, Environment: environment, Timeout: 6 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		checks += len(report.Checks)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(checks), "ms/check")
}

func BenchmarkOfficialRunner(b *testing.B) {
	argv, err := thirdparty.ConformanceRunner(context.Background())
	if err != nil {
		b.Skip(err)
	}
	args, environment, err := fixture.Command()
	if err != nil {
		b.Fatal(err)
	}
	const checks = 2 // token exchange done, JWT bearer grant done
	n := 0
	for b.Loop() {
		cmd := exec.Command(
			argv[0],
			append(argv[1:], "client", "--command", strings.Join(args, " "), "--scenario", officialScenario)...)
		cmd.Env = append(cmd.Environ(), environment...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		n += checks
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(n), "ms/check")
}
