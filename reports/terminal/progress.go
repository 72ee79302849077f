package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
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

// live shows the lines and, from when it is known how many checks will run, below them a bar that tells how far the run
// is. Nothing stays of the bar.
type live struct {
	*lines

	bar   progress.Writer // nil before there is one
	run   *progress.Tracker
	ended sync.WaitGroup
}

// fromMargin begins each write in the first column: an interrupt that a terminal echoes as ^C moves the cursor.
type fromMargin struct{ *os.File }

func (f fromMargin) Write(p []byte) (int, error) {
	if _, err := f.WriteString("\r"); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func newLive(l *lines, columns func() int) *live {
	l.columns = columns
	return &live{lines: l}
}

// barFrom is how many columns a terminal needs for a bar beside the figures.
const barFrom = 50

func (p *live) Planned(n int) {
	if p.total = n; n == 0 {
		return
	}
	style := progress.StyleBlocks
	style.Chars.BoxLeft, style.Chars.BoxRight = "", ""
	style.Visibility.Tracker = p.columns() >= barFrom
	style.Options.PercentFormat, style.Options.Separator = "%3.0f%%", " "
	style.Options.TimeInProgressPrecision = 100 * time.Millisecond
	if p.color {
		style.Colors.Tracker = text.Colors{text.FgGreen}
	}
	p.bar = progress.NewWriter()
	p.bar.SetStyle(style)
	p.bar.SetAutoStop(true)
	p.bar.SetUpdateFrequency(100 * time.Millisecond)
	p.bar.SetTrackerLength(min(24, p.columns()/5))
	if file, ok := p.w.(*os.File); ok {
		p.bar.SetOutputWriter(fromMargin{file}) // its width is asked for again and again
	} else {
		p.bar.SetOutputWriter(p.w)
		p.bar.SetTerminalWidth(p.columns())
	}
	p.run = &progress.Tracker{Total: int64(n), AutoStopDisabled: true, RemoveOnCompletion: true,
		Units: progress.Units{Formatter: func(done int64) string { return fmt.Sprintf("%d of %d", done, n) }}}
	p.bar.AppendTracker(p.run)
	p.ended.Go(p.bar.Render)
}

// say prints a line, above the bar when there is one.
func (p *live) say(line string) {
	switch {
	case line == "":
	case p.bar == nil:
		fmt.Fprintln(p.w, line)
	default:
		p.bar.Log("%s", line)
	}
}

func (p *live) Step(s reports.Step) { p.say(p.step(s)) }

func (p *live) Started(id string) {
	if p.bar != nil {
		p.run.UpdateMessage(id)
	}
}

func (p *live) Finished(c reports.Check) {
	p.say(p.finished(c))
	if p.bar != nil {
		p.run.SetValue(int64(p.done))
	}
}

func (p *live) Waiting(what string) { p.say(p.waiting(what)) }

// Close leaves, in place of the bar, how far the run came.
func (p *live) Close() {
	if p.bar == nil {
		return
	}
	p.run.MarkAsDone() // with which the bar ends at its next turn, in case that it has not begun
	p.bar.Stop()
	p.ended.Wait()
	fmt.Fprintln(p.w, p.count())
}
