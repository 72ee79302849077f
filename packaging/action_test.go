package packaging_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

// step is a step of a job or of a composite action.
type step struct {
	Name, ID, If, Uses, Run string
	Env                     map[string]string
}

// job is a job of GitHub Actions; its steps that use other actions are left out.
type job struct {
	t     *testing.T
	dir   string
	steps []step
	// of expressions, such as "inputs.config" and, by the steps that ran, "steps.run.outputs.report"
	values map[string]string
	log    strings.Builder
	env    []string // besides what the runner sets
}

// newJob is a job that uses this repository's action.
func newJob(t *testing.T, baseURL string, inputs map[string]string) *job {
	t.Helper()
	g := NewWithT(t)
	if _, err := exec.LookPath("curl"); err != nil || runtime.GOOS == "windows" {
		t.Skip("needs bash and curl")
	}
	j := &job{t: t, dir: t.TempDir(), values: map[string]string{}, env: []string{"BASE_URL=" + baseURL}}
	text, err := os.ReadFile("../action.yml")
	g.Expect(err).NotTo(HaveOccurred())
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct{ Steps []step }
	}
	g.Expect(yaml.Unmarshal(text, &action)).To(Succeed())
	j.steps = action.Runs.Steps
	for name, input := range action.Inputs {
		j.values["inputs."+name] = input.Default
	}
	for name, value := range inputs {
		g.Expect(action.Inputs).To(HaveKey(name))
		j.values["inputs."+name] = value
	}
	return j
}

var expression = regexp.MustCompile(`\$\{\{ *([A-Za-z_.-]+) *\}\}`)

func (j *job) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		return j.values[expression.FindStringSubmatch(found)[1]]
	})
}

// run runs the steps until one fails, and returns the exit code of the last. The environment is that of a clean
// machine.
func (j *job) run() int {
	j.t.Helper()
	g := NewWithT(j.t)
	here, err := filepath.Abs("..")
	g.Expect(err).NotTo(HaveOccurred())
	searched := os.Getenv("PATH")
	for _, step := range j.steps {
		if step.Run == "" {
			continue
		}
		env := append([]string{
			"HOME=" + j.dir, "RUNNER_TEMP=" + j.dir, "GITHUB_ACTION_PATH=" + here, "PATH=" + searched,
		}, j.env...)
		for _, file := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
			env = append(env, file+"="+filepath.Join(j.dir, file))
		}
		for name, value := range step.Env {
			env = append(env, name+"="+j.expand(value))
		}
		cmd := exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir, cmd.Env = j.dir, env
		out, err := cmd.CombinedOutput()
		j.log.Write(out)
		if err != nil {
			return cmd.ProcessState.ExitCode()
		}
		searched = strings.TrimSpace(j.file("GITHUB_PATH")) + string(filepath.ListSeparator) + searched
		for line := range strings.Lines(j.file("GITHUB_OUTPUT")) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			j.values["steps."+step.ID+".outputs."+name] = value
		}
	}
	return 0
}

// file is what a file in the job's folder holds, "" when there is none.
func (j *job) file(name string) string {
	text, err := os.ReadFile(filepath.Join(j.dir, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// release serves the program as a release of this machine's platform would, and returns the URL and the archive's
// digest.
func release(t *testing.T) (url, digest string) {
	t.Helper()
	g := NewWithT(t)
	data, err := os.ReadFile(program(t))
	g.Expect(err).NotTo(HaveOccurred())
	var archive bytes.Buffer
	packed, err := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	g.Expect(err).NotTo(HaveOccurred())
	files := tar.NewWriter(packed)
	g.Expect(files.WriteHeader(&tar.Header{Name: "emaconform", Mode: 0o755, Size: int64(len(data))})).To(Succeed())
	_, err = files.Write(data)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(files.Close()).To(Succeed())
	g.Expect(packed.Close()).To(Succeed())
	name := fmt.Sprintf("/v9.9.9/emaconform_9.9.9_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != name {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(archive.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
}

// The action on a clean machine: installs by digest, judges, annotates, sums up, and gates last.
func TestAction(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	url, digest := release(t)
	inputs := map[string]string{
		"version": "v9.9.9", "digest": digest, "role": "client", "config": "ema.yaml", "args": "--check 'CL-BEARER'",
	}

	j := newJob(t, url, inputs)
	g.Expect(j.run()).To(Equal(0), j.log.String())
	g.Expect(j.values).To(HaveKeyWithValue("steps.run.outputs.exit-code", "0"))
	g.Expect(j.file("GITHUB_STEP_SUMMARY")).To(Equal(j.file("emaconform-report/summary.md")))
	g.Expect(j.log.String()).NotTo(ContainSubstring("::error"))

	inputs["args"] += " --defect header-on-first-request-only"
	j = newJob(t, url, inputs)
	g.Expect(j.run()).To(Equal(1), j.log.String())
	g.Expect(j.log.String()).To(MatchRegexp(`(?m)^::error file=ema.yaml,line=1,title=CL-\S+ \(MUST\)::CL-`))
	var sarif struct {
		Runs []struct{ Results []struct{ RuleID string } }
	}
	g.Expect(json.Unmarshal([]byte(j.file("emaconform-report/report.sarif")), &sarif)).To(Succeed())
	g.Expect(sarif.Runs[0].Results).NotTo(BeEmpty())
}

func TestActionRefusesWhatIsNotTheRelease(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	url, _ := release(t)
	j := newJob(t, url, map[string]string{"version": "v9.9.9", "digest": strings.Repeat("0", 64), "role": "client"})
	g.Expect(j.run()).To(Equal(2))
	g.Expect(j.log.String()).To(ContainSubstring("not installed"))
	g.Expect(filepath.Join(j.dir, "emaconform")).NotTo(BeADirectory())
	j = newJob(t, url, map[string]string{"version": "v9.9.9", "role": "client"})
	g.Expect(j.run()).To(Equal(2))
	g.Expect(j.log.String()).To(ContainSubstring("no digest is known"))
}
