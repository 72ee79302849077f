package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAttendedFinish opens the page that the command names, and presses Finish.
func TestAttendedFinish(t *testing.T) {
	dir := t.TempDir()
	stderr, said := io.Pipe()
	code := make(chan int, 1)
	go func() {
		args := []string{"client", "--attended", "--listen", "127.0.0.1:0", "--out", dir, "--format", "json",
			"--state", filepath.Join(dir, "state.json")}
		code <- execute(context.Background(), args, io.Discard, said)
		_ = said.Close()
	}()
	lines := bufio.NewScanner(stderr)
	var page string
	for page == "" && lines.Scan() {
		page = regexp.MustCompile(`http://[0-9.:]+`).FindString(lines.Text())
	}
	if page == "" {
		t.Fatalf("no page is named, exit code %d", <-code)
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	resp, err := http.Post(page+"/finish", "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := <-code; got != exitInconclusive {
		t.Errorf("nothing was played: exit code %d", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.json")); err != nil {
		t.Error(err)
	}
}

// TestAttendedSecretStays wants the same secret in the next run, and bad ones to be named.
func TestAttendedSecretStays(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made", "state.json")
	first, err := (&attendedFlags{state: state}).kept()
	if err != nil || len(first) < shortestSecret {
		t.Fatalf("a secret of %d characters, %v", len(first), err)
	}
	if again, err := (&attendedFlags{state: state}).kept(); err != nil || again != first {
		t.Errorf("another secret in the next run, %v", err)
	}
	own := "of-the-user-0123456789"
	if got, err := (&attendedFlags{state: state, secret: own}).kept(); err != nil || got != own {
		t.Errorf("the user's own secret is not taken, %v", err)
	}
	_, err = (&attendedFlags{state: state, secret: "short"}).kept()
	if err == nil || strings.Contains(err.Error(), "short\"") {
		t.Errorf("a short secret: %v", err)
	}
	if err := os.WriteFile(state, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&attendedFlags{state: state}).kept(); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a state file that is none: %v", err)
	}
}

func TestWhereALoginCanEnd(t *testing.T) {
	for uri, want := range map[string]bool{
		"http://127.0.0.1:33418/callback": true,
		"http://localhost/callback":       true,
		"https://app.example/callback":    true,
		"com.example.app:/callback":       true,
		"cursor://mcp/callback":           true,

		"nonsense":                       false,
		"/callback":                      false,
		"localhost:33418/callback":       false,
		"127.0.0.1:33418/callback":       false,
		"http://app.example/callback":    false,
		"https:///callback":              false,
		"https://app.example/callback#a": false,
		"javascript:alert(1)":            false,
		"app:":                           false,
	} {
		if got := redirectable(uri); got != want {
			t.Errorf("%s: %v, expected %v", uri, got, want)
		}
	}
}
