package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
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

// lastingFlags parses a command line as the command would, and lets the state file have its say.
func lastingFlags(t *testing.T, args ...string) (f clientFlags, taken []string, err error) {
	t.Helper()
	c := newClientFor(&f)
	if err := c.ParseFlags(append([]string{"--attended"}, args...)); err != nil {
		t.Fatal(err)
	}
	if taken, err = f.attended.restore(c.Flags(), ""); err == nil {
		err = f.attended.save()
	}
	return f, taken, err
}

// TestAttendedStateStays wants settings and secret as in the last run, what is given to count before that, and bad ones
// to be named.
func TestAttendedStateStays(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made", "state.json")
	first, taken, err := lastingFlags(t, "--state", state, "--base-port", "9000", "--redirect-uri", "app:/a",
		"--redirect-uri", "app:/b", "--ca", "ca.pem", "--all")
	if err != nil || len(first.attended.secret) < shortestSecret || len(taken) > 0 {
		t.Fatalf("a secret of %d characters, taken %q, %v", len(first.attended.secret), taken, err)
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the state file is not its owner's alone: %v, %v", info, err)
	}
	again, taken, err := lastingFlags(t, "--state", state, "--base-port", "9100")
	switch {
	case err != nil || again.attended.secret != first.attended.secret:
		t.Errorf("another secret in the next run, %v", err)
	case again.attended.basePort != 9100 || again.attended.all:
		t.Errorf("base port %d, all %v", again.attended.basePort, again.attended.all)
	case strings.Join(again.redirectURIs, " ") != "app:/a app:/b" || !filepath.IsAbs(again.ca) || len(taken) != 2:
		t.Errorf("redirect URIs %q, CA %s, taken %q", again.redirectURIs, again.ca, taken)
	}
	if third, _, err := lastingFlags(t, "--state", state); err != nil || third.attended.basePort != 9100 {
		t.Errorf("base port %d in the third run, %v", third.attended.basePort, err)
	}
	own := "of-the-user-0123456789"
	for _, args := range [][]string{{"--secret", own}, nil} {
		if f, _, err := lastingFlags(t, append(args, "--state", state)...); err != nil || f.attended.secret != own {
			t.Errorf("%q: the user's own secret does not stay, %v", args, err)
		}
	}
	if _, _, err = lastingFlags(t, "--state", state, "--secret", "short"); err == nil ||
		strings.Contains(err.Error(), "short\"") {
		t.Errorf("a short secret: %v", err)
	}
	if err := os.WriteFile(state, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lastingFlags(t, "--state", state); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a state file that is none: %v", err)
	}
}

// TestWhereThePartiesAre wants one message for what no client could reach.
func TestWhereThePartiesAre(t *testing.T) {
	ca, err := mockidp.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.TLSConfig("ema.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key := writePair(t, dir, config.Certificates[0])
	for name, c := range map[string]struct {
		flags attendedFlags
		want  string // of the error; "" is none
	}{
		"this machine":      {attendedFlags{}, ""},
		"an address":        {attendedFlags{bind: "192.0.2.7"}, ""},
		"all addresses":     {attendedFlags{bind: "0.0.0.0"}, "all addresses of this machine"},
		"behind a proxy":    {attendedFlags{bind: "0.0.0.0", publicURL: "https://ema.example"}, ""},
		"a name each":       {attendedFlags{publicURL: "https://{party}.ema.example:8443"}, ""},
		"a path":            {attendedFlags{publicURL: "https://ema.example/below"}, "expected an origin"},
		"party in the path": {attendedFlags{publicURL: "https://ema.example/{party}"}, "expected an origin"},
		"no scheme":         {attendedFlags{publicURL: "ema.example"}, "expected an origin"},
		"own certificate": {attendedFlags{publicURL: "https://ema.example", certificate: certificate, certificateKey: key},
			""},
		"of another name": {attendedFlags{publicURL: "https://other.example", certificate: certificate, certificateKey: key},
			"is not for https://other.example/idp"},
		"of too few names": {attendedFlags{publicURL: "https://{party}.ema.example", certificate: certificate,
			certificateKey: key}, "is not for https://idp.ema.example"},
		"for http": {attendedFlags{publicURL: "http://ema.example", certificate: certificate, certificateKey: key},
			"for https"},
		"without key":  {attendedFlags{publicURL: "https://ema.example", certificate: certificate}, "give both"},
		"without name": {attendedFlags{certificate: certificate, certificateKey: key}, "is for --public-url"},
		"no certificate": {attendedFlags{publicURL: "https://ema.example", certificate: key, certificateKey: key},
			"--certificate"},
	} {
		if _, err := c.flags.place(); c.want == "" && err != nil || c.want != "" && (err == nil ||
			!strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

// writePair writes a certificate and its key as PEM files.
func writePair(t *testing.T, dir string, pair tls.Certificate) (certificate, key string) {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
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
