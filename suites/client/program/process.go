package program

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/emaconform/emaconform/suites/client/world"
)

// MaxOutput is how much of each output stream of a client is kept and searched.
const MaxOutput = 1 << 20

// output keeps the beginning of a stream, and counts the rest.
type output struct {
	mu   sync.Mutex
	kept []byte
	lost int
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := min(len(p), MaxOutput-len(o.kept))
	o.kept = append(o.kept, p[:room]...)
	o.lost += len(p) - room
	return len(p), nil
}

// Attempt is one run of the client in one world.
type Attempt struct {
	World    *world.World
	Exit     int    // exit code, -1 when it was ended from outside
	Killed   string // by what signal it ended, when not by ours
	Failed   error  // the command could not be run at all
	TimedOut bool   // it was ended at the time bound
	Flooded  bool   // it was ended because it sent far too many requests
	Hungry   bool   // it was ended because it took up too much memory
	Crowded  bool   // it was ended because it had too many processes
	Took     time.Duration
	CPU      time.Duration // of its processes, as far as they were waited for
	Stdout   []byte
	Stderr   []byte
	Opened   []byte // what it opened in a browser, a URL a line
	Requests []world.Seen
	Leaks    []world.Leak
	Files    []File // what it left in a home directory of its own
	// Undelivered counts logins that the stand-in for a browser could not bring back to the client.
	Undelivered int
	Unanswered  string // where the last of them ended, without its query
}

// Command is what is run, and how long it may take.
type Command struct {
	Args        []string
	Environment []string // NAME=value
	Timeout     time.Duration
	Named       []string // variables of our environment that it gets, too
	Dir         string   // where it runs; "": a directory of its own
	Memory      int64    // bytes that it and what it starts may take up together; 0: as many as they like
}

// mostProcesses is how many processes a client may have at a time, beyond any honest one. A test makes do with fewer.
var mostProcesses = 500

// Run runs the client in a world until it ends, is too slow, or floods. Its process group ends with it, and on Linux
// what left the group, too.
func (c *Command) Run(ctx context.Context, w *world.World) *Attempt {
	r := &Attempt{World: w, Exit: -1}
	encoded, err := json.Marshal(w.Context())
	if err != nil {
		r.Failed = err
		return r
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := w.Serve(ctx); err != nil {
		r.Failed = err
		return r
	}
	var stdout, stderr output
	room, err := newRoom()
	if err != nil {
		r.Failed = err
		return r
	}
	defer room.close()
	go room.browser.follow(ctx, w)
	mark := markName + rand.Text()
	build := func() *exec.Cmd {
		cmd := c.command(room, w)
		cmd.Env = append(cmd.Env, mark, "MCP_CONFORMANCE_CONTEXT="+string(encoded))
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		return cmd
	}
	runtime.LockOSThread() // it ends with the thread that started it
	defer runtime.UnlockOSThread()
	started := time.Now()
	own, gone, err := launch(build, mark)
	if err != nil {
		r.Failed = fmt.Errorf("cannot run %s: %w", c.Args[0], err)
		return r
	}
	ended := make(chan error, 1)
	go func() {
		err := own.cmd.Wait()
		gone()
		ended <- err
	}()
	err = r.await(ctx, c, own, ended)
	own.end()
	if r.Stopped() || r.Failed != nil {
		err = <-ended
	}
	r.Took = time.Since(started)
	r.end(own.cmd, err)
	r.Stdout, r.Stderr = stdout.kept, stderr.kept
	r.Opened = room.browser.opened()
	r.Undelivered = int(room.browser.undelivered.Load())
	r.Unanswered, _ = room.browser.unanswered.Load().(string)
	r.Requests = w.Seen()
	r.Leaks = w.Leaks(map[string][]byte{"standard output": r.Stdout, "standard error": r.Stderr, "browser": r.Opened})
	return r
}

// command is the client in its room, not started yet.
func (c *Command) command(room *room, w *world.World) *exec.Cmd {
	args := located(c.Args)
	cmd := exec.Command(args[0], append(args[1:], w.MCP.Resource)...)
	cmd.Dir = filepath.Join(room.dir, "work")
	if c.Dir != "" {
		cmd.Dir = c.Dir
	}
	cmd.Env = append(room.environment(c.Named, c.Environment), w.Environment()...)
	cmd.Env = append(cmd.Env, "MCP_CONFORMANCE_SCENARIO="+world.ScenarioName,
		"MCP_CONFORMANCE_PROTOCOL_VERSION="+protocolVersion(w))
	cmd.WaitDelay = time.Second // for children that keep the output open
	return cmd
}

// household is a client that runs, with whatever it starts.
type household struct {
	cmd   *exec.Cmd
	mark  string  // NAME=value, in the environment of all that do not clear theirs
	group *cgroup // that none of them can leave; nil where there is none
}

// launch starts what build makes, in a control group where that is possible; gone is to be called when it has been
// waited for.
func launch(build func() *exec.Cmd, mark string) (h *household, gone func(), err error) {
	h = &household{mark: mark, group: newCgroup()}
	run := func() (int, error) {
		h.cmd = build()
		detach(h.cmd)
		h.group.hold(h.cmd)
		if err := h.cmd.Start(); err != nil {
			return 0, err
		}
		return h.cmd.Process.Pid, nil
	}
	gone, err = start(run)
	if err != nil && h.group != nil { // a container may let us make groups, and not let us start processes in them
		h.group.close()
		h.group = nil
		gone, err = start(run)
	}
	return h, gone, err
}

// end ends the client and all that it started.
func (h *household) end() {
	h.group.end()
	endGroup(h.cmd)
	endStrays(h.mark)
	h.group.close()
}

// await waits until the client has ended, or says in the attempt why it must be.
func (a *Attempt) await(ctx context.Context, c *Command, own *household, ended <-chan error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bound := time.NewTimer(c.Timeout)
	defer bound.Stop()
	select {
	case err = <-ended:
	case <-bound.C:
		a.TimedOut = true
	case <-a.World.Flooded():
		a.Flooded = true
	case why := <-c.tooMuch(ctx, own):
		why(a)
	case <-ctx.Done():
		a.Failed = errors.New("not run to its end: " + context.Cause(ctx).Error())
	}
	return err
}

// Stopped reports whether the client went over a bound and was ended for that.
func (a *Attempt) Stopped() bool { return a.TimedOut || a.Flooded || a.Hungry || a.Crowded }

// end notes how the client ended; err is what waiting for it said.
func (a *Attempt) end(cmd *exec.Cmd, err error) {
	if cmd.ProcessState != nil {
		a.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		a.Exit = 0
	case errors.As(err, &exit):
		if a.Exit = exit.ExitCode(); a.Exit < 0 && !a.Stopped() && a.Failed == nil {
			a.Killed = exit.String() // e.g. "signal: segmentation fault"
		}
	}
}

// tooMuch tells when a client and what it started take up more memory than they may, or are too many: it notes which in
// the attempt.
func (c *Command) tooMuch(ctx context.Context, own *household) <-chan func(*Attempt) {
	over := make(chan func(*Attempt), 1)
	go func() {
		look := time.NewTicker(100 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			switch processes, memory := own.size(); {
			case processes > mostProcesses:
				over <- func(a *Attempt) { a.Crowded = true }
				return
			case c.Memory > 0 && memory > c.Memory:
				over <- func(a *Attempt) { a.Hungry = true }
				return
			}
		}
	}()
	return over
}

func protocolVersion(w *world.World) string {
	if w.Revision != "" {
		return w.Revision
	}
	return world.Revision2025
}
