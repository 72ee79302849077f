package client

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/wire"
)

// role is the name under which the engine knows clients.
const role = "client"

var _ = engine.Register(role, open)

// assignment is what the stage of a client is opened with.
type assignment struct {
	Command      []string      `json:"command"`
	Environment  []string      `json:"environment"`
	Pass         []string      `json:"pass"`
	Dir          string        `json:"dir"`
	Memory       int64         `json:"memory"`
	Timeout      time.Duration `json:"timeout"`
	Parallel     int           `json:"parallel"`
	Confidential bool          `json:"confidential"`
	ClientID     string        `json:"client_id"`
	Document     []byte        `json:"document"`
	LogsIn       bool          `json:"logs_in"`
	OwnHome      bool          `json:"own_home"`
	ConnectsOnly bool          `json:"connects_only"`
	RedirectURIs []string      `json:"redirect_uris"`
	Revision     string        `json:"revision"` // of MCP; empty: each world its own
	HTTPS        bool          `json:"https"`
	CAFile       string        `json:"ca_file"`
}

func open(ctx context.Context, o engine.Opening) (engine.Stage, error) {
	var a assignment
	if err := json.Unmarshal(o.Assignment, &a); err != nil {
		return nil, err
	}
	return newStage(ctx, a, o.Secrets), nil
}

// stage runs the client's command in one world after the other, some at a time.
type stage struct {
	assignment
	secrets *redact.Set // of the run
	ctx     context.Context
	end     context.CancelFunc
	gate    *program.Gate
	busy    sync.WaitGroup

	mu       sync.Mutex
	controls map[controlKey]*control
	visits   map[string]int              // how often a check was run, by id
	seen     map[string]*program.Attempt // the last attempt of each check, by id
}

// control is the attempt in an honest world, which all checks of its shape share: one for their first looks, another
// one for their second ones.
type control struct {
	once    sync.Once
	attempt *program.Attempt
}

type controlKey struct {
	shape *scenario.Shape
	look  int
}

func newStage(ctx context.Context, a assignment, secrets *redact.Set) *stage {
	ctx, end := context.WithCancel(ctx)
	return &stage{
		assignment: a, secrets: secrets, ctx: ctx, end: end, gate: program.NewGate(a.Parallel),
		controls: map[controlKey]*control{}, visits: map[string]int{}, seen: map[string]*program.Attempt{},
	}
}

func (s *stage) Lanes() int                  { return 1 }
func (s *stage) World(int) any               { return s }
func (s *stage) Settle(context.Context, int) {} // each attempt has a world of its own
func (s *stage) Recorder() *wire.Recorder    { return wire.NewRecorder(s.secrets) }

// Budget bounds a check that hangs otherwise than by its client, which has a bound of its own.
func (s *stage) Budget(*check.Check) time.Duration { return 20*s.Timeout + time.Minute }

// Close ends every client that still runs.
func (s *stage) Close() {
	s.end()
	s.busy.Wait()
}

// Attempts are the last ones, by the ids of their checks.
func (s *stage) Attempts() map[string]*program.Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// Play runs the client in the scene, beside the honest world of its shape.
func (s *stage) Play(t *check.T, in *scenario.Scene) (judged, honest *program.Attempt) {
	s.mu.Lock()
	s.visits[t.Check.ID]++
	look := s.visits[t.Check.ID]
	s.mu.Unlock()
	if t.Check.Serial { // it looks at what was seen whatever was selected: every honest scene at least
		for _, shape := range scenario.Shapes() {
			s.control(t, shape, look)
		}
	}
	honest = s.control(t, in.Shape, look)
	if in.Hostile == nil {
		return honest, nil
	}
	if !honest.Succeeded() {
		return nil, honest
	}
	judged = s.attempt(t, in, honest)
	s.mu.Lock()
	s.seen[t.Check.ID] = judged
	s.mu.Unlock()
	return judged, honest
}

// control runs the client in the honest world of a shape, once for each look.
func (s *stage) control(ctx context.Context, of *scenario.Shape, look int) *program.Attempt {
	s.mu.Lock()
	key := controlKey{of, look}
	c := s.controls[key]
	if c == nil {
		c = &control{}
		s.controls[key] = c
	}
	s.mu.Unlock()
	resume := wire.Pause(ctx) // it has a bound of its own
	defer resume()
	c.once.Do(func() {
		c.attempt = s.honest(of)
		if scenario.Of("CL-NO-LEAK/"+of.Name) == nil { // else it has a search for leaks of its own
			s.mu.Lock()
			s.seen["the honest scenario ("+of.Name+")"] = c.attempt
			s.mu.Unlock()
		}
	})
	return c.attempt
}

// honest runs the client in the honest world of a shape. All checks of the shape stand on what comes of it, so that it
// is run again where it does not get through, until it ends twice in the same way: what came in between is no reason.
func (s *stage) honest(of *scenario.Shape) *program.Attempt {
	const most = 4
	last := s.attempt(s.ctx, of.Honest(""), nil)
	for n := 1; n < most && !last.Succeeded() && s.ctx.Err() == nil; n++ {
		again := s.attempt(s.ctx, of.Honest(""), nil)
		if again.Succeeded() || !again.TimedOut && again.Summary() == last.Summary() &&
			len(again.Requests) == len(last.Requests) {
			return again
		}
		last = again
	}
	return last
}

// Confirm runs the client in the honest world once more. Where it does not get through there now, or needs far longer
// than before, the failure may be the machine's.
func (s *stage) Confirm(t *check.T, in *scenario.Scene, failed, honest *program.Attempt) {
	again := s.attempt(t, in.Shape.Honest(""), honest)
	const slower = 3
	switch {
	case !again.Succeeded():
		t.Doubtf("after the failure the client did not get through an honest world either: %s", again.Summary())
	case failed.TimedOut && again.Took > slower*honest.Took+time.Second:
		t.Doubtf("the machine is busy: an honest run took %.1f s before and %.1f s after this one",
			honest.Took.Seconds(), again.Took.Seconds())
	default:
		return
	}
	t.Inconclusivef("the client failed here, but the honest run after it shows that this proves nothing: %s",
		again.Summary())
}

// Also runs the client in another scene.
func (s *stage) Also(t *check.T, in *scenario.Scene, honest *program.Attempt) *program.Attempt {
	a := s.attempt(t, in, honest)
	scenario.Record(t, a, reports.Setup, false)
	return a
}

// How long a client may take, measured by its honest run: so slowness is not taken for hanging.
const (
	patienceFactor = 5
	requestFactor  = 8
	shortestWait   = 2 * time.Second
)

// options are those of a world of this shape.
func (a *assignment) options(of *scenario.Shape) world.Options {
	o := of.Options
	o.Confidential, o.SecretKnown, o.RedirectURIs = o.Confidential || a.Confidential, a.Confidential, a.RedirectURIs
	if a.LogsIn && (o.Identity == "" || o.Identity == world.Given) {
		o.Identity = world.Login
	}
	o.OwnHome, o.ConnectsOnly = o.OwnHome || a.OwnHome, a.ConnectsOnly
	o.TLS = o.TLS || a.HTTPS
	if o.TLS {
		o.CAFile = a.CAFile
	}
	if o.Published != "" {
		o.Published, o.Document = cmp.Or(a.ClientID, o.Published), a.Document
	}
	if o.Revision == "" {
		o.Revision = a.Revision
	}
	return o
}

// attempt runs the client once, when its turn comes. The context's clock stands still meanwhile.
func (s *stage) attempt(ctx context.Context, in *scenario.Scene, honest *program.Attempt) (a *program.Attempt) {
	resume := wire.Pause(ctx)
	turn, err := s.gate.Enter(ctx)
	resume()
	if err != nil {
		return &program.Attempt{Failed: fmt.Errorf("not run: %w", context.Cause(ctx)), Exit: -1}
	}
	s.busy.Add(1)
	defer s.busy.Done()
	options := s.options(in.Shape)
	timeout := s.Timeout
	options.RequestTimeout = timeout / 6
	if honest != nil {
		timeout = max(timeout, patienceFactor*honest.Took)
		options.RequestTimeout = min(timeout/3, max(shortestWait, requestFactor*honest.Took))
	}
	w, err := world.New(options)
	if err != nil {
		turn.Leave(0)
		return &program.Attempt{Failed: fmt.Errorf("our own error: %w", err), Exit: -1}
	}
	defer func() { _ = w.Close() }() // its listeners go in any case
	w.Resting = turn.Rest
	if in.Hostile != nil {
		in.Hostile(w)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	c := program.Command{Args: s.Command, Environment: s.Environment, Timeout: timeout, Named: s.Pass, Dir: s.Dir,
		Memory: s.Memory}
	if options.OwnHome {
		home, err := program.NewHome()
		if err != nil {
			turn.Leave(0)
			return &program.Attempt{Failed: err, Exit: -1}
		}
		defer home.Remove()
		c.Environment = slices.Concat(c.Environment, home.Environment())
		defer func() { a.Files = home.Files() }()
	}
	a = c.Run(ctx, w)
	turn.Leave(a.CPU)
	for _, secret := range w.Secrets() {
		s.secrets.Know(secret.Kind, secret.Value)
	}
	return a
}
