package scenario

import (
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/wire"
)

// Record puts what an attempt showed into the check's record, redacted: its exchanges and, with words, what the
// client said.
func Record(t *check.T, a *program.Attempt, part reports.Part, words bool) {
	if a.World == nil {
		return
	}
	a.World.Record(t.Recorder(), part)
	if !words {
		return
	}
	if a.Stopped() {
		t.Notef("%s", a.Summary())
	} else {
		t.Notef("the client ended after %.1f s with exit code %d", a.Took.Seconds(), a.Exit)
	}
	for _, line := range Said(a, t.Recorder()) {
		t.Notef("%s", line)
	}
}

// Said is what the client printed, redacted: a line for each stream that is not empty.
func Said(a *program.Attempt, rec *wire.Recorder) []string {
	var list []string
	for _, o := range []struct {
		name string
		text []byte
	}{{"standard output", a.Stdout}, {"standard error", a.Stderr}, {"opened in a browser", a.Opened}} {
		if text := strings.TrimSpace(tail(rec.Scrub(strings.ToValidUTF8(string(o.text), "�")))); text != "" {
			list = append(list, o.name+": "+text)
		}
	}
	return list
}

// tail is the end of a text, at most 2,000 characters.
func tail(s string) string {
	const kept = 2000
	if r := []rune(s); len(r) > kept {
		return "…" + string(r[len(r)-kept:])
	}
	return s
}
