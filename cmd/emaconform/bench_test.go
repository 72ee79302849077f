package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/demo"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// BenchmarkServer is the whole run of `emaconform server`, report writing aside, against the reference target: on this
// machine, and a round trip of 100 ms away.
func BenchmarkServer(b *testing.B) {
	keys := &run.Keyring{}
	nearAndFar(b, func(roundTrip time.Duration) (*reports.Report, error) {
		reference := &demo.Target{RoundTrip: roundTrip}
		defer reference.Close()
		o := run.Options{Config: &target.Config{}, Keyring: keys}
		if err := reference.Configure(&o); err != nil {
			return nil, err
		}
		return run.Run(b.Context(), o)
	})
}

// BenchmarkIdP is the same for `emaconform idp` and the reference identity provider.
func BenchmarkIdP(b *testing.B) {
	nearAndFar(b, func(roundTrip time.Duration) (*reports.Report, error) {
		reference := &demo.IdP{RoundTrip: roundTrip}
		defer reference.Close()
		var o idprun.Options
		if err := reference.Configure(b.Context(), &o); err != nil {
			return nil, err
		}
		return idprun.Run(b.Context(), o)
	})
}

// nearAndFar measures runs, which have to end as conformant, against a target on this machine and far away.
func nearAndFar(b *testing.B, judged func(roundTrip time.Duration) (*reports.Report, error)) {
	for name, roundTrip := range map[string]time.Duration{"loopback": 0, "100ms": 100 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := judged(roundTrip)
				if err != nil {
					b.Fatal(err)
				}
				if r.Verdict != reports.Conformant {
					b.Fatalf("%s: %v", r.Verdict, r.Counts())
				}
				b.ReportMetric(float64(len(r.Checks)), "checks")
				b.ReportMetric(float64(r.Load.Exchanges), "exchanges")
				b.ReportMetric(float64(r.Load.Workers), "workers")
				b.ReportMetric(float64(r.Load.PeakMemory)/(1<<20), "peak-MiB")
			}
		})
	}
}

// BenchmarkFleet is a night of thirty reference connectors: `emaconform fleet run`.
func BenchmarkFleet(b *testing.B) {
	f := newReferenceFleet(b, 30)
	for b.Loop() {
		var out bytes.Buffer
		code := execute(b.Context(), []string{"fleet", "run", f.path, "--out", b.TempDir()}, &out, &out)
		if code != exitConformant {
			b.Fatalf("exit code %d\n%s", code, out.String())
		}
	}
}

// BenchmarkMerge is `emaconform fleet merge` of the reports of 300 connectors.
func BenchmarkMerge(b *testing.B) {
	dir := b.TempDir()
	f := newReferenceFleet(b, 1)
	var out bytes.Buffer
	if code := execute(b.Context(), []string{"fleet", "run", f.path, "--out", dir}, &out, &out); code != exitConformant {
		b.Fatalf("exit code %d\n%s", code, out.String())
	}
	folders := []string{"fleet", "merge", f.path, "--out", b.TempDir()}
	for range 300 { // attempts at one connector: each is read
		at := b.TempDir()
		if err := os.Symlink(filepath.Join(dir, "c00"), filepath.Join(at, "c00")); err != nil {
			b.Fatal(err)
		}
		folders = append(folders, at)
	}
	for b.Loop() {
		if code := execute(b.Context(), folders, &out, &out); code != exitConformant {
			b.Fatalf("exit code %d\n%s", code, out.String())
		}
	}
}
