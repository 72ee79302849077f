package client

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/world"
)

// Attended judges a client that a person operates, a desktop application or an IDE: it serves a page that says what to
// do now, shows what is seen, and judges a scenario when the person says what the client did.
//
// All worlds have the same ports and credentials, so that the client is configured once.
type Attended struct {
	r        *runner
	selected []*check.Check
	fixed    world.Options // what stays the same in all worlds
	finished chan struct{}

	mu      sync.Mutex
	current *stage
	once    sync.Once
}

// stage is the scenario that is on.
type stage struct {
	check  *check.Check
	shape  *shape
	honest bool // it is the honest run of the shape, which comes first
	world  *world.World
	began  time.Time
	cancel context.CancelFunc
}

// NewAttended makes the page's handler. The parties listen on ports from basePort on; redirectURI is where the client's
// logins end. Options.Command is not run.
func NewAttended(ctx context.Context, o Options, basePort int, redirectURI string) (*Attended, error) {
	selected, err := o.Selection.Of(Checks())
	if err != nil {
		return nil, err
	}
	fixed := world.Options{BasePort: basePort, Secret: rand.Text(), RedirectURI: redirectURI}
	return &Attended{r: newRunner(ctx, o), selected: selected, fixed: fixed, finished: make(chan struct{})}, nil
}

// Finished is closed when the person has pressed Finish.
func (a *Attended) Finished() <-chan struct{} { return a.finished }

// Report ends what is still on and reports. Scenarios that were not played are skipped.
func (a *Attended) Report() *reports.Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
	for _, c := range a.selected {
		if registry[c.ID].final {
			a.r.judge(c)
		} else if _, played := a.r.results[c.ID]; !played {
			a.r.results[c.ID] = c.SkippedResult("not played")
		}
	}
	return a.r.report(a.selected)
}

//go:embed attended.html
var page []byte

// Handler serves the page.
func (a *Attended) Handler() http.Handler {
	m := mux.NewRouter()
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	}).Methods(http.MethodGet)
	m.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) { a.answer(w, nil) }).Methods(http.MethodGet)
	for path, do := range map[string]func(*http.Request) error{
		"/start":  func(r *http.Request) error { return a.start(r.FormValue("check")) },
		"/done":   func(r *http.Request) error { return a.done(r.FormValue("saw")) },
		"/finish": func(*http.Request) error { a.once.Do(func() { close(a.finished) }); return nil },
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { a.answer(w, do(r)) }).Methods(http.MethodPost)
	}
	return http.NewCrossOriginProtection().Handler(m)
}

// start begins a scenario, or the honest run of its shape when that has not been seen yet.
func (a *Attended) start(id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.selected, func(c *check.Check) bool { return c.ID == id })
	if i < 0 || registry[id].final {
		return fmt.Errorf("there is no scenario %q to play", id)
	}
	a.drop()
	s := registry[id]
	stage := &stage{check: a.selected[i], shape: s.in, honest: a.r.controls[s.in] == nil, began: time.Now()}
	options := s.in.options
	if options.Identity == "" || options.Identity == world.Given {
		options.Identity = world.Login // a person's client logs in
	}
	options.BasePort, options.Secret, options.RedirectURI = a.fixed.BasePort, a.fixed.Secret, a.fixed.RedirectURI
	w, err := world.New(options)
	if err != nil {
		return err
	}
	if s.hostile != nil && !stage.honest {
		s.hostile(w)
	}
	ctx, cancel := context.WithCancel(a.r.ctx)
	if err := w.Serve(ctx); err != nil {
		cancel()
		return errors.Join(err, w.Close())
	}
	stage.world, stage.cancel = w, cancel
	a.current = stage
	return nil
}

// drop ends a scenario without a judgement.
func (a *Attended) drop() {
	if a.current != nil {
		a.current.cancel()
		_ = a.current.world.Close()
		a.current = nil
	}
}

// done judges the scenario that is on, by what was seen and by what the person saw: "connected", "error" or "waiting".
func (a *Attended) done(saw string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil {
		return errors.New("no scenario is on")
	}
	stage := a.current
	played := &attempt{
		World:    stage.world,
		Took:     time.Since(stage.began),
		Requests: stage.world.Seen(),
		Leaks:    stage.world.Leaks(nil),
	}
	switch saw {
	case "connected":
	case "error":
		played.Exit, played.Stderr = 1, []byte("the client showed an error, says the person at it")
	case "waiting":
		played.Exit, played.TimedOut = -1, true
	default:
		return fmt.Errorf("saw: %q is none of connected, error, waiting", saw)
	}
	a.drop()
	s := registry[stage.check.ID]
	if stage.honest {
		c := &control{attempt: played}
		c.once.Do(func() {})
		a.r.controls[stage.shape] = c
	}
	honest := a.r.controls[stage.shape].attempt
	switch {
	case s.hostile == nil:
		a.r.results[stage.check.ID] = a.r.decide(stage.check, s, honest, nil)
	case !honest.Succeeded():
		a.r.results[stage.check.ID] = a.r.unjudged(stage.check, s.in, honest)
	case !stage.honest:
		a.r.attempts[stage.check.ID] = played
		a.r.results[stage.check.ID] = a.r.decide(stage.check, s, played, honest)
	}
	return nil
}

// answer tells the page everything it shows, or what went wrong.
func (a *Attended) answer(w http.ResponseWriter, failed error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	state := map[string]any{"scenarios": a.scenarios()}
	if failed != nil {
		state["problem"] = failed.Error()
	}
	if s := a.current; s != nil {
		_, exchanges := s.world.Exchanges(reports.Setup)
		var seen []map[string]any
		for _, e := range exchanges {
			seen = append(
				seen,
				map[string]any{"note": e.Note, "method": e.Request.Method, "url": e.Request.URL, "status": statusOf(e)},
			)
		}
		settings := s.world.Context()
		maps.DeleteFunc(settings, func(k string, _ any) bool { return k == "name" || k == "idp_login" })
		state["current"] = map[string]any{
			"id": s.check.ID, "title": s.check.Title, "meets": s.check.Sends, "expects": s.check.Expects, "honest": s.honest,
			"server": s.world.MCP.Resource, "settings": settings, "seen": seen, "tool": world.Tool,
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(state) // a page that is gone needs no answer
}

func (a *Attended) scenarios() []map[string]any {
	var list []map[string]any
	for _, c := range a.selected {
		if registry[c.ID].final {
			continue
		}
		r := a.r.results[c.ID]
		list = append(list, map[string]any{
			"id": c.ID, "title": c.Title, "level": c.Level, "outcome": r.Outcome, "message": r.Message,
			"ready": a.r.controls[registry[c.ID].in] != nil || registry[c.ID].hostile == nil,
		})
	}
	return list
}

func statusOf(e reports.Exchange) int {
	if e.Response == nil {
		return 0
	}
	return e.Response.Status
}
