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
	args := located(c.Args)
	cmd := exec.Command(args[0], append(args[1:], w.MCP.Resource)...)
	cmd.Dir = filepath.Join(room.dir, "work")
	if c.Dir != "" {
		cmd.Dir = c.Dir
	}
	mark := markName + rand.Text()
	cmd.Env = append(room.environment(c.Named, c.Environment), w.Environment()...)
	cmd.Env = append(cmd.Env, mark, "MCP_CONFORMANCE_SCENARIO="+world.ScenarioName, "MCP_CONFORMANCE_CONTEXT="+
		string(encoded),
		"MCP_CONFORMANCE_PROTOCOL_VERSION="+protocolVersion(w))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for children that keep the output open
	detach(cmd)
	runtime.LockOSThread() // it ends with the thread that started it
	defer runtime.UnlockOSThread()
	started := time.Now()
	gone, err := start(func() (int, error) {
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		return cmd.Process.Pid, nil
	})
	if err != nil {
		r.Failed = fmt.Errorf("cannot run %s: %w", c.Args[0], err)
		return r
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		gone()
		ended <- err
	}()
	err = r.await(ctx, c, cmd.Process.Pid, ended)
	endGroup(cmd)
	endStrays(mark)
	if r.stopped() {
		err = <-ended
	}
	r.Took = time.Since(started)
	r.end(cmd, err)
	r.Stdout, r.Stderr = stdout.kept, stderr.kept
	r.Opened = room.browser.opened()
	r.Undelivered = int(room.browser.undelivered.Load())
	r.Requests = w.Seen()
	r.Leaks = w.Leaks(map[string][]byte{"standard output": r.Stdout, "standard error": r.Stderr, "browser": r.Opened})
	return r
}

// await waits until the client has ended, or says in the attempt why it must be.
func (a *Attempt) await(ctx context.Context, c *Command, pid int, ended <-chan error) (err error) {
	bound := time.NewTimer(c.Timeout)
	defer bound.Stop()
	select {
	case err = <-ended:
	case <-bound.C:
		a.TimedOut = true
	case <-a.World.Flooded():
		a.Flooded = true
	case <-c.tooMuch(ctx, pid):
		a.Hungry = true
	case <-ctx.Done():
		a.Failed = errors.New("not run to its end: " + context.Cause(ctx).Error())
	}
	return err
}

// stopped reports whether the client did not end by itself.
func (a *Attempt) stopped() bool { return a.TimedOut || a.Flooded || a.Hungry || a.Failed != nil }

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
		if a.Exit = exit.ExitCode(); a.Exit < 0 && !a.stopped() {
			a.Killed = exit.String() // e.g. "signal: segmentation fault"
		}
	}
}

// tooMuch is closed when a client and what it started take up more memory than they may.
func (c *Command) tooMuch(ctx context.Context, pid int) <-chan struct{} {
	over := make(chan struct{})
	if c.Memory <= 0 {
		return over
	}
	go func() {
		look := time.NewTicker(100 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				if memoryOf(pid) > c.Memory {
					close(over)
					return
				}
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
