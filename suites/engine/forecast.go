package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/suites/check"
)

// forecast tells who follows a run what it waits for, and how long that will take.
type forecast struct {
	say   func(string)
	now   func() time.Time
	least time.Duration // see worthLeaving

	mu      sync.Mutex
	running map[*check.T]started
	part    string    // what the checks of this part of the run have in common
	began   time.Time // this part
	ended   time.Time // the last attempt
	done    int       // attempts of this part
	all     int
	told    time.Time
	pause   time.Duration // until something is told again
}

// started says since when an attempt is under way, and when the part began to which it belongs.
type started struct{ since, part time.Time }

// How soon something is told, and how far the end has to be for that to be worth a line.
const (
	firstWord = 5 * time.Second
	worthSaid = 10 * time.Second
	enough    = 5 // checks, to conclude from them
)

func newForecast(say func(string)) *forecast {
	return &forecast{say: say, now: time.Now, least: worthLeaving, running: map[*check.T]started{}}
}

// watch tells what is to be told until ctx ends.
func (f *forecast) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if words := f.words(); words != "" {
				f.say(words)
			}
		}
	}
}

// tell passes on what somebody else says, who knows it better.
func (f *forecast) tell(what string) {
	f.mu.Lock()
	f.told = f.now()
	f.pause = max(f.pause, 2*firstWord)
	f.mu.Unlock()
	f.say(what)
}

// enter begins a part of the run; what says what is special about it, "" when nothing is.
func (f *forecast) enter(checks int, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.part, f.all, f.done = what, checks, 0
	f.began, f.ended, f.told, f.pause = now, now, now, firstWord
}

func (f *forecast) begin(t *check.T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[t] = started{f.now(), f.began}
}

func (f *forecast) end(t *check.T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[t].part.Equal(f.began) {
		f.done++
	}
	delete(f.running, t)
	f.ended = f.now()
}

// words are what is to be told now, or "": what a run waits for in which nothing goes on, or how long it will take at
// this pace. It gets rarer.
func (f *forecast) words() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.told) < f.pause || len(f.running) == 0 {
		return ""
	}
	words := f.pace(now)
	if quiet := now.Sub(f.ended) >= firstWord; quiet && (words == "" || f.done+len(f.here()) >= f.all) {
		words = f.waiting(now) // these are the last ones
	}
	if words != "" {
		f.told, f.pause = now, 2*f.pause
	}
	return words
}

// here are the attempts of this part that are under way.
func (f *forecast) here() map[*check.T]started {
	here := map[*check.T]started{}
	for t, began := range f.running {
		if began.part.Equal(f.began) {
			here[t] = began
		}
	}
	return here
}

// usual is how many requests a check sends, about: those that are under way are estimated by it.
const usual = 3

// pace is how long the checks of this part will take.
func (f *forecast) pace(now time.Time) string {
	took, came := now.Sub(f.began), float64(f.done)
	for t := range f.here() {
		came += min(0.9, float64(t.Recorder().Len())/usual)
	}
	left := f.all - f.done
	rest := time.Duration(float64(took) * (float64(f.all)/max(came, 1) - 1))
	if came < enough || rest < worthSaid {
		return ""
	}
	return fmt.Sprintf("%d checks%s in %s: about %s more for the %d that are left", f.done, f.part, rounded(took),
		rounded(rest), left)
}

// waiting says what is under way while nothing ends: what waits by design, and how long yet; else what takes its time.
func (f *forecast) waiting(now time.Time) string {
	type wait struct {
		words string
		over  time.Time
	}
	var resting, busy []wait
	under := f.here()
	if len(under) == 0 {
		under = f.running
	}
	for t, began := range under {
		if until, over := t.Resting(); until != "" {
			resting = append(resting, wait{fmt.Sprintf("until %s (%s): %s", until, t.Check.ID, rounded(over.Sub(now))), over})
		} else {
			what := fmt.Sprintf("%s, under way for %s", t.Check.ID, rounded(now.Sub(began.since)))
			busy = append(busy, wait{what, began.since})
		}
	}
	list := busy
	if len(resting) > 0 {
		list = resting
	}
	slices.SortFunc(list, func(a, b wait) int { return a.over.Compare(b.over) })
	const most = 3
	var names []string
	for _, w := range list[:min(most, len(list))] {
		names = append(names, w.words)
	}
	more := ""
	if n := len(list) - most; n > 0 {
		more = fmt.Sprintf(", and for %d more", n)
	}
	if len(resting) > 0 {
		return "waiting " + strings.Join(names, "; ") + more
	}
	return "waiting for " + strings.Join(names, "; ") + more
}

// rounded is a time as people say it.
func rounded(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second).Seconds())))
	case d < 10*time.Minute:
		d = d.Round(10 * time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
}
