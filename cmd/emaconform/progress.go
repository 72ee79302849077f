package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/wire"
)

// closer is a run's progress that has to be ended before anything else is printed.
type closer interface {
	run.Progress
	Close()
}

// newProgress chooses how a run is followed: not at all, by a live bar on a terminal, or by plain lines.
func newProgress(w io.Writer, f *reportFlags) closer {
	color := isTerminal(w) && !f.noColor
	lines := &lines{w: w, color: color, verbose: f.verbose, started: time.Now()}
	switch {
	case f.quiet:
		lines.w = io.Discard
		return lines
	case isTerminal(w) && os.Getenv("TERM") != "dumb":
		return newLive(w, lines)
	default:
		return lines
	}
}

// lines prints a line for each step, for each check that needs attention (with verbose: for each check), and every tenth part
// of the checks.
type lines struct {
	w       io.Writer
	color   bool
	verbose bool
	started time.Time

	total, done, bad int
}

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
		fmt.Fprintf(l.w, "%4d of %d checks, %d to look at, %.0f s\n", l.done, l.total, l.bad, time.Since(l.started).Seconds())
	}
}

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
	return l.line(c.Outcome, c.ID, c.Message)
}

func (l *lines) line(o reports.Outcome, name, message string) string {
	m := marks[o]
	mark := fmt.Sprintf("%-4s", m.mark)
	if l.color {
		mark = m.color.Sprint(mark)
	}
	s := mark + " " + name
	if message != "" {
		s += ": " + wire.Printable(message, 160)
	}
	return s
}

func (l *lines) Close() {}

// live shows a bar, and above it the lines.
type live struct {
	*lines
	writer  progress.Writer
	tracker *progress.Tracker
	ended   sync.WaitGroup
}

func newLive(w io.Writer, l *lines) *live {
	p := &live{lines: l, writer: progress.NewWriter()}
	p.writer.SetOutputWriter(w)
	p.writer.SetUpdateFrequency(100 * time.Millisecond)
	p.writer.SetMessageLength(48)
	p.writer.SetTrackerLength(24)
	style := progress.StyleBlocks
	if l.color {
		style.Colors = progress.StyleColorsExample
	}
	p.writer.SetStyle(style)
	p.writer.Style().Visibility.Speed = false
	p.ended.Go(p.writer.Render)
	return p
}

func (p *live) Step(s reports.Step) { p.writer.Log("%s", p.step(s)) }

func (p *live) Planned(n int) {
	p.total = n
	p.tracker = &progress.Tracker{Message: "checks", Total: int64(n)}
	p.writer.AppendTracker(p.tracker)
}

func (p *live) Started(id string) {
	if p.tracker != nil {
		p.tracker.UpdateMessage(id)
	}
}

func (p *live) Finished(c reports.Check) {
	if line := p.finished(c); line != "" {
		p.writer.Log("%s", line)
	}
	p.tracker.Increment(1)
}

func (p *live) Close() {
	if p.tracker != nil {
		p.tracker.UpdateMessage("checks")
		p.tracker.MarkAsDone()
	}
	p.writer.Stop()
	p.ended.Wait()
}
