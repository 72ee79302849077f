package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
)

// Run runs a job in a worker process and waits for it. Whatever happens, each check has a result: one that did not come
// to its end, because the worker died or ctx ended, is inconclusive.
func Run(ctx context.Context, j Job) (*Done, error) {
	world, err := json.Marshal(j.Assignment)
	if err != nil {
		return nil, err
	}
	if j.Workers <= 0 {
		j.Workers = MostWorkers
	}
	if j.Progress == nil {
		j.Progress = Silent{}
	}
	if j.Secrets == nil {
		j.Secrets = redact.New()
	}
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	p := &parent{job: j, world: world, lose: lose, byID: map[string]*check.Check{},
		done: &Done{Workers: j.Workers, Results: map[string]reports.Check{}}}
	ids := make([]string, len(j.Checks))
	for i, c := range j.Checks {
		ids[i], p.byID[c.ID] = c.ID, c
	}
	p.supervise(ctx, ids)
	p.done.Ended, p.done.Problem = Ended(ctx)
	return p.done, nil
}

// parent is the side of a job that stays alive.
type parent struct {
	job   Job
	world json.RawMessage
	lose  context.CancelCauseFunc
	byID  map[string]*check.Check

	mu   sync.Mutex
	done *Done
	held int // bytes of evidence in it
}

// supervise runs workers until every check has a result. When one dies, the checks that were under way are suspects:
// the others go on in a new worker, then each suspect gets one for itself, and the one that kills it again has done it.
func (p *parent) supervise(ctx context.Context, ids []string) {
	left, suspects := ids, []string{}
	for {
		left, suspects = p.unfinished(left), p.unfinished(suspects)
		batch := left
		if len(batch) == 0 && len(suspects) > 0 {
			batch = suspects[:1]
		}
		if len(batch) == 0 {
			return
		}
		running, err := p.worker(ctx, batch)
		why := "the worker process ended early"
		if err != nil {
			why = err.Error()
		}
		switch running = p.unfinished(running); {
		case ctx.Err() != nil:
			p.drop(p.unfinished(append(left, suspects...)), fmt.Sprintf("not run: %s", context.Cause(ctx)))
			return
		case len(p.unfinished(batch)) == 0:
		case len(batch) == 1 || len(running) == 1:
			p.giveUp(append(running, batch[:1]...)[0], why)
		case len(running) == 0:
			for _, id := range p.unfinished(batch) {
				p.giveUp(id, why)
			}
		default:
			suspects = append(suspects, running...)
			left = slices.DeleteFunc(slices.Clone(left), func(id string) bool { return slices.Contains(running, id) })
		}
	}
}

func (p *parent) unfinished(ids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, id := range ids {
		if _, ok := p.done.Results[id]; !ok {
			list = append(list, id)
		}
	}
	return list
}

func (p *parent) giveUp(id, why string) {
	r := p.byID[id].Unfinished(why)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done.Results[id] = r
	p.job.Progress.Finished(r)
}

// drop is giveUp when the whole run ends: nobody wants to hear of each check.
func (p *parent) drop(ids []string, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.done.Results[id] = p.byID[id].Unfinished(why)
	}
}

// worker runs one worker process to its end and returns the checks that were under way then.
func (p *parent) worker(ctx context.Context, ids []string) (running []string, err error) {
	input, err := json.Marshal(assignment{Role: p.job.Role, World: p.world, Checks: ids, Profile: p.job.Profile,
		Workers: p.job.Workers, Seed: p.job.Seed})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var stderr tail
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), workerVariable+"=1")
	cmd.Stderr = &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(endSignal) }
	cmd.WaitDelay = 2 * time.Second // then it is killed
	detach(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe() // stays open: when it closes, the worker knows that we are gone
	if err != nil {
		return nil, err
	}
	gone, err := startWorker(cmd)
	if err != nil {
		return nil, err
	}
	defer gone()
	defer stdin.Close()
	go func() { _, _ = stdin.Write(input) }() // a worker that does not read has died, which is told below
	lines := bufio.NewReader(stdout)
	for {
		line, readErr := lines.ReadBytes('\n')
		var m message
		if json.Unmarshal(line, &m) == nil {
			running = p.hear(m, running)
		}
		if readErr != nil {
			break
		}
	}
	if err = cmd.Wait(); err != nil {
		err = fmt.Errorf("the worker process ended early (%w)%s", err, stderr.firstLine())
	}
	p.done.Memory = max(p.done.Memory, peakMemory(cmd.ProcessState))
	return running, err
}

// workers are the processes that this process started as workers and has not waited for.
var workers = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// startWorker starts a worker; gone is to be called when it has been waited for.
func startWorker(cmd *exec.Cmd) (gone func(), err error) {
	workers.Lock()
	defer workers.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pid := cmd.Process.Pid
	workers.pids[pid] = true
	return func() {
		workers.Lock()
		defer workers.Unlock()
		delete(workers.pids, pid)
	}, nil
}

// IsWorker reports whether a child of this process, ended or not, is a worker of a run.
func IsWorker(pid int) bool {
	workers.Lock()
	defer workers.Unlock()
	return workers.pids[pid]
}

// hear takes in what a worker says and returns the checks that are under way now.
func (p *parent) hear(m message, running []string) []string {
	if m.Secret != "" {
		p.job.Secrets.Know(m.Kind, m.Secret)
		return running
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.Began != "":
		p.job.Progress.Started(m.Began)
		return append(running, m.Began)
	case m.Rests != "":
		if i := slices.Index(running, m.Rests); i >= 0 {
			return slices.Delete(running, i, i+1)
		}
	case m.Result != nil:
		if _, twice := p.done.Results[m.Result.ID]; !twice {
			p.keep(*m.Result)
			p.job.Progress.Finished(*m.Result)
		}
	case m.Says != "":
		p.job.Progress.Waiting(m.Says)
	case m.Lost != "":
		p.lose(&earlyEnd{EndedTargetLost, "the target no longer answers (" + m.Lost + ")"})
	}
	return running
}

// keep takes a result in. When a target writes very much, the evidence that proves least makes room for more.
func (p *parent) keep(r reports.Check) {
	p.done.Results[r.ID] = r
	if p.held += r.Size(); p.held <= reports.Held {
		return
	}
	all := make([]*reports.Check, 0, len(p.done.Results))
	for _, r := range p.done.Results {
		all = append(all, &r)
	}
	reports.BoundEvidence(all, reports.Held/2)
	p.held = 0
	for _, r := range all {
		p.done.Results[r.ID] = *r
		p.held += r.Size()
	}
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
