package terminal

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
)

// screen is a terminal: what its rows show, and all that they ever showed.
type screen struct {
	rows  []string
	row   int
	drawn []string
}

// Write draws text with the movements that a bar makes: up a row, back to the margin, this row empty.
func (s *screen) Write(p []byte) (int, error) {
	for rest := string(p); rest != ""; {
		var n int
		switch {
		case strings.HasPrefix(rest, text.CursorUp.Sprint()):
			s.row, n = s.row-1, len(text.CursorUp.Sprint())
		case strings.HasPrefix(rest, text.EraseLine.Sprint()):
			s.at("")
			n = len(text.EraseLine.Sprint())
		case rest[0] == '\n':
			s.row, n = s.row+1, 1
		default:
			if n = strings.IndexAny(rest, "\n\x1b"); n < 0 {
				n = len(rest)
			}
			s.at(rest[:n])
		}
		rest = rest[n:]
	}
	return len(p), nil
}

func (s *screen) at(text string) {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, "")
	}
	if text == "" {
		s.rows[s.row] = ""
		return
	}
	s.rows[s.row] += text
	s.drawn = append(s.drawn, s.rows[s.row])
}

// follow plays a run of four checks, of which the third fails and the last is not reached, to a terminal of this width.
// With each, it waits for the bar to say so.
func follow(t *testing.T, columns int, verbose bool) *screen {
	t.Helper()
	shown := &screen{}
	draws := make(chan struct{}, 1000)
	p := newLive(&lines{w: writers{shown, draws}, verbose: verbose, started: time.Now()}, func() int { return columns })
	p.Step(reports.Step{Name: "the target answers", OK: true})
	p.Planned(4)
	for i, o := range []reports.Outcome{reports.Pass, reports.Pass, reports.Fail} {
		id := fmt.Sprintf("RAS-META-NO-TRUST-DISCLOSURE/check-%d", i)
		p.Started(id)
		p.Finished(reports.Check{ID: id, Outcome: o})
		for len(draws) > 0 {
			<-draws
		}
		<-draws
	}
	p.Close()
	return shown
}

// writers says of each write that it was made.
type writers struct {
	io.Writer
	made chan<- struct{}
}

func (w writers) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.made <- struct{}{}
	return n, err
}

func TestTheBarFitsTheTerminal(t *testing.T) {
	for _, columns := range []int{200, 80, 60, 40, 20} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			rows := 0
			for _, row := range follow(t, columns, false).drawn {
				if strings.Contains(row, "% ") {
					rows++
					g.Expect(text.StringWidth(row)).To(BeNumerically("<=", columns), row)
					g.Expect(columns < 40 || strings.Contains(row, " of 4 in ")).To(BeTrue(), "the id gives way: %s", row)
				}
			}
			g.Expect(rows).To(BeNumerically(">=", 3))
		})
	}
}

func TestOfTheBarNothingStays(t *testing.T) {
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
		shown := follow(t, 80, verbose)
		if got := strings.Join(shown.rows, "\n"); !regexp.MustCompile(want).MatchString(got) {
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
	if got := out.String(); got != want {
		t.Errorf("expected %q, got %q", want, got)
	}
}
