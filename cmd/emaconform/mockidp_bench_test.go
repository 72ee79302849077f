package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkMockIdPStart is the time from the start of the process to the first 200 of its metadata.
func BenchmarkMockIdPStart(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "emaconform")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var took []float64 // in milliseconds
	for b.Loop() {
		begun := time.Now()
		c := exec.Command(binary, "mockidp", "--listen", "127.0.0.1:0", "--json", "--quiet", "--fixed-secrets")
		out, err := c.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadBytes('\n')
		if err != nil {
			b.Fatal(err)
		}
		var said struct{ Issuer string }
		if err := json.Unmarshal(line, &said); err != nil {
			b.Fatal(err)
		}
		res, err := http.Get(said.Issuer + "/.well-known/openid-configuration")
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(err)
		}
		res.Body.Close()
		took = append(took, float64(time.Since(begun))/1e6)
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "ms-to-first-200-median")
	b.ReportMetric(took[len(took)-1], "ms-to-first-200-max")
}
