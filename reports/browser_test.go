package reports

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"
)

// opened is the page after a real browser opened it from a file, with this fragment.
func opened(t *testing.T, r *Report, fragment string) *nethtml.Node {
	t.Helper()
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("needs chromium")
	}
	dir := t.TempDir()
	if _, err := WriteAll(dir, r, []string{"html"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+profile,
		"--virtual-time-budget=10000", "--dump-dom", "file://"+filepath.Join(dir, "report.html")+fragment)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
	page, err := nethtml.Parse(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func has(n *nethtml.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func TestBrowserFiltersByTheFragment(t *testing.T) {
	page := opened(t, sample(), "#?outcome=fail,warn&role=ras&q=audience%20case")
	var shown []string
	for _, c := range all(page, "details", "check") {
		if !has(c, "hidden") {
			shown = append(shown, attribute(c, "id"))
		}
	}
	if len(shown) != 0 {
		t.Errorf("shown are %v, though no check says both words", shown)
	}
	page = opened(t, sample(), "#?outcome=fail,warn&role=ras&q=AUD%20wrong")
	for _, c := range all(page, "details", "check") {
		fits := strings.HasPrefix(attribute(c, "id"), "RAS-AUD") &&
			slices.Contains([]string{"fail", "warn"}, attribute(c, "data-outcome"))
		if fits == has(c, "hidden") {
			t.Errorf("%s: fits %v, hidden %v", attribute(c, "id"), fits, has(c, "hidden"))
		}
	}
	if text := textOf(all(page, "p", "shown")[0]); text != "3 of 60 checks" {
		t.Errorf("it says %q", text)
	}
	chosen := []string{"fail", "warn", "ras"}
	for _, b := range all(page, "button", "") {
		pressed := attribute(b, "aria-pressed") == "true"
		if value := attribute(b, "data-value"); value != "" && pressed != slices.Contains(chosen, value) {
			t.Errorf("button %s is pressed: %v", value, pressed)
		}
		// A facet counts what its other facets leave: 9 passes speak of the audience.
		if attribute(b, "data-value") == "pass" && textOf(all(b, "b", "")[0]) != "9" {
			t.Errorf("passes: %s", textOf(b))
		}
	}
}

func TestBrowserOpensWhatTheFragmentNames(t *testing.T) {
	page := opened(t, sample(), "#RS-AUD/prefix")
	for _, n := range all(page, "details", "") {
		if id := attribute(n, "id"); (id == "RS-AUD" || id == "RS-AUD/prefix") && !has(n, "open") {
			t.Errorf("%s is closed", id)
		}
		if attribute(n, "id") == "RS-AUD/array" && has(n, "open") {
			t.Error("another check is open")
		}
	}
}

func TestBrowserDoesNotRunPoison(t *testing.T) {
	page := opened(t, poisoned(), "#?q="+strings.Repeat("%3Cscript%3E", 3))
	for _, n := range all(page, "html", "") {
		if attribute(n, "id") == "owned" {
			t.Error("the poison ran")
		}
		if attribute(n, "class") != "js" {
			t.Error("the page's own script did not run")
		}
	}
}
