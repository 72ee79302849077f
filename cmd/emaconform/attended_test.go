package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestAttendedFinish opens the page that the command names, and presses Finish.
func TestAttendedFinish(t *testing.T) {
	dir := t.TempDir()
	stderr, said := io.Pipe()
	code := make(chan int, 1)
	go func() {
		args := []string{"client", "--attended", "--listen", "127.0.0.1:0", "--out", dir, "--format", "json"}
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
