package packaging_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/thirdparty"
)

// tool is the command line of a tool that others wrote; the test is skipped where what it needs is not installed.
func tool(t *testing.T, name string) []string {
	t.Helper()
	argv, cleanup, err := thirdparty.Tool(t.Context(), name)
	if errors.Is(err, thirdparty.ErrNotInstalled) {
		t.Skip(err)
	}
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(cleanup)
	return argv
}

// What is written for others' platforms is valid by the schemas that these publish, and each schema finds a mistake.
func TestPublishedSchemas(t *testing.T) {
	t.Parallel()
	schemas, types := tool(t, "schemas"), tool(t, "kubernetes-types")
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, of := range []struct {
		argv           []string
		files          []string
		is, instead    string // a mistake in the last file
		complainsAbout string
	}{
		{append(schemas, "github"), append(workflows, "fleet/github.yml"), "matrix:", "matrixx:", "matrixx"},
		{append(schemas, "github-action"), []string{"../action.yml"}, "using: composite", "using: compositee", "compositee"},
		{append(schemas, "gitlab"), []string{"ci/gitlab.yml", "fleet/gitlab.yml"}, "parallel: 5", "parallell: 5",
			"parallell"},
		{append(schemas, "kubernetes"), []string{"fleet/kubernetes.yaml"}, "completions: 5", `completions: "5"`,
			"must be integer"},
		{types, []string{"fleet/kubernetes.yaml"}, "parallelism:", "paralelism:", "paralelism"},
	} {
		t.Run(of.argv[len(of.argv)-1], func(t *testing.T) {
			g := NewWithT(t)
			validate := func(file string) (string, error) { return run(t, "", of.argv[0], append(of.argv[1:], file)...) }
			for _, file := range of.files {
				out, err := validate(file)
				g.Expect(err).NotTo(HaveOccurred(), out)
			}
			text, err := os.ReadFile(of.files[len(of.files)-1])
			g.Expect(err).NotTo(HaveOccurred())
			wrong := filepath.Join(t.TempDir(), "wrong.yml")
			g.Expect(string(text)).To(ContainSubstring(of.is))
			g.Expect(os.WriteFile(wrong, []byte(strings.Replace(string(text), of.is, of.instead, 1)), 0o600)).To(Succeed())
			out, err := validate(wrong)
			g.Expect(err).To(HaveOccurred())
			g.Expect(out).To(ContainSubstring(of.complainsAbout))
		})
	}
}

// night is a night of a fleet in somebody's pipeline: what each shard's job did, and the job that merges.
type night struct {
	t   *testing.T
	dir string // of the checkout that jobs share
	bin string // with the commands that a job finds
}

// newNight is a checkout with a fleet of which nothing answers, and the installed program. npm and npx install nothing:
// the program is there.
func newNight(t *testing.T) *night {
	t.Helper()
	g := NewWithT(t)
	if runtime.GOOS == "windows" {
		t.Skip("needs bash")
	}
	n := &night{t: t, dir: t.TempDir(), bin: t.TempDir()}
	for name, script := range map[string]string{
		"emaconform": "exec " + program(t) + ` "$@"`, "npx": "shift 2; exec emaconform \"$@\"", "npm": "exit 0",
	} {
		g.Expect(os.WriteFile(filepath.Join(n.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755)).To(Succeed())
	}
	fleet := "connectors:\n"
	for i := range 8 {
		fleet += fmt.Sprintf("  - {name: c%d, url: 'http://127.0.0.%d:9/mcp'}\n", i, i+1)
	}
	g.Expect(os.WriteFile(filepath.Join(n.dir, "fleet.yaml"), []byte(fleet), 0o600)).To(Succeed())
	return n
}

// bash runs a job's script and returns how it ended.
func (n *night) bash(script string, env ...string) (int, string) {
	cmd := exec.CommandContext(n.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = n.dir
	cmd.Env = slices.Concat(env, []string{"PATH=" + n.bin + ":" + os.Getenv("PATH"), "HOME=" + n.dir})
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		n.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// merged is what came of it: how many connectors have which verdict.
func (n *night) merged() map[string]int {
	text, err := os.ReadFile(filepath.Join(n.dir, "merged", "fleet.json"))
	g := NewWithT(n.t)
	g.Expect(err).NotTo(HaveOccurred())
	var result struct{ Connectors []struct{ Verdict string } }
	g.Expect(json.Unmarshal(text, &result)).To(Succeed())
	verdicts := map[string]int{}
	for _, k := range result.Connectors {
		verdicts[k.Verdict]++
	}
	return verdicts
}

// The scripts of the GitLab jobs, as a runner runs them: each connector is judged by one of five shards, a shard that
// is missing is not judged, and the second night compares itself with the first.
func TestFleetInGitLab(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	text, err := os.ReadFile("fleet/gitlab.yml")
	g.Expect(err).NotTo(HaveOccurred())
	var pipeline map[string]struct {
		Script    []string
		Parallel  int
		Variables map[string]string
	}
	g.Expect(yaml.Unmarshal(text, &pipeline)).To(Succeed())
	var variables []string
	for name, value := range pipeline[".emaconform-fleet"].Variables {
		variables = append(variables, name+"="+value)
	}
	n, shards := newNight(t), pipeline["fleet"].Parallel
	shard := func(i int) (int, string) {
		return n.bash(strings.Join(pipeline["fleet"].Script, "\n"),
			append(variables, "CI_NODE_INDEX="+strconv.Itoa(i), "CI_NODE_TOTAL="+strconv.Itoa(shards))...)
	}
	merge := func() (int, string) { return n.bash(strings.Join(pipeline["fleet-merge"].Script, "\n"), variables...) }

	code, out := merge()
	g.Expect(code).To(Equal(3), out)
	g.Expect(n.merged()).To(Equal(map[string]int{"not judged": 8}), out)
	judged := 0
	for i := 1; i <= shards; i++ {
		code, out := shard(i)
		g.Expect(code).To(BeElementOf(0, 3), out) // a shard may have no connector
		judged += strings.Count(out, "inconclusive")
	}
	g.Expect(judged).To(Equal(8))
	code, out = merge()
	g.Expect(code).To(Equal(3), out)
	g.Expect(n.merged()).To(Equal(map[string]int{"inconclusive": 8}), out)
	g.Expect(out).To(ContainSubstring("changed: c0: inconclusive, was not judged"))
	for _, name := range []string{"junit.xml", "fleet.prom", "trend.jsonl"} {
		g.Expect(filepath.Join(n.dir, "merged", name)).To(BeAnExistingFile())
	}
}

// The same in GitHub Actions, where a shard's number comes from a matrix and its folder is an artifact.
func TestFleetInGitHub(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	text, err := os.ReadFile("fleet/github.yml")
	g.Expect(err).NotTo(HaveOccurred())
	var workflow struct {
		Jobs map[string]struct {
			Steps    []step
			Strategy struct{ Matrix struct{ Shard []int } }
		}
	}
	g.Expect(yaml.Unmarshal(text, &workflow)).To(Succeed())
	n, shards := newNight(t), workflow.Jobs["shard"].Strategy.Matrix.Shard
	do := func(name string, values map[string]string) (int, string) {
		j := &job{t: t, dir: n.dir, steps: workflow.Jobs[name].Steps, values: values}
		j.env = []string{"PATH=" + n.bin + ":" + os.Getenv("PATH")}
		return j.run(), j.log.String()
	}
	for _, i := range shards[1:] { // the first is missing
		code, out := do("shard", map[string]string{"matrix.shard": strconv.Itoa(i),
			"strategy.job-total": strconv.Itoa(len(shards))})
		g.Expect(code).To(BeElementOf(0, 3), out)
		at := filepath.Join(n.dir, "shards", "shard-"+strconv.Itoa(i))
		g.Expect(os.MkdirAll(at, 0o755)).To(Succeed())
		if _, err := os.Stat(filepath.Join(n.dir, "reports")); err == nil { // what upload and download do
			g.Expect(os.Remove(at)).To(Succeed())
			g.Expect(os.Rename(filepath.Join(n.dir, "reports"), at)).To(Succeed())
		}
	}
	code, out := do("merge", map[string]string{})
	g.Expect(code).To(Equal(3), out)
	verdicts := n.merged()
	g.Expect(verdicts["not judged"]+verdicts["inconclusive"]).To(Equal(8), out)
	g.Expect(verdicts["not judged"]).To(BeNumerically(">", 0), "the first shard has at least one connector")
	summary, err := os.ReadFile(filepath.Join(n.dir, "GITHUB_STEP_SUMMARY"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(summary)).To(ContainSubstring("not judged"))
}

// A pod of the Indexed Job judges its shard: the arguments and the environment of the manifest, with the folders that
// it mounts.
func TestFleetInKubernetes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	text, err := os.ReadFile("fleet/kubernetes.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	n := newNight(t)
	for i, document := range strings.Split(string(text), "\n---\n")[1:] {
		var manifest struct {
			Spec struct {
				JobTemplate struct {
					Spec struct {
						Completions int
						Template    struct {
							Spec struct {
								Containers []struct {
									Args []string
									Env  []struct{ Name, Value string }
								}
							}
						}
					}
				} `yaml:"jobTemplate"`
			}
		}
		g.Expect(yaml.Unmarshal([]byte(document), &manifest)).To(Succeed())
		job := manifest.Spec.JobTemplate.Spec
		pod := job.Template.Spec.Containers[0]
		var env []string
		for _, e := range pod.Env {
			env = append(env, e.Name+"="+e.Value)
		}
		script := "emaconform '" + strings.Join(pod.Args, "' '") + "'"
		script = strings.NewReplacer("'/fleet/", "'"+n.dir+"/", "'/reports/", "'"+n.dir+"/").Replace(script)
		if i == 0 {
			for index := range job.Completions {
				code, out := n.bash(script, append(env, "JOB_COMPLETION_INDEX="+strconv.Itoa(index))...)
				g.Expect(code).To(BeElementOf(0, 3), out)
			}
			continue
		}
		code, out := n.bash(script, env...)
		g.Expect(code).To(Equal(3), out)
	}
	g.Expect(n.merged()).To(Equal(map[string]int{"inconclusive": 8}))
}
