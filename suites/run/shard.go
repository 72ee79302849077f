package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

// collector gathers results from all workers.
type collector struct {
	mu       sync.Mutex
	results  map[string]reports.Check
	progress Progress
	memory   int64
	silence  int    // results in a row whose last exchange had no answer
	lost     func() // called, without the lock, when silence suggests that the target is gone
}

// suspicious is so much silence that we ask whether the target is still there.
const suspicious = 3

func (c *collector) add(r reports.Check) {
	if c.record(r) {
		c.lost()
	}
}

// record keeps a result, unless its check has one, and reports whether the target may be gone.
func (c *collector) record(r reports.Check) (suspect bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, twice := c.results[r.ID]; twice {
		return false
	}
	c.results[r.ID] = r
	c.progress.Finished(r)
	n := len(r.Exchanges)
	switch {
	case n > 0 && r.Exchanges[n-1].Response == nil:
		c.silence++
	case n > 0:
		c.silence = 0
	}
	return c.silence >= suspicious
}

func (c *collector) begin(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress.Started(id)
}

func (c *collector) has(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.results[id]
	return ok
}

// plan says which checks run together. Each inner list is for one worker.
type plan struct {
	parallel  [][]string // at the same time, all with the first identity provider
	serial    [][]string // after that, the first list with the first identity provider and the other, if any, with the second
	exhausted [][]string // at the end, alone: they use limits of the target up, which recover slowly
}

// schedule makes a plan for this many workers. twoIdPs says whether checks that change an identity provider's keys can
// be shared out between two of them; it is asked when that would help.
func schedule(checks []*check.Check, workers int, twoIdPs func() bool) plan {
	// Checks that wait go first, each to a worker of its own while there are some, so that their waits overlap.
	var waiting, parallel, serial, exhausting []string
	for _, k := range checks {
		switch {
		case k.Serial && k.Intrusive:
			exhausting = append(exhausting, k.ID)
		case k.Serial:
			serial = append(serial, k.ID)
		case k.Slow:
			waiting = append(waiting, k.ID)
		default:
			parallel = append(parallel, k.ID)
		}
	}
	p := plan{parallel: split(append(waiting, parallel...), workers), exhausted: split(exhausting, 1)}
	if len(serial) > 1 && twoIdPs() {
		p.serial = split(serial, 2)
	} else {
		p.serial = split(serial, 1)
	}
	return p
}

// interchangeable reports whether the target fetches keys from the second identity provider as it does from the first,
// and takes its ID-JAGs.
func interchangeable(ctx context.Context, w *check.World) bool {
	c := w.Config
	if c.SecondIdP == nil || c.SecondIdP.Static() || c.IdP.Static() || (c.IdP.CA == "") != (c.SecondIdP.CA == "") || !w.Inbound {
		return false
	}
	p := &preflight{driver: check.NewDriver(ctx, w.Swapped())}
	before := p.fetches()
	return check.Granted(p.driver.Present(p.driver.Grant(), reports.Setup, "")) && p.fetches() > before
}

// runShards spreads the checks over worker processes and waits for all of them. Checks that a worker does not finish,
// because it died, hung or was stopped with ctx, end as inconclusive.
func runShards(ctx context.Context, base assignment, p plan, c *collector) {
	together := func(shards [][]string, swap bool) {
		var wg sync.WaitGroup
		for n, shard := range shards {
			a := base
			a.Swapped = swap && n > 0
			wg.Go(func() { runShard(ctx, a, shard, c) })
		}
		wg.Wait()
	}
	together(p.parallel, false)
	together(p.serial, true)
	together(p.exhausted, false)
}

// split deals the ids out like cards, so that neighbours, which tend to cost the same, go to different workers.
func split(ids []string, n int) [][]string {
	n = max(1, min(n, len(ids)))
	shards := make([][]string, n)
	for i, id := range ids {
		shards[i%n] = append(shards[i%n], id)
	}
	if len(ids) == 0 {
		return nil
	}
	return shards
}

func runShard(ctx context.Context, a assignment, ids []string, c *collector) {
	for len(ids) > 0 {
		a.Checks = ids
		began, err := runWorker(ctx, a, c)
		ids = c.unfinished(ids)
		if len(ids) == 0 {
			return
		}
		why := "the worker process ended early"
		if err != nil {
			why = err.Error()
		}
		if ctx.Err() != nil {
			c.drop(ids, fmt.Sprintf("not run: %s", context.Cause(ctx)))
			return
		}
		// The check that was running costs itself; the others get a new worker.
		if began == "" || c.has(began) {
			c.giveUp(ids, why)
			return
		}
		c.giveUp([]string{began}, why)
		ids = c.unfinished(ids)
	}
}

func (c *collector) unfinished(ids []string) []string {
	var left []string
	for _, id := range ids {
		if !c.has(id) {
			left = append(left, id)
		}
	}
	return left
}

func (c *collector) giveUp(ids []string, why string) {
	for _, id := range ids {
		if k, ok := check.Find(id); ok && !c.has(id) {
			c.add(k.Unfinished(why))
		}
	}
}

// drop is giveUp when the whole run ends: nobody wants to hear of each check.
func (c *collector) drop(ids []string, why string) {
	for _, id := range c.unfinished(ids) {
		if k, ok := check.Find(id); ok {
			c.mu.Lock()
			c.results[id] = k.Unfinished(why)
			c.mu.Unlock()
		}
	}
}

// runWorker runs one worker process to its end and returns the last check that it began.
func runWorker(ctx context.Context, a assignment, c *collector) (began string, err error) {
	input, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	// A worker that hangs in spite of Ginkgo's own bound is ended by silence.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(2*a.Config.Timing.Check+10*time.Second, cancel)
	defer silence.Stop()

	var stderr tail
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), workerVariable+"=1")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	cmd.WaitDelay = 2 * time.Second
	detach(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewReader(stdout)
	for {
		line, readErr := lines.ReadBytes('\n')
		var m message
		if json.Unmarshal(line, &m) == nil {
			silence.Reset(2*a.Config.Timing.Check + 10*time.Second)
			if m.Started != "" {
				began = m.Started
				c.begin(began)
			}
			if m.Result != nil {
				c.add(*m.Result)
			}
		}
		if readErr != nil {
			break
		}
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.memory += peakMemory(cmd.ProcessState)
	c.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("the worker process ended early (%w)%s", err, stderr.firstLine())
	}
	return began, err
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > 4096 {
		t.kept = t.kept[len(t.kept)-4096:]
	}
	return len(p), nil
}

// firstLine is where Go says why a process panicked.
func (t *tail) firstLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	if lines[0] == "" {
		return ""
	}
	return ": " + lines[0]
}
