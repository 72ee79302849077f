package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/reports"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// thirty is a fleet of thirty connectors, two to a host.
func thirty(t *testing.T) *Fleet {
	t.Helper()
	text := "defaults:\n  scopes: [read]\nconnectors:\n"
	for i := range 30 {
		text += fmt.Sprintf("  - {name: c%d, url: 'https://host%d.example/mcp%d', scopes: [write]}\n", i, i/2, i)
	}
	f, err := Load(write(t, filepath.Join(t.TempDir(), "fleet.yaml"), text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEachConnectorIsInOneShardWithItsHost(t *testing.T) {
	f := thirty(t)
	at := map[string]int{}
	for i := range 5 {
		for _, k := range f.Shard(i, 5) {
			if _, twice := at[k.Name]; twice {
				t.Errorf("%s is in two shards", k.Name)
			}
			at[k.Name] = i
		}
	}
	if len(at) != 30 {
		t.Errorf("%d connectors are in shards", len(at))
	}
	for i := 0; i < 30; i += 2 {
		if a, b := at[fmt.Sprintf("c%d", i)], at[fmt.Sprintf("c%d", i+1)]; a != b {
			t.Errorf("two connectors of one host are in shards %d and %d", a, b)
		}
	}
	if s := f.Connectors[0].Config.Scopes; len(s) != 1 || s[0] != "write" {
		t.Errorf("the connector's scopes are %v", s)
	}
}

func TestFleetFilesThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"connectors: [{name: a, url: 'https://a'}, {name: a, url: 'https://b'}]": "two connectors are called a",
		"connectors: [{name: ../a, url: 'https://a'}]":                           "connectors[0]: name",
		"connectors: [{name: a}]":                                                "connector a has no url",
		"connectors: [{name: a, url: 'https://a', sekret: x}]":                   "connectors[0]",
		"connectors: []": "no connectors",
		"conectors: []":  "conectors",
	} {
		if _, err := Load(write(t, filepath.Join(t.TempDir(), "f.yaml"), text)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want one that says %q", text, err, want)
		}
	}
}

// report writes a report of this connector into a shard's folder.
func report(t *testing.T, dir, folder string, k Connector, outcome reports.Outcome, finished time.Time) {
	t.Helper()
	r := &reports.Report{
		Target: reports.Target{Name: k.Name, URL: k.Config.URL}, Finished: finished,
		Requirements: []reports.Requirement{{ID: "RAS-A", Role: "ras", Level: "MUST"}},
		Checks:       []reports.Check{{ID: "RAS-A/one", Requirement: "RAS-A", Role: "ras", Level: "MUST", Outcome: outcome}},
	}
	reports.Finish(r)
	if _, err := reports.WriteAll(filepath.Join(dir, folder), r, []string{"json"}); err != nil {
		t.Fatal(err)
	}
}

// TestMerge merges thirty connectors in five shards: one shard is missing, one crashed in the middle of a report, and
// one connector flapped between two attempts of its job.
func TestMerge(t *testing.T) {
	f, base, now := thirty(t), t.TempDir(), time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	var dirs, lost []string
	for i := range 5 {
		dir := filepath.Join(base, fmt.Sprintf("shard%d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
		for _, k := range f.Shard(i, 5) {
			if i == 1 {
				lost = append(lost, k.Name)
				continue
			}
			report(t, dir, k.Name, k, reports.Pass, now)
		}
	}
	whole := func(name string) string {
		for _, dir := range dirs {
			if path := filepath.Join(dir, name, "report.json"); fileExists(path) {
				return path
			}
		}
		t.Fatalf("%s has no report", name)
		return ""
	}
	rest := slicesOf(f, lost)
	crashed, flapping, swapped, old := rest[0], rest[1], rest[2], rest[3]
	write(t, whole(crashed.Name), `{"schema_version": "2", "checks": [`)
	report(t, dirs[1], flapping.Name, flapping, reports.Fail, now.Add(time.Minute))
	if err := os.Remove(whole(swapped.Name)); err != nil {
		t.Fatal(err)
	}
	report(t, dirs[0], swapped.Name, flapping, reports.Pass, now)

	if err := os.Remove(whole(old.Name)); err != nil {
		t.Fatal(err)
	}
	report(t, dirs[2], old.Name, old, reports.Pass, now.Add(-21*time.Hour))

	result, err := Merge(f, dirs, now, 20*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	n := map[reports.Verdict]int{}
	for _, k := range result.Connectors {
		n[k.Verdict]++
		switch k.Name {
		case crashed.Name:
			if k.Verdict != NotJudged || !strings.Contains(k.Problem, "cut off") {
				t.Errorf("crashed: %s, %s", k.Verdict, k.Problem)
			}
		case flapping.Name:
			if k.Verdict != reports.NotConformant || len(k.Failed) != 1 {
				t.Errorf("flapping: %s, %v: the newest report must count", k.Verdict, k.Failed)
			}
		case swapped.Name:
			if k.Verdict != NotJudged || !strings.Contains(k.Problem, "of another connector") {
				t.Errorf("swapped: %s, %s", k.Verdict, k.Problem)
			}
		case old.Name:
			if k.Verdict != NotJudged || !strings.Contains(k.Problem, "too old: it is of 2026-11-27 06:00 UTC") {
				t.Errorf("old: %s, %s", k.Verdict, k.Problem)
			}
		}
	}
	if len(result.Connectors) != 30 || n[NotJudged] != len(lost)+3 || n[reports.NotConformant] != 1 {
		t.Errorf("%d connectors, verdicts %v, %d lost", len(result.Connectors), n, len(lost))
	}
	out := t.TempDir()
	metrics, trend := filepath.Join(out, "fleet.prom"), filepath.Join(out, "trend.jsonl")
	for range 2 {
		if err := result.Write(out, metrics, trend); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(metrics)
	if !strings.HasSuffix(string(text), "# EOF\n") || !strings.Contains(string(text), `verdict="not judged"} 1`) {
		t.Errorf("metrics are\n%s", text)
	}
	if text, _ := os.ReadFile(trend); strings.Count(string(text), "\n") != 2 {
		t.Errorf("the trend has %d lines", strings.Count(string(text), "\n"))
	}
	if result.ExitCode() != reports.ExitNotConformant {
		t.Errorf("exit code %d", result.ExitCode())
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// slicesOf lists the connectors that are not among names.
func slicesOf(f *Fleet, names []string) []Connector {
	var list []Connector
	for _, k := range f.Connectors {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+k.Name+" ") {
			list = append(list, k)
		}
	}
	return list
}
