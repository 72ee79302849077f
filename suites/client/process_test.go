//go:build unix

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
)

// badClients are clients that do what no client should; TestMain makes this process one of them.
var badClients = map[string]func(server string){
	"hangs": func(string) { select {} },
	"floods": func(server string) {
		for {
			if resp, err := http.Get(server); err == nil {
				resp.Body.Close()
			}
		}
	},
	"forks": func(string) { leaveBehind(nil) },
	"daemonizes": func(string) {
		// A shell forks twice, in a session of its own, and clears the environment.
		child := exec.Command("/bin/sh", "-c", `(setsid env -i sh -c 'sleep 600 & echo $! >"$0"' "$0" &)`,
			os.Getenv("BAD_CLIENT_FILE"))
		if err := child.Run(); err != nil {
			panic(err)
		}
		for range 1000 {
			if text, _ := os.ReadFile(os.Getenv("BAD_CLIENT_FILE")); len(text) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
	},
	"eats": func(string) {
		var all [][]byte
		for {
			all = append(all, []byte(strings.Repeat("x", 1<<20)))
			runtime.KeepAlive(all)
		}
	},
	"looks": func(string) {
		dir, _ := os.Getwd()
		fmt.Println(dir)
		for _, entry := range os.Environ() {
			fmt.Println(entry)
		}
	},
	"escapes": func(string) { leaveBehind(&syscall.SysProcAttr{Setsid: true}) },
	"dies": func(string) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"chatters": func(string) {
		line := strings.Repeat("x", 1023) + "\n"
		for range 4 << 10 {
			fmt.Print(line)
		}
	},
	"tells": func(string) {
		var c map[string]any
		_ = json.Unmarshal([]byte(os.Getenv("MCP_CONFORMANCE_CONTEXT")), &c)
		fmt.Println("my token is", c["idp_id_token"], "and my secret", c["client_secret"])
		os.Exit(3)
	},
}

// leaveBehind starts a child that outlives its parent, and writes down its process id.
func leaveBehind(how *syscall.SysProcAttr) {
	child := exec.Command("sleep", "600")
	child.Stdout = os.Stdout // keeps the pipe open
	child.SysProcAttr = how
	if err := child.Start(); err != nil {
		panic(err)
	}
	_ = os.WriteFile(os.Getenv("BAD_CLIENT_FILE"), []byte(strconv.Itoa(child.Process.Pid)), 0o600)
}

const badClient = "EMACONFORM_TEST_BAD_CLIENT"

// runBad runs a bad client in an honest world.
func runBad(t *testing.T, kind string, environment ...string) *program.Attempt {
	t.Helper()
	w, err := world.New(world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := program.Command{
		Args: []string{self}, Environment: append(environment, badClient+"="+kind), Timeout: 3 * time.Second,
		Memory: 128 << 20,
	}
	return c.Run(context.Background(), w)
}

func TestBadClientsAreEnded(t *testing.T) {
	if a := runBad(t, "hangs"); !a.TimedOut || a.Exit != -1 {
		t.Errorf("a client that hangs: %s", a.Summary())
	}
	if a := runBad(t, "floods"); !a.Flooded || len(a.Requests) != world.MaxRequests {
		t.Errorf("a client that floods: %s", a.Summary())
	}
	if a := runBad(t, "dies"); a.TimedOut || !strings.Contains(a.Summary(), "ended by signal: killed") {
		t.Errorf("a client that dies: %s", a.Summary())
	}
	if a := runBad(t, "eats"); runtime.GOOS == "linux" && (!a.Hungry || a.Exit != -1) {
		t.Errorf("a client that eats memory: %s", a.Summary())
	}
	if a := runBad(t, "chatters"); a.Exit != 0 || len(a.Stdout) != program.MaxOutput {
		t.Errorf("a client that chatters: %s, kept %d bytes", a.Summary(), len(a.Stdout))
	}
}

func TestProcessGroupEndsWithClient(t *testing.T) {
	for _, kind := range []string{"forks", "escapes", "daemonizes"} {
		t.Run(kind, func(t *testing.T) {
			if kind != "forks" && runtime.GOOS != "linux" {
				t.Skip("what leaves its process group is found on Linux alone")
			}
			file := t.TempDir() + "/pid"
			if a := runBad(t, kind, "BAD_CLIENT_FILE="+file); a.Exit != 0 {
				t.Fatalf("a client that %s: %s", kind, a.Summary())
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
			if err != nil {
				t.Fatal(err)
			}
			deadline := time.Now().Add(10 * time.Second)
			for alive(pid) {
				if time.Now().After(deadline) {
					t.Fatal("what the client started outlives it")
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func TestClientsGetLittleOfThisMachine(t *testing.T) {
	t.Setenv("CI_DEPLOY_KEY", "tell-nobody")
	said := string(runBad(t, "looks", "GIVEN=yes").Stdout)
	dir, _, _ := strings.Cut(said, "\n")
	if here, _ := os.Getwd(); dir == here || !strings.Contains(dir, "emaconform-client-") {
		t.Errorf("it runs in %s", dir)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("its directory outlives it")
	}
	for _, want := range []string{"\nPATH=", "\nHOME=", "\nGIVEN=yes", "\nTMPDIR=", "\nMCP_CONFORMANCE_CONTEXT="} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	if strings.Contains(said, "tell-nobody") {
		t.Error("it gets what is nobody's business")
	}
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// TestEvidenceIsRedacted wants what a talkative client printed in the report, without the secrets in it.
func TestEvidenceIsRedacted(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), Options{
		Command: []string{self}, Environment: []string{badClient + "=tells"}, Timeout: 10 * time.Second,
		Selection: engine.Selection{Checks: []string{"CL-NO-LEAK/given"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Preflight) != 1 || report.Preflight[0].OK || !strings.Contains(report.Preflight[0].Saw,
		"my token is ‹") {
		t.Errorf("the preflight does not end at its first step, or not with what the client said: %+v", report.Preflight)
	}
	c := report.Checks[0]
	if c.Outcome != reports.Fail || !strings.Contains(c.Message, "standard output") {
		t.Errorf("the leak is not seen: %s %s", c.Outcome, c.Message)
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "my token is ‹") || regexp.MustCompile("ras-[A-Z2-7]{20}").Match(text) ||
		strings.Contains(string(text), "eyJ") {
		t.Error("what the client printed is missing, or stands there unredacted")
	}
}
