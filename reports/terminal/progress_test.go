package terminal

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
)

// follow plays a run of four checks, of which the third fails and the last is not reached, to a terminal of this width.
// It returns all that was drawn, row by row in the order of drawing, and what is on the screen in the end.
func follow(columns int, verbose bool) (drawn []string, screen []string) {
	var out bytes.Buffer
	p := newLive(&lines{w: &out, verbose: verbose, started: time.Now()}, func() int { return columns })
	p.Step(reports.Step{Name: "the target answers", OK: true})
	p.Planned(4)
	for i, o := range []reports.Outcome{reports.Pass, reports.Pass, reports.Fail} {
		id := fmt.Sprintf("RAS-META-NO-TRUST-DISCLOSURE/check-%d", i)
		p.Started(id)
		p.Finished(reports.Check{ID: id, Outcome: o})
	}
	p.Close()
	for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		rows := strings.Split(line, startOver)
		drawn, screen = append(drawn, rows...), append(screen, rows[len(rows)-1])
	}
	return drawn, screen
}

func TestTheLiveRowFitsTheTerminal(t *testing.T) {
	for _, columns := range []int{120, 80, 60, 40, 20} {
		g := NewWithT(t)
		drawn, _ := follow(columns, false)
		rows := 0
		for _, row := range drawn {
			if strings.Contains(row, "% ") {
				rows++
				g.Expect(text.StringWidth(row)).To(BeNumerically("<=", columns-len("^C")), row)
				g.Expect(columns < 40 || strings.Contains(row, " of 4, 0.")).To(BeTrue(), "the id gives way: %s", row)
			}
		}
		g.Expect(rows).To(BeNumerically(">", 3))
	}
}

func TestOfTheLiveRowNothingStays(t *testing.T) {
	for verbose, want := range map[bool]string{
		false: `^ok   the target answers
FAIL RAS-META-NO-TRUST-DISCLOSURE/check-2
   3 of 4 checks, 1 to look at, \d+\.\d s$`,
		true: `^ok   the target answers
ok   RAS-META-NO-TRUST-DISCLOSURE/check-0
ok   RAS-META-NO-TRUST-DISCLOSURE/check-1
FAIL RAS-META-NO-TRUST-DISCLOSURE/check-2
   3 of 4 checks, 1 to look at, \d+\.\d s$`,
	} {
		_, screen := follow(80, verbose)
		if got := strings.Join(screen, "\n"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("verbose %v: the screen shows\n%s", verbose, got)
		}
	}
}

// Who compares nothing lets a hundred attacks through: a few are shown while the run goes on, and that there are more.
func TestManyAttacksOnOneIdentifierAreAFewLines(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	p := NewProgress(&out, Look{})
	p.Planned(200)
	for _, identifier := range []string{"aud", "sub"} {
		for i := range 100 {
			p.Finished(reports.Check{ID: fmt.Sprintf("RAS-X/%s-%d", identifier, i), Requirement: "RAS-X", Identifier: identifier,
				Outcome: reports.Fail, Message: "granted"})
		}
	}
	p.Close()
	g.Expect(strings.Count(out.String(), "FAIL")).To(Equal(2 * (saidOfEach + 1)))
	g.Expect(out.String()).To(ContainSubstring("and more attacks on sub"))
	g.Expect(out.String()).To(ContainSubstring("200 to look at"), "all are counted")
}

// A line that a terminal is too narrow for goes on below its own words.
func TestLinesFitTheTerminal(t *testing.T) {
	var out strings.Builder
	p := newLive(&lines{w: &out, started: time.Now()}, func() int { return 40 })
	p.Step(reports.Step{Name: "sign alice@acme.example in to acme-agent", OK: true, Saw: "ID token, refresh token"})
	p.Close()
	want := "ok   sign alice@acme.example in to\n     acme-agent: ID token, refresh token\n"
	if got := strings.TrimPrefix(out.String(), startOver); got != want {
		t.Errorf("expected %q, got %q", want, got)
	}
}
