package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/emaconform/emaconform/reports"
)

// Progress follows a run. It has to be closed before anything else is printed.
type Progress interface {
	Step(s reports.Step)      // of the preflight
	Planned(n int)            // so many checks will run
	Started(id string)        // a check
	Finished(c reports.Check) // with its result
	Waiting(what string)      // what the run waits for, and for how long
	Close()
}

// Look says what of a run is shown.
type Look struct{ Quiet, Verbose, NoColor bool }

// NewProgress chooses how a run is followed: not at all, by a live row on a terminal, or by plain lines.
func NewProgress(w io.Writer, l Look) Progress {
	color := IsTerminal(w) && !l.NoColor
	lines := &lines{w: w, color: color, verbose: l.Verbose, started: time.Now()}
	switch {
	case l.Quiet:
		lines.w = io.Discard
		return lines
	case IsTerminal(w) && os.Getenv("TERM") != "dumb":
		return newLive(lines, func() int { return Width(w) })
	default:
		return lines
	}
}

// lines prints a line for each step, for each check that needs attention (with verbose: for each check), and every
// tenth part of the checks.
type lines struct {
	columns func() int // of the terminal, which may be resized; nil where there is none
	w       io.Writer
	color   bool
	verbose bool
	started time.Time

	total, done, bad int
	said             map[[3]string]int // attacks that were noticed, by requirement, identifier and outcome
}

// saidOfEach is how many attacks on one identifier are shown while a run goes on: one that is not compared lets a
// hundred through, and the end of the run says so in a line.
const saidOfEach = 3

var marks = map[reports.Outcome]struct {
	mark  string
	color text.Color
}{
	reports.Pass:         {"ok", text.FgGreen},
	reports.Fail:         {"FAIL", text.FgRed},
	reports.Warn:         {"warn", text.FgYellow},
	reports.Skip:         {"skip", text.FgHiBlack},
	reports.Inconclusive: {"????", text.FgMagenta},
}

func (l *lines) Step(s reports.Step) { fmt.Fprintln(l.w, l.step(s)) }

func (l *lines) step(s reports.Step) string {
	o := reports.Pass
	if !s.OK {
		o = reports.Fail
	}
	return l.line(o, s.Name, s.Saw)
}

func (l *lines) Planned(n int) {
	l.total = n
	fmt.Fprintf(l.w, "%d checks\n", n)
}

func (l *lines) Started(string) {}

func (l *lines) Finished(c reports.Check) {
	if text := l.finished(c); text != "" {
		fmt.Fprintln(l.w, text)
	}
	if step := max(1, l.total/10); l.done%step == 0 || l.done == l.total {
		fmt.Fprintln(l.w, l.count())
	}
}

func (l *lines) count() string {
	return fmt.Sprintf("%4d of %d checks, %d to look at, %s", l.done, l.total, l.bad, l.elapsed())
}

func (l *lines) elapsed() string { return fmt.Sprintf("%.1f s", time.Since(l.started).Seconds()) }

// finished counts a check and returns the line to print for it, or "".
func (l *lines) finished(c reports.Check) string {
	l.done++
	attention := c.Outcome == reports.Fail || c.Outcome == reports.Inconclusive || c.Outcome == reports.Warn
	if attention {
		l.bad++
	}
	if !attention && !l.verbose {
		return ""
	}
	if c.Identifier == "" || l.verbose {
		return l.line(c.Outcome, c.ID, c.Message)
	}
	if l.said == nil {
		l.said = map[[3]string]int{}
	}
	of := [3]string{c.Requirement, c.Identifier, string(c.Outcome)}
	switch l.said[of]++; l.said[of] {
	case saidOfEach + 1:
		return l.line(c.Outcome, c.Requirement, "and more attacks on "+c.Identifier+
			", which the end of the run puts together")
	case 1, 2, saidOfEach:
		return l.line(c.Outcome, c.ID, c.Message)
	}
	return ""
}

func (l *lines) line(o reports.Outcome, name, message string) string {
	m := marks[o]
	mark := fmt.Sprintf("%-4s", m.mark)
	if l.color {
		mark = m.color.Sprint(mark)
	}
	if message != "" {
		name += ": " + reports.Log(reports.Line(message, 160))
	}
	if l.columns != nil {
		name = Wrap(name, l.columns(), len("FAIL "))
	}
	return mark + " " + name
}

func (l *lines) Waiting(what string) { fmt.Fprintln(l.w, l.waiting(what)) }

func (l *lines) waiting(what string) string { return "     " + reports.Line(what, 300) }

func (l *lines) Close() {}

// live shows the lines and, below them, a row that tells how far the run is. The row ends with no newline and is
// redrawn in its place; a line takes its place, and the row moves on below it.
type live struct {
	*lines

	mu    sync.Mutex // the clock draws, too
	id    string     // of the check that began last
	stop  chan struct{}
	ended sync.WaitGroup
}

func newLive(l *lines, columns func() int) *live {
	l.columns = columns
	p := &live{lines: l, stop: make(chan struct{})}
	p.ended.Go(p.tick)
	return p
}

// tick redraws the row for its clock, while checks take their time.
func (p *live) tick() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.after(func() string { return "" })
		case <-p.stop:
			return
		}
	}
}

// after makes a change, prints the line for it, if any, and draws the row.
func (p *live) after(change func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := change()
	if line != "" {
		line = startOver + line + "\n"
	}
	if p.total > 0 {
		line += startOver + p.row(p.columns())
	}
	fmt.Fprint(p.w, line)
}

// startOver empties the row that the cursor is in.
var startOver = "\r" + text.EraseLine.Sprint()

func (p *live) row(columns int) string {
	bar := ""
	if length := min(24, columns/5); columns >= 50 {
		full := length * p.done / p.total
		bar = strings.Repeat("█", full) + strings.Repeat("░", length-full) + " "
	}
	if p.color {
		bar = text.FgGreen.Sprint(bar)
	}
	row := fmt.Sprintf("%3d%% %s%d of %d, %s  %s", 100*p.done/p.total, bar, p.done, p.total, p.elapsed(), p.id)
	return text.Snip(row, columns-3, "~") // a terminal echoes an interrupt as ^C, which must not begin a new row
}

func (p *live) Step(s reports.Step) { p.after(func() string { return p.step(s) }) }

func (p *live) Planned(n int) { p.after(func() string { p.total = n; return "" }) }

func (p *live) Started(id string) { p.after(func() string { p.id = id; return "" }) }

func (p *live) Finished(c reports.Check) { p.after(func() string { return p.finished(c) }) }

func (p *live) Waiting(what string) { p.after(func() string { return p.waiting(what) }) }

// Close leaves, in place of the row, how far the run came.
func (p *live) Close() {
	close(p.stop)
	p.ended.Wait()
	if p.total > 0 {
		fmt.Fprintln(p.w, startOver+p.count())
	}
}
