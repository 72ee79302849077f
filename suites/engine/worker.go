package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
)

// workerVariable in the environment makes a process of this program a worker.
const workerVariable = "EMACONFORM_INTERNAL_WORKER"

// assignment is all that a worker needs; it comes on standard input, since it holds keys.
type assignment struct {
	Role    string          `json:"role"`
	World   json.RawMessage `json:"world"`
	Checks  []string        `json:"checks"`
	Profile string          `json:"profile"`
	Workers int             `json:"workers"`
	Seed    uint64          `json:"seed"`
}

// message is one line of a worker's standard output.
type message struct {
	Began  string         `json:"began,omitempty"`  // id of the check of which an attempt begins
	Rests  string         `json:"rests,omitempty"`  // id of the check of which an attempt has ended
	Result *reports.Check `json:"result,omitempty"` // what counts
	Says   string         `json:"says,omitempty"`   // what is waited for
	Lost   string         `json:"lost,omitempty"`   // why the target is given up
	Kind   string         `json:"kind,omitempty"`   // of a secret that the worker came to know
	Secret string         `json:"secret,omitempty"` // its value
}

// WorkerMain turns this process into a worker when a run started it as one, and then does not return. Every program
// that runs a job must call it first thing in main (or TestMain): a run re-executes its own binary.
func WorkerMain() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	LimitMemory(75 << 20)
	// net/http quotes there what a target sends unasked, and our end is told with its first line
	log.SetOutput(io.Discard)
	_ = os.Unsetenv(workerVariable) // what it starts, be it this program, is no worker
	if err := work(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// LimitMemory makes this process collect garbage often enough to stay below a number of bytes, where what it holds
// allows it. It leaves GOMEMLIMIT alone.
func LimitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}

func work(in io.Reader, out io.Writer) error {
	var a assignment
	if err := json.NewDecoder(in).Decode(&a); err != nil {
		return fmt.Errorf("worker: cannot read the assignment: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // the parent closes it when it ends, in whatever way: nobody listens any more
		os.Exit(1)
	}()
	open := roles[a.Role]
	if open == nil {
		return fmt.Errorf("worker: no role is called %q", a.Role)
	}
	checks := make([]*check.Check, len(a.Checks))
	for i, id := range a.Checks {
		c, ok := check.Find(id)
		if !ok {
			return fmt.Errorf("worker: no check is called %s", id)
		}
		checks[i] = c.In(a.Profile)
	}
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	say := func(m message) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(m) // a broken pipe means that the run is over
	}
	secrets := redact.New()
	secrets.Added = func(kind, value string) { say(message{Kind: kind, Secret: value}) }
	ahead := newForecast(func(what string) { say(message{Says: what}) })
	ctx := context.Background()
	stage, err := open(ctx, Opening{
		Assignment: a.World, Workers: a.Workers, Secrets: secrets, Seed: a.Seed,
		Say:  ahead.tell,
		Lose: func(why string) { say(message{Lost: why}) },
	})
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	defer stage.Close()
	go func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, endSignal)
		<-asked
		stage.Close()
		os.Exit(1)
	}()
	runSpecs(ctx, newSchedule(stage, checks, a.Workers, a.Seed, say, ahead))
	return nil
}
