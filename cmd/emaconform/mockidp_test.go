package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
)

// startMockIdP runs the command until the test ends and returns its output up to the line that last holds for.
func startMockIdP(t *testing.T, last func(string) bool, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	c := newMockIdP()
	c.SilenceUsage, c.SilenceErrors = true, true
	own := []string{"--listen", "127.0.0.1:0"}
	if !strings.Contains(strings.Join(args, " "), "--config") {
		own = append(own, "--secrets", filepath.Join(t.TempDir(), "secrets.json")) // nothing is left in anybody's home
	}
	c.SetArgs(append(own, args...))
	c.SetOut(write)
	c.SetErr(io.Discard)
	done := make(chan error, 1)
	go func() {
		done <- c.ExecuteContext(ctx)
		_ = write.Close() // never fails
	}()
	t.Cleanup(func() {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, read) }()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var out strings.Builder
	for lines := bufio.NewScanner(read); lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if last(lines.Text()) {
			return out.String()
		}
	}
	t.Fatalf("the command ended: %v\n%s", <-done, out.String())
	return ""
}

func TestMockIdPsCurlLinesWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	out := startMockIdP(t, func(line string) bool { return strings.HasPrefix(line, "curl ") },
		"--audience", "http://localhost:8080", "--resource", "http://localhost:8080/mcp", "--scope", "read",
		"--ras-client-id", "me-there")
	var script strings.Builder
	for _, line := range strings.Split(out, "\n") {
		if strings.Contains(line, "=$(curl ") {
			script.WriteString(line + "\n")
		}
	}
	answer, err := exec.CommandContext(t.Context(), "sh", "-c", script.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	grant, ok := mockidp.Decode(strings.TrimSpace(string(answer)))
	if !ok {
		t.Fatalf("the lines lead to no ID-JAG but to %d bytes", len(answer))
	}
	for claim, want := range map[string]any{"aud": "http://localhost:8080", "resource": "http://localhost:8080/mcp",
		"scope": "read", "client_id": "me-there"} {
		if grant.Claims[claim] != want {
			t.Errorf("%s is %v, expected %v", claim, grant.Claims[claim], want)
		}
	}
}

func TestMockIdPAsJSON(t *testing.T) {
	out := startMockIdP(t, func(string) bool { return true }, "--json", "--control-secret", "known")
	var said struct {
		Issuer  string
		Control struct{ URL, Secret string }
		Clients []directory.Client
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(said.Control.URL, said.Issuer) || said.Control.Secret != "known" || len(said.Clients) != 2 {
		t.Errorf("%+v", said)
	}
}

// runMockIdP runs the command to its end.
func runMockIdP(args ...string) (string, error) {
	var out bytes.Buffer
	c := newMockIdP()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(io.Discard)
	err := c.Execute()
	return out.String(), err
}

func TestMockIdPExport(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys.json")
	if _, err := runMockIdP("export", dir, "--issuer", "https://idp.example", "--keys", keys, "--alg",
		"ES256"); err != nil {
		t.Fatal(err)
	}
	metadata, err := os.ReadFile(filepath.Join(dir, ".well-known", "openid-configuration"))
	if err != nil || !strings.Contains(string(metadata), `"issuer": "https://idp.example"`) {
		t.Errorf("%v: %s", err, metadata)
	}
	if _, err := mockidp.LoadKeySet(keys); err != nil {
		t.Error(err)
	}
	if _, err := runMockIdP("export", dir); err == nil || !strings.Contains(err.Error(), "--keys") {
		t.Errorf("without a key file: %v", err)
	}
}

// What the documentation shows can be copied.
func TestMockIdPExportAsItIsShown(t *testing.T) {
	shown := newMockIdPExport().Example
	for _, path := range []string{"../../README.md", "../../mockidp/README.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile("emaconform mockidp export[^`\n]*").FindString(string(text))
		if line == "" {
			t.Errorf("%s shows no export", path)
		}
		shown += "\n" + line
	}
	for _, line := range strings.Split(shown, "\n") {
		t.Chdir(t.TempDir())
		args := strings.Fields(line)
		if _, err := runMockIdP(args[2:]...); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if _, err := os.Stat(filepath.Join(args[3], "jwks.json")); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestMockIdPExportHasNoFlagsOfAServer(t *testing.T) {
	help, err := runMockIdP("export", "--help")
	if err != nil || strings.Contains(help, "--listen") || strings.Contains(help, "reloaded") {
		t.Errorf("%v:\n%s", err, help)
	}
	if !regexp.MustCompile(`--keys .*\(required\)`).MatchString(help) {
		t.Errorf("nothing says that --keys is required:\n%s", help)
	}
}

func TestMockIdPDefaultConfigurationIsSound(t *testing.T) {
	out, err := runMockIdP("config")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "idp.yaml")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err = runMockIdP("config", path); err != nil ||
		!strings.Contains(out, "is sound: 5 users, 2 clients, 3 connectors") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMockIdPNamesMistakes(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "idp.yaml")
	if err := os.WriteFile(broken, []byte("users:\n  - lgin: a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"broken file":      {[]string{"--config", broken}, broken + ": line 2"},
		"missing file":     {[]string{"--config", broken + "x"}, "there is no file"},
		"unknown flavour":  {[]string{"--flavour", "mint"}, "entra, generic, google, okta"},
		"unknown alg":      {[]string{"--alg", "HS256"}, "HS256"},
		"resource alone":   {[]string{"--resource", "https://x.example"}, "--audience"},
		"issuer no URL":    {[]string{"--issuer", "idp.example"}, "expected an http or https URL"},
		"nobody by silent": {[]string{"--silent", "nobody"}, `there is no user with the login "nobody"`},
		"address in use":   {[]string{"--listen", "256.0.0.1:1"}, "cannot listen"},
		"audience no URL":  {[]string{"--audience", "as.example"}, "no absolute URI"},
	} {
		if _, err := runMockIdP(c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, expected %q", name, err, c.want)
		}
	}
}

func TestMockIdPKeepsSecretsOfItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "secrets.json")
	d := directory.Default().Clone()
	if err := ownSecrets(d, path); err != nil {
		t.Fatal(err)
	}
	again := directory.Default().Clone()
	if err := ownSecrets(again, path); err != nil {
		t.Fatal(err)
	}
	for n, k := range directory.Default().Clients {
		if d.Clients[n].Secret == k.Secret || len(d.Clients[n].Secret) < 26 ||
			again.Clients[n].Secret != d.Clients[n].Secret {
			t.Errorf("client %s: the secret is the documented one, short, or another one at the second start", k.ID)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: others may read the secrets: %v", err, info.Mode())
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ownSecrets(d, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}
