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

// action is what the tests need of action.yml.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Name, ID, If, Uses, Run string
			Env                     map[string]string
		}
	}
}

// job is a job of GitHub Actions in which the action's own steps run; steps that use other actions are left out.
type job struct {
	t       *testing.T
	dir     string
	action  action
	inputs  map[string]string
	outputs map[string]string // of steps, as "steps.run.outputs.report"
	log     strings.Builder
	baseURL string
}

func newJob(t *testing.T, baseURL string, inputs map[string]string) *job {
	t.Helper()
	g := NewWithT(t)
	if _, err := exec.LookPath("curl"); err != nil || runtime.GOOS == "windows" {
		t.Skip("needs bash and curl")
	}
	j := &job{t: t, dir: t.TempDir(), inputs: map[string]string{}, outputs: map[string]string{}, baseURL: baseURL}
	text, err := os.ReadFile("../action.yml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Unmarshal(text, &j.action)).To(Succeed())
	for name, input := range j.action.Inputs {
		j.inputs[name] = input.Default
	}
	for name, value := range inputs {
		g.Expect(j.action.Inputs).To(HaveKey(name))
		j.inputs[name] = value
	}
	return j
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z.-]+) *\}\}`)

func (j *job) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		if input, ok := strings.CutPrefix(name, "inputs."); ok {
			return j.inputs[input]
		}
		return j.outputs[name]
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
	for _, step := range j.action.Runs.Steps {
		if step.Run == "" {
			continue
		}
		env := []string{
			"HOME=" + j.dir, "RUNNER_TEMP=" + j.dir, "GITHUB_ACTION_PATH=" + here, "BASE_URL=" + j.baseURL, "PATH=" + searched,
		}
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
			j.outputs["steps."+step.ID+".outputs."+name] = value
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
	g.Expect(j.outputs).To(HaveKeyWithValue("steps.run.outputs.exit-code", "0"))
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
