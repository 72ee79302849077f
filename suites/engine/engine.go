// Package engine runs checks, for every role. A role brings its checks (package check) and its stage: the parties that
// it plays and what its checks act on.
//
// Checks run in one worker process, many at a time, so that a crash costs no more than the check that caused it. Each
// body runs in a goroutine; each is a Ginkgo spec, too, which reports what its body found. How fast the target is asked
// is for package wire to decide, which follows the target's own pace.
//
// Nothing counts that was not proved: a check whose requests were disturbed on the way, and one that would fail or
// warn, runs once more at the end, when nothing else runs, and counts when both agree.
package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Stage is where the checks of one role run: it exists in the worker process, from the first check to the last.
type Stage interface {
	// Lanes is how many checks that change what others see may run at the same time, each in a lane of its own.
	Lanes() int
	// World is what the bodies of a lane act on; those that run beside others are in lane 0.
	World(lane int) any
	// Recorder makes the record of one attempt.
	Recorder() *wire.Recorder
	// Settle undoes what the checks of a course left behind in a lane.
	Settle(ctx context.Context, lane int)
	// Budget is the time that a check may spend, without the waits for its turn and for a target that went away.
	Budget(c *check.Check) time.Duration
	// Close ends what the stage holds.
	Close()
}

// Opening is what a stage gets when it is opened.
type Opening struct {
	Assignment json.RawMessage // what the role gave as Job.Assignment
	Workers    int             // how many requests a host gets at a time, at most
	Seed       uint64          // the run's, for what is drawn
	Say        func(string)    // tells the user what is waited for
	Lose       func(string)    // ends the run: the target is gone, and why
	Secrets    *redact.Set     // the run's: what the stage and its checks come to know belongs into it
}

// Open opens the stage of a role in the worker process.
type Open func(context.Context, Opening) (Stage, error)

var roles = map[string]Open{}

// Register makes a role known. It is called at package level by the role's package, so that it has happened in every
// process of this program: var _ = engine.Register(…).
func Register(role string, open Open) bool {
	roles[role] = open
	return true
}

// Job is checks to run.
type Job struct {
	Role       string         // as registered
	Assignment any            // what the stage is opened with; becomes JSON
	Checks     []*check.Check // as In returned them for the profile
	Profile    string
	Workers    int    // upper bound of what runs at a time; 0 is MostWorkers
	Seed       uint64 // of the order
	Progress   Progress
	Secrets    *redact.Set // gets every secret that the worker comes to know; may be nil

	selected []*check.Check           // by Plan
	skipped  map[string]reports.Check // of these, by id
}

// MostWorkers is how many checks run, and requests are under way, at a time, unless the user says otherwise.
const MostWorkers = 64

// Done is what became of a job.
type Done struct {
	Results map[string]reports.Check // by id; every check of the job has one
	Ended   string                   // how the job ended before its time: one of the Ended constants, or ""
	Problem string                   // why, for people
	Workers int                      // upper bound of what ran at a time
	Memory  int64                    // largest resident size of a worker process, in bytes
}

// Progress hears of a run as it goes on. Calls come one at a time.
type Progress interface {
	Step(reports.Step)  // a step of the preflight has ended
	Planned(checks int) // so many results will come
	Started(id string)  // a check begins
	Finished(reports.Check)
	Waiting(what string) // the run waits for something, a sentence
}

// Silent is a Progress that nobody hears.
type Silent struct{}

// Step hears nothing.
func (Silent) Step(reports.Step) {}

// Planned hears nothing.
func (Silent) Planned(int) {}

// Started hears nothing.
func (Silent) Started(string) {}

// Finished hears nothing.
func (Silent) Finished(reports.Check) {}

// Waiting hears nothing.
func (Silent) Waiting(string) {}
