package main

import (
	"testing"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// BenchmarkServer is the whole run of `emaconform server`, report writing aside, against the reference target: on this
// machine, and a round trip of 100 ms away.
func BenchmarkServer(b *testing.B) {
	for name, roundTrip := range map[string]time.Duration{"loopback": 0, "100ms": 100 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			keys := &run.Keyring{}
			for b.Loop() {
				reference := &embedded{roundTrip: roundTrip}
				o := run.Options{Config: &target.Config{}, Keyring: keys}
				if err := reference.configure(&o); err != nil {
					b.Fatal(err)
				}
				r, err := run.Run(b.Context(), o)
				reference.Close()
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
