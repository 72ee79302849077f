package reports

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// withBaseline is the sample of a job that adopted a baseline, one entry of which is outdated.
func withBaseline() *Report {
	r := sample()
	(&BaselineFile{Path: "ema-baseline.yaml", Entries: []BaselineEntry{
		{"RAS-AUD-EXACT", "", "compared by prefix until release 4"},
		{"RAS-EXP/past", Fail, "fixed"},
	}}).Apply(r)
	return r
}

// stopped is a run that the preflight ended.
func stopped() *Report {
	r := sample()
	r.Checks, r.Load = nil, Load{}
	r.Ended = "preflight"
	r.Problem = "The authorization server does not trust the issuer https://idp.example."
	r.Preflight[3] = Step{Name: "redeem an honest ID-JAG", Saw: "400 invalid_grant: unknown issuer",
		Fix: "Register https://idp.example as a trusted issuer.", Exchanges: []Exchange{redeem(Setup, 1, `"sub": "a"`)}}
	r.Preflight = r.Preflight[:4]
	Finish(r)
	return r
}

func TestGolden(t *testing.T) {
	text := func(w io.Writer, r *Report) error { return WriteText(w, r, false, 100) }
	for _, c := range []struct {
		file   string
		report *Report
		write  func(io.Writer, *Report) error
	}{
		{"sample.txt", sample(), text},
		{"sample.md", sample(), WriteMarkdown},
		{"sample.xml", sample(), WriteJUnit},
		{"baseline.txt", withBaseline(), text},
		{"baseline.md", withBaseline(), WriteMarkdown},
		{"baseline.yaml", withBaseline(), WriteBaseline},
		{"stopped.txt", stopped(), text},
		{"stopped.md", stopped(), WriteMarkdown},
		{"stopped.xml", stopped(), WriteJUnit},
	} {
		t.Run(c.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := c.write(&got, c.report); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", c.file)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("it differs from %s; if that is meant, run with -update and look at the difference:\n%s", path, &got)
			}
		})
	}
}
