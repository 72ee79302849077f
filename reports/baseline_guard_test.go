package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that the parser cannot bear is an error, as any other that is no baseline.
func TestNoBaselineEndsTheProgram(t *testing.T) {
	for name, text := range map[string]string{"lone tag": "- !x", "lone tag in an entry": "- check: !x\n  reason: y\n",
		"brackets": strings.Repeat("[", 100_000), "no text": "- check: \xff", "alias": "- *gone", "lone anchor": "- &"} {
		path := filepath.Join(t.TempDir(), "baseline.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadBaseline(path); err == nil || !strings.Contains(err.Error(), path) ||
			strings.Contains(err.Error(), "runtime") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
