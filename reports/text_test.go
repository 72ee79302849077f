package reports

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

func textReport(t *testing.T, r *Report, color bool, width int) string {
	t.Helper()
	var b strings.Builder
	if err := WriteText(&b, r, color, width); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]+m`)

func TestTextHoldsPoisonDown(t *testing.T) {
	r := poisoned()
	r.Preflight[0].OK = false
	for _, color := range []bool{false, true} {
		got := textReport(t, r, color, 100)
		if color {
			got = sgr.ReplaceAllString(got, "")
		}
		for _, c := range got {
			if c != '\n' && (unicode.Is(unicode.C, c) || unicode.In(c, unicode.Zl, unicode.Zp)) {
				t.Fatalf("color %v: the text holds %U", color, c)
			}
		}
		for _, l := range strings.Split(got, "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##") {
				t.Errorf("color %v: a CI system takes this line for a command: %s", color, l)
			}
		}
		if !strings.Contains(got, `\u001b[31mred`) || !strings.Contains(got, ": :error::from the target") {
			t.Errorf("color %v: the poison does not read as it was sent", color)
		}
	}
}

func TestTextFitsItsWidth(t *testing.T) {
	for _, width := range []int{1, 40, 50, 60, 63, 64, 80, 100, 200} {
		for _, r := range []*Report{sample(), stopped(), withBaseline()} {
			for _, l := range strings.Split(textReport(t, r, false, width), "\n") {
				if n := text.StringWidth(l); n > max(width, minimumWidth) {
					t.Errorf("width %d: %d columns: %s", width, n, l)
				}
			}
		}
	}
}

// TestTextBreaksBetweenWords: on a narrow terminal, too, words stay whole, where one fits a line.
func TestTextBreaksBetweenWords(t *testing.T) {
	below := func(width int) []string { // the table, which has words of its own for each width
		_, text, _ := strings.Cut(textReport(t, sample(), false, width), "Failed")
		return strings.Fields(text)
	}
	want := below(1000)
	for _, width := range []int{40, 60} {
		if got := below(width); !slices.Equal(got, want) {
			t.Errorf("width %d: the words are %q, want %q", width, got, want)
		}
	}
}

func TestTextOfVerdictsOnANarrowTerminal(t *testing.T) {
	const want = `
Auth. server: not conformant
MCP server: conformant with warnings

Role          fail  incon.  warn  skip  pass
Auth. server     3       1     3     5    27
MCP server       0       0     1     0    20
`
	if got := textReport(t, sample(), false, 40); !strings.Contains(got, want) {
		t.Errorf("the verdicts are not readable:\n%s", got)
	}
	if got := textReport(t, sample(), false, tableWidth); strings.Contains(got, "server: ") {
		t.Errorf("the verdicts do not stand in the table:\n%s", got)
	}
}

func TestTextOfManyFailuresIsShort(t *testing.T) {
	outcomes := make([]Outcome, 5000)
	for i := range outcomes {
		outcomes[i] = Fail
	}
	r := sampleWith(outcomes...)
	for i := range r.Checks {
		r.Checks[i].Requirement = r.Checks[i].ID
	}
	got := textReport(t, r, false, 80)
	if !strings.Contains(got, "4960 broken requirements more") || strings.Count(got, "\n") > 350 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
}

func TestTextPassesOnAWriteError(t *testing.T) {
	if err := WriteText(full{}, sample(), false, 80); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error is %v", err)
	}
}

// full is a writer on a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
